import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** The project's own folder. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

const ofThisRun =
  /^(npm_(lifecycle|package|command|node_execpath|config_local_prefix)|NODE_(ENV|OPTIONS)$|INIT_CWD$|VITEST)/;

/** The environment without what npm and vitest say of this run to what they start. */
export const plainEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofThisRun.test(name)));

/** What became of a command. */
export interface Ended {
  readonly code: number | null;
  /** All that it printed, on both streams. */
  readonly output: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a command to its end, however it ends. */
export async function attempt(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = spawn(command, args, { cwd: root, env: plainEnv, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, output: out + err };
}

/** Runs a command and returns what it printed. Throws with that where it does not end with 0. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, output } = await attempt(command, args, options);
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${output}`);
  return output;
}

/** A folder for one test file, gone when it is closed. */
export function scratchFolder(): { readonly path: string; close(): void } {
  const path = mkdtempSync(join(tmpdir(), 'hookgraph-deploy-'));
  return { path, close: () => rmSync(path, { recursive: true, force: true }) };
}

/** A program that runs until it is told to stop. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  output(): string;
  /** Sends SIGTERM, and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts a command and waits until it has printed what `ready` matches. Throws where it ends before. */
export async function start(
  command: string,
  args: readonly string[],
  ready: RegExp,
  options: RunOptions = {},
): Promise<Running> {
  const child = spawn(command, args, { cwd: root, env: plainEnv, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        if (ready.test(output)) resolve();
      });
    }
    ended.then((code) => reject(new Error(`${command} ended with ${code}:\n${output}`)), reject);
  });
  return {
    pid: child.pid ?? 0,
    output: () => output,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
