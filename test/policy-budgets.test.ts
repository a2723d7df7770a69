import type { RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { reportQuery } from './support/faults.ts';
import { type Graph, openContext, openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

const rows = json([diligentRow()]);
const again = json({}, 429, { 'retry-after': '0' });

/** Asks with a key of its own, and tells the state of the source, or the code of its error. */
async function ask(graph: Graph, key: string): Promise<string> {
  const { data } = await graph.answer(reportQuery, {}, { 'x-diligent-api-key': key });
  const [{ state, error }] = data.webhooks.sources;
  return error?.code ?? state;
}

async function askInTurn(graph: Graph, key: string, times: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let turn = 0; turn < times; turn++) seen.add(await ask(graph, key));
  return seen;
}

/** How many calls it takes to ask so many times. */
async function countCalls(graph: Graph, key: string, times: number): Promise<number> {
  const before = graph.calls('diligent').length;
  await askInTurn(graph, key, times);
  return graph.calls('diligent').length - before;
}

test('earns retries by calls that are made, and not by requests that no call is made for', async () => {
  let listener = again;
  const upstream: RequestListener = (...http) => listener(...http);
  await using graph = await openGraph({ diligent: upstream }, { passthrough: true, deadlineMs: 900 });
  while ((await countCalls(graph, 'key', 1)) > 1);

  listener = json({}, 429, { 'retry-after': '2' });
  expect(await countCalls(graph, 'key', 40)).toBe(1);
  await sleep(2100);
  listener = again;
  expect(await countCalls(graph, 'key', 5)).toBeLessThanOrEqual(5 + 1);

  listener = rows;
  expect(await countCalls(graph, 'key', 100)).toBe(100);
  listener = again;
  expect(await countCalls(graph, 'key', 5)).toBe(5 * 3);
});

test('makes fewer retries for a hundred keys together than each would get alone', async () => {
  await using graph = await openGraph({ diligent: again }, { passthrough: true });
  expect(await countCalls(graph, 'first', 3)).toBe(3 * 3);
  const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);
  for (const key of keys) await askInTurn(graph, key, 3);
  expect(graph.calls('diligent').length).toBeLessThan(303 * 1.5);
});

const largest = 10_000;
const half = `[${JSON.stringify(diligentRow())}`.padEnd(largest - 1);
const reading = { passthrough: true, shareInFlight: false, attemptTimeoutMs: 20_000, deadlineMs: 20_000 };

/** Starts an answer, and leaves the rest to `go`. */
function begin(go: (...http: Parameters<RequestListener>) => void): RequestListener {
  return (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(half, () => go(request, response));
  };
}

/** Sends the last byte of a body when it is let go. */
function createHeld() {
  const gate = Promise.withResolvers<void>();
  const listener = begin(async (_request, response) => {
    await gate.promise;
    response.end(']');
  });
  return { listener, open: gate.resolve };
}

/** Asks with each of these keys at the same time; what they were told comes in one after the other. */
function askAtOnce(graph: Graph, keys: readonly string[]) {
  const told: string[] = [];
  const asked = keys.map(async (key) => told.push(await ask(graph, key)));
  return { told, all: Promise.all(asked) };
}

function times(count: number, text: string): readonly string[] {
  return Array(count).fill(text);
}

test.each([
  ['eight bodies, if each is as large as one may be', largest, 8],
  ['twelve, if each is half as large as one may be', 2 * largest, 12],
])('reads for one key at once %s', async (_name, maxBytes, read) => {
  const held = createHeld();
  await using graph = await openGraph({ diligent: held.listener }, { ...reading, maxBytes });
  const { told, all } = askAtOnce(graph, times(12, 'key'));
  await expect.poll(() => told).toEqual(times(12 - read, 'OVERLOADED'));
  await expect.poll(() => graph.calls('diligent').length).toBe(12);
  held.open();
  await all;
  expect(told).toEqual([...times(12 - read, 'OVERLOADED'), ...times(read, 'OK')]);
  // What there was no room for was not tried again, and nothing of it speaks against the upstream.
  expect(graph.calls('diligent')).toHaveLength(12);
  expect(await askInTurn(graph, 'key', 20)).toEqual(new Set(['OK']));
});

test('reads more of those that come whole, however many come in the same moment', async () => {
  const waiting: ServerResponse[] = [];
  const upstream: RequestListener = (_request, response) => {
    if (waiting.push(response) < 12) return;
    for (const each of waiting) each.writeHead(200, { 'content-type': 'application/json' }).end(`${half}]`);
  };
  await using graph = await openGraph({ diligent: upstream }, { ...reading, maxBytes: largest });
  const { told, all } = askAtOnce(graph, times(12, 'key'));
  await all;
  expect(told).toEqual(times(12, 'OK'));
});

test('reads for all keys at once sixteen such bodies, so that one key leaves room to others', async () => {
  const held = createHeld();
  await using graph = await openGraph({ diligent: held.listener }, { ...reading, maxBytes: largest });
  const first = askAtOnce(graph, times(12, 'first'));
  await expect.poll(() => first.told).toEqual(times(4, 'OVERLOADED'));
  const others = askAtOnce(graph, ['b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']);
  await expect.poll(() => others.told).toEqual(times(2, 'OVERLOADED'));
  held.open();
  await Promise.all([first.all, others.all]);
  expect(others.told).toEqual([...times(2, 'OVERLOADED'), ...times(8, 'OK')]);
});

test.each<[string, RequestListener, string]>([
  ['were read', begin((_request, response) => response.end(']')), 'OK'],
  ['could not be read', begin((_request, response) => response.end('}')), 'BAD_RESPONSE'],
  ['were cut off', begin(({ socket }) => socket.resetAndDestroy()), 'UNREACHABLE'],
  ['were too large', begin((_request, response) => response.end(half)), 'TOO_LARGE'],
  ['came with another status', text(half, 500), 'UPSTREAM_ERROR'],
  ['were left by their callers', begin(() => {}), 'left'],
])('has all of its room again after bodies that %s', async (_name, fault, code) => {
  const held = createHeld();
  let listener = fault;
  const upstream: RequestListener = (...http) => listener(...http);
  await using graph = await openGraph({ diligent: upstream }, { ...reading, maxBytes: largest });
  for (const round of ['one', 'two', 'three']) {
    // A key each, so that no circuit opens.
    const keys = Array.from({ length: 10 }, (_, index) => round + index);
    if (code === 'left') await leave(graph, keys);
    else expect(await Promise.all(keys.map((key) => ask(graph, key)))).toEqual(times(10, code));
  }
  listener = held.listener;
  const { told, all } = askAtOnce(graph, [...times(9, 'a'), ...times(8, 'b')]);
  await expect.poll(() => told).toEqual(['OVERLOADED']);
  held.open();
  await all;
  expect(told).toEqual(['OVERLOADED', ...times(16, 'OK')]);
});

/** Asks for bodies that do not end, and leaves once some of them has come. */
async function leave(graph: Graph, keys: readonly string[]): Promise<void> {
  const caller = new AbortController();
  const calls = graph.calls('diligent').length + keys.length;
  const reads = keys.map((key) => {
    const { sources } = openContext(graph.sources, key, caller.signal);
    return sources.get('diligent')?.read();
  });
  await expect.poll(() => graph.calls('diligent').length).toBe(calls);
  await sleep(50);
  caller.abort();
  for (const report of await Promise.all(reads)) expect(report).toMatchObject({ state: 'FAILED' });
}
