import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Job, JobResult } from './generator.ts';
import { readProcessors, waitUntilIdle } from './process-figures.ts';

/** The contestant has a processor for itself; all that works for the measurement shares the other. */
const [contestantProcessor, rigProcessor] = readProcessors();

/** None outlives this process, not even those that catch what a terminal sends to all of them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a script under this Node, on the processor for contestants or on the other; with one only, both share it. */
export function startOn(
  place: 'contestant' | 'rig',
  script: string,
  env: Readonly<Record<string, string>>,
  stdio: NonNullable<Parameters<typeof spawn>[2]>['stdio'],
): ChildProcess {
  const processor = place === 'contestant' ? contestantProcessor : rigProcessor;
  const command = [process.execPath, script];
  const pinned = processor === undefined ? command : ['taskset', '-c', String(processor), ...command];
  const child = spawn(pinned[0] ?? '', pinned.slice(1), { cwd: root, env: { PATH: process.env.PATH, ...env }, stdio });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The stub and the generator, each in a process of its own. */
export interface Rig extends AsyncDisposable {
  readonly stubPort: number;
  /** One at a time, until the contestant has nothing left to do. Throws where the one of this name gave no right answer. */
  run(name: string, job: Job): Promise<JobResult>;
}

/** Starts both, and puts this process beside them. */
export async function startRig(): Promise<Rig> {
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  const [stub, generator] = ['stub', 'generator'].map((name) => startOn('rig', `bench/rig/${name}.ts`, {}, [...stdio]));
  if (!stub || !generator) throw new Error('unreachable');
  const [{ port }] = await once(stub, 'message');
  return {
    stubPort: port,
    async run(name, job) {
      generator.send(job);
      const [result]: JobResult[] = await once(generator, 'message');
      await waitUntilIdle(job.pid);
      if (!result?.requests)
        throw new Error(`${name} gave no right answer in time: ${result?.firstWrong ?? 'it gave none'}`);
      return result;
    },
    async [Symbol.asyncDispose]() {
      const ended = [stub, generator].map((child) => once(child, 'exit'));
      for (const child of [stub, generator]) child.disconnect();
      await Promise.all(ended);
    },
  };
}
