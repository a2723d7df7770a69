import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ServerOptions } from '../../src/server.ts';
import { type Graph, type GraphOptions, openGraph } from './graph.ts';
import { readAnswer } from './pieces.ts';
import { listen } from './server.ts';

/** One answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; of several with one name, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back on one connection. */
export interface Reply {
  readonly answers: readonly RawAnswer[];
  /** All bytes, as Latin-1. */
  readonly text: string;
  /** Whether the server ended the connection. */
  readonly closed: boolean;
  /** Bytes that the server or the system took. */
  readonly sent: number;
  readonly elapsedMs: number;
}

/** What is written to a connection: one piece after the other, as fast as they are read. */
export type Attack = string | Buffer | Iterable<string | Buffer>;

/** Milliseconds after which a reply that has not come is taken as none. */
const patienceMs = 30_000;

/** A connection of our own that never throws. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => {});
  return socket;
}

/** Writes an attack and waits for the end of the connection, or for the last of `count` answers if it is to stay open. */
export async function attack(url: string, bytes: Attack, count = 1): Promise<Reply> {
  const socket = open(url);
  const started = performance.now();
  const chunks: Buffer[] = [];
  let closed = false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, patienceMs);
  socket.on('close', () => {
    closed = true;
    resolve();
  });
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    const answers = parseAnswers(Buffer.concat(chunks));
    const last = answers.at(-1);
    if (answers.length >= count && last?.headers.connection !== 'close') resolve();
  });
  void write(socket, bytes);
  await promise;
  clearTimeout(timer);
  socket.destroy();
  const all = Buffer.concat(chunks);
  return {
    answers: parseAnswers(all),
    text: all.toString('latin1'),
    closed,
    sent: socket.bytesWritten,
    elapsedMs: performance.now() - started,
  };
}

async function write(socket: Socket, bytes: Attack): Promise<void> {
  const pieces = typeof bytes === 'string' || Buffer.isBuffer(bytes) ? [bytes] : bytes;
  for (const piece of pieces) {
    if (socket.destroyed) return;
    const went = typeof piece === 'string' ? socket.write(piece, 'latin1') : socket.write(piece);
    if (!went) await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', () => resolve()));
  }
}

/** The whole answers in these bytes; interim ones (1xx) are left out. */
export function parseAnswers(bytes: Buffer): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = bytes.toString('latin1');
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return answers;
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(statusLine.split(' ')[1]);
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    rest = rest.slice(end + 4);
    if (status < 200) continue;
    const cut = headers['transfer-encoding'] === 'chunked' ? cutChunks(rest) : cutLength(rest, headers, status);
    if (!cut) return answers;
    answers.push({ status, headers, body: Buffer.from(cut.body, 'latin1').toString() });
    rest = cut.rest;
  }
}

function cutLength(rest: string, headers: Record<string, string>, status: number) {
  const length = status === 204 || status === 304 ? 0 : Number(headers['content-length'] ?? 0);
  return rest.length < length ? null : { body: rest.slice(0, length), rest: rest.slice(length) };
}

function cutChunks(text: string) {
  let rest = text;
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    if (line === -1) return null;
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (rest.length < line + 4 + size) return null;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 4 + size);
    if (size === 0) return { body, rest };
  }
}

/** The head of a request with these lines; a line is one header. */
export function head(line: string, ...lines: readonly string[]): string {
  return [`${line} HTTP/1.1`, ...lines, '', ''].join('\r\n');
}

export const host = 'host: graph.test';
export const jsonType = 'content-type: application/json';

/** A POST of this body that is in order but for what the lines say. */
export function post(body: string | Buffer, ...lines: readonly string[]): Buffer {
  const bytes = Buffer.from(body as string);
  return Buffer.concat([Buffer.from(head('POST /graphql', host, `content-length: ${bytes.length}`, ...lines)), bytes]);
}

/** A POST whose body is these lines, in chunks as they stand. */
export function chunks(...lines: readonly string[]): string {
  return head('POST /graphql', host, jsonType, 'transfer-encoding: chunked') + lines.join('\r\n');
}

/** The body of a query that is in order. */
export const query = '{"query":"{ __typename }"}';

/** What no answer may hold: traces, places in files, names of system errors and of internals. */
export const leak =
  /\n\s+at |node:internal|node_modules|file:\/\/|\.ts:\d|\.js:\d|errno|ECONN|EPIPE|HPE_|RangeError|TypeError/;

/** A POST of this query that is in order. */
export function good(query = '{ __typename }', ...lines: readonly string[]): Buffer {
  return post(JSON.stringify({ query }), jsonType, ...lines);
}

/**
 * What a bystander waits at most, whatever others do, in milliseconds: of work that is done here meanwhile, which a busy machine
 * does not make more, and of time. What must not be holds up everybody for whole seconds; the chaos suites measure on a quiet
 * machine that nobody waits 300.
 */
