import { readdirSync, readFileSync } from 'node:fs';
import { type Program, startProgram } from '../../support/program.ts';
import { canaryKeys, search } from './secrets.ts';

/** The program, or what stands in its place, with a look at what it takes of the machine. */
export interface Gateway extends Program {
  /** Whether it is the program: what stands in its place promises nothing. */
  readonly isProgram: boolean;
  /** MiB of memory that it holds. */
  memory(): number;
  /** MiB of memory that it held at most, ever. */
  peakMemory(): number;
  /** How many files and sockets it has open. */
  descriptors(): number;
}

/** Starts the program between these upstreams, with canary keys, on a free loopback port. The rest as for `startProgram`. */
export async function startGateway(
  upstreams: { readonly apimall: string; readonly diligent: string },
  env: Record<string, string> = {},
  script?: string,
  limit?: string,
): Promise<Gateway> {
  const urls = { APIMALL_API_URL: upstreams.apimall, DILIGENT_API_URL: upstreams.diligent };
  const keys = env.CREDENTIALS === 'passthrough' ? {} : canaryKeys;
  const program = await startProgram({ LOG_LEVEL: 'trace', ...urls, ...keys, ...env }, script, limit);
  if (program.url === '') throw new Error(`The program did not start: ${program.output()}`);
  return {
    ...program,
    isProgram: script === undefined,
    memory: () => readStatus(program.pid, 'VmRSS'),
    peakMemory: () => readStatus(program.pid, 'VmHWM'),
    descriptors: () => readdirSync(`/proc/${program.pid}/fd`).length,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      if (script === undefined) search(program.output());
    },
  };
}

/** Starts a bare Yoga with the same schema: no front door, no limits, no policy towards its upstreams. */
export function startBareGateway(
  upstreams: { readonly apimall: string; readonly diligent: string },
  env: Record<string, string> = {},
): Promise<Gateway> {
  return startGateway(upstreams, { SHARE_IN_FLIGHT: 'off', ...env }, 'test/chaos/support/bare.ts');
}

function readStatus(pid: number, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}
