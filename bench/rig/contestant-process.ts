import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from '../contestants.ts';
import { startOn } from './processes.ts';

/** A contestant while it runs. */
export interface RunningContestant extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from its start to its first answer. */
  readonly startMs: number;
}

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Asks as every client here does. */
export async function ask(port: number, query: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, { method: 'POST', headers, body: bodyOf(query) });
  return { status: response.status, text: await response.text() };
}

/** The same, but takes a 503 for what it is for up to five seconds: the load may be just over. */
export async function askPatiently(port: number, query: string): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask(port, query);
    if (answer.status !== 503 || tries === 10) return answer;
    await sleep(500);
  }
}

/** The same request as text, for the generator. */
export function requestText(port: number, query: string): string {
  const body = bodyOf(query);
  const lines = [
    'POST /graphql HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const headers = { 'content-type': 'application/json', accept: 'application/json' };
const bodyOf = (query: string) => JSON.stringify({ query });

/** Milliseconds after which a contestant that does not answer is given up. */
const longestStartMs = 30_000;

/**
 * Starts a contestant with these variables and no others, and waits until it answers `query`. What it prints goes to a file, as
 * it would in production, which is gone with it.
 */
export async function startContestant(
  contestant: Contestant,
  env: Readonly<Record<string, string>>,
  query: string,
): Promise<RunningContestant> {
  const port = await findPort();
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-bench-'));
  const log = openSync(join(folder, 'log'), 'a');
  const startedAt = performance.now();
  const child = startOn('contestant', contestant.script, { ...contestant.env, ...env, PORT: String(port) }, [
    'ignore',
    log,
    log,
  ]);
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true });
  };
  for (;;) {
    const answer = await ask(port, query).catch(() => null);
    const startMs = performance.now() - startedAt;
    if (answer?.status === 200) {
      return { name: contestant.name, port, pid: child.pid ?? 0, startMs, [Symbol.asyncDispose]: stop };
    }
    if (child.exitCode !== null || startMs > longestStartMs) {
      const printed = readFileSync(join(folder, 'log'), 'utf8').slice(-2000);
      await stop();
      throw new Error(`${contestant.name} does not answer (${answer?.text.slice(0, 500)}):\n${printed}`);
    }
    await sleep(5);
  }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}