export const longestWaitMs = { work: 1000, time: 6000 };

/** Milliseconds for which this thread has had a processor. */
export function workedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A bystander: asks the same harmless thing over and over, and keeps how long the longest answer took. */
export function startCanary(url: string) {
  const stopped = new AbortController();
  const failures: unknown[] = [];
  const worst = { work: 0, time: 0 };
  const now = () => ({ work: workedMs(), time: performance.now() });
  async function ask(since: typeof worst): Promise<void> {
    const { answers, text } = await attack(url, good());
    const { work, time } = now();
    worst.work = Math.max(worst.work, work - since.work);
    worst.time = Math.max(worst.time, time - since.time);
    if (answers[0]?.body !== '{"data":{"__typename":"Query"}}') failures.push(text);
  }
  async function loop(): Promise<void> {
    while (!stopped.signal.aborted) {
      // Who is woken late has waited, too.
      const since = now();
      await sleep(20);
      await ask(since);
    }
  }
  const ended = loop();
  return {
    /** What went wrong since the last call, and asks once more to have asked at least once. */
    async check(): Promise<void> {
      await ask(now());
      const waited = { ...worst };
      Object.assign(worst, { work: 0, time: 0 });
      expect(failures.splice(0)).toEqual([]);
      expect(waited.work).toBeLessThan(longestWaitMs.work);
      expect(waited.time).toBeLessThan(longestWaitMs.time);
    },
    async stop(): Promise<void> {
      stopped.abort();
      await ended;
    },
  };
}

/** One front door for all cases of a file, with sandboxes behind it and a bystander before it. */
export function withFrontDoor(options: GraphOptions = {}, doorOptions: Partial<ServerOptions> = {}) {
  const door = {} as { url: string; graph: Graph; check: () => Promise<void> };
  let close = async () => {};
  beforeAll(async () => {
    const graph = await openGraph(undefined, { introspection: false, ...options });
    const server = await listen(graph.gateway, doorOptions);
    await attack(server.url, good());
    const canary = startCanary(server.url);
    Object.assign(door, { url: server.url, graph, check: canary.check });
    close = async () => {
      await canary.stop();
      await server.stop();
      await graph[Symbol.asyncDispose]();
    };
  });
  afterAll(() => close());
  return door;
}

/** The code and the message of an answer that refuses, once it is sure that it has the form of one. */
export function refusalOf({ status, headers, body }: RawAnswer): { status: number; code: unknown; message: string } {
  expect(headers['content-type']).toMatch(/^application\/(graphql-response\+)?json; charset=utf-8$/);
  const { errors, data } = JSON.parse(body);
  expect(data ?? null).toBeNull();
  const [{ message, extensions }] = errors;
  return { status, code: extensions.code, message };
}

/** What every answer has, however it came about. */
export function expectSafe({ text, answers }: Reply): void {
  expect(text).not.toMatch(leak);
  for (const { status, headers } of answers) {
    expect(status).toBeLessThan(500);
    expectCommonHeaders(headers);
  }
}

/** The headers that every answer has, of whatever status. */
export function expectCommonHeaders(headers: RawAnswer['headers']): void {
  expect(headers).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'x-request-id': expect.stringMatching(/^[\w.-]{1,64}$/),
  });
}

/** Sends what is not in order, and holds the answer to its status, its form, and to what the bystander meets. */
export async function expectRefused(door: ReturnType<typeof withFrontDoor>, bytes: Attack, status: number) {
  const reply = await attack(door.url, bytes);
  expectSafe(reply);
  expect(reply.answers).toHaveLength(1);
  const [answer] = reply.answers;
  const message = expect.stringMatching(/\w/);
  expect(answer && refusalOf(answer)).toEqual({ status, code: 'BAD_USER_INPUT', message });
  if (status === 405) expect(answer?.headers.allow).toContain('GET');
  // What is refused before its body is read leaves bytes that nobody may take for a request.
  expect(answer?.headers.connection === 'close').toBe(reply.closed);
  await door.check();
}

/** Asks for this operation, and returns the status and the errors, once it is sure that they are safe. */
export async function ask(door: { readonly url: string }, query: string, variables: unknown = {}) {
  const body = JSON.stringify({ query }).replace(
    /}$/,
    `,"variables":${typeof variables === 'string' ? variables : JSON.stringify(variables)}}`,
  );
  const reply = await attack(
    door.url,
    post(body, jsonType, 'accept: application/graphql-response+json, multipart/mixed;q=0.9'),
  );
  expectSafe(reply);
  const [answer] = reply.answers;
  const { data, errors = [] } = readAnswer(answer?.body ?? '');
  const codes: unknown[] = errors.map(({ extensions }) => extensions?.code);
  const messages: string[] = errors.map(({ message }) => message);
  return { status: answer?.status, data, codes, messages };
}
