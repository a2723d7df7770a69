import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The program as a process of its own. */
export interface Program extends AsyncDisposable {
  /** Where it serves GraphQL; empty if it ended before it did. */
  readonly url: string;
  readonly pid: number;
  /** All that it printed so far, on both streams. */
  output(): string;
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  /** Its exit code, when it ends. */
  readonly ended: Promise<number | null>;
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
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Sends a query over HTTP and returns the answer. */
export async function ask(url: string, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  });
  return await response.json();
}
