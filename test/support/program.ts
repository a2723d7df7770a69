import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** The program as a process of its own. */
export interface Program extends AsyncDisposable {
  /** Where it serves GraphQL; empty if it ended before it did. */
  readonly url: string;
  readonly pid: number;
  /** All that it printed so far, on both streams. */
  output(): string;
  /** The lines of its log so far. */
  lines(): readonly Line[];
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGUSR2'): void;
  /** Its exit code, when it ends. */
  readonly ended: Promise<number | null>;
}

/** A line of the log, as JSON brings it. */
// biome-ignore lint/suspicious/noExplicitAny: lines of each message have fields of their own
export type Line = { readonly level: string; readonly msg: string } & Readonly<Record<string, any>>;

/** The lines of a log; throws where one that looks like JSON is none. */
export function readLines(output: string): readonly Line[] {
  const lines = output.slice(0, output.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}

/**
 * Starts `src/main.ts`, or another script, with these variables and no others, and waits until it listens or ends. `limit`
 * is a shell's command that bounds it, such as `ulimit -n 256`.
 */
export async function startProgram(
  env: Record<string, string> = {},
  script = 'src/main.ts',
  limit = 'true',
): Promise<Program> {
  const child = spawn('sh', ['-c', `${limit} && exec "$@"`, 'sh', process.execPath, script], {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { PATH: process.env.PATH, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const url = await new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        const found = /at (http:[^\s"]+)/.exec(output);
        if (found?.[1]) resolve(found[1]);
      });
    }
    child.once('exit', () => resolve(''));
  });
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    lines: () => readLines(output),
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What became of a command that was run to its end. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hookgraph` with these arguments and variables, and no others. */
export async function runCommand(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['src/cli.ts', ...args], {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, stdout, stderr };
}

/** Sends a query over HTTP and returns the answer. `others` stand beside it in the body. */
export async function ask(url: string, query: string, headers: Record<string, string> = {}, others: object = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query, ...others }),
  });
  return await response.json();
}
