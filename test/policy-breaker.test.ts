import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SourceError, type SourceErrorCode } from '../src/source-error.ts';
import { createBreaker } from '../src/upstream/breaker.ts';
import { reportQuery } from './support/faults.ts';
import { openContext, openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { askSwitched, openSwitched, type SwitchedGraph } from './support/switched.ts';
import { after, createBarrier, hang, json, text } from './support/upstream.ts';

const rows = json([diligentRow()]);
const reset: RequestListener = (request) => request.socket.resetAndDestroy();
const fault = json({}, 501);

/** Milliseconds after which an open circuit lets a call try it. */
const resetTimeout = 1000;
/** Failed calls that open a circuit. */
const volume = 8;

async function askInTurn(switched: SwitchedGraph, times: number, key?: string): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let turn = 0; turn < times; turn++) seen.add(await askSwitched(switched, key));
  return seen;
}

/** Asks twenty times, so soon that a circuit that is open still is at the end of it. */
function askAtOnce(switched: SwitchedGraph, key?: string): Promise<string[]> {
  return Promise.all(Array.from({ length: 20 }, () => askSwitched(switched, key)));
}

const refused = Array(20).fill('CIRCUIT_OPEN');

/** Asks until the circuit is open. */
async function open(switched: SwitchedGraph, key?: string): Promise<void> {
  while ((await askSwitched(switched, key)) !== 'CIRCUIT_OPEN');
}

/** Reads Diligent for a caller that may leave. */
function read({ graph }: SwitchedGraph, signal: AbortSignal) {
  const { sources } = openContext(graph.sources, 'test-key', signal);
  return sources.get('diligent')?.read();
}

test.concurrent.each<[string, RequestListener, string]>([
  ['come too late', hang, 'TIMEOUT'],
  ['are cut off', reset, 'UNREACHABLE'],
  ['have status 500', json({}, 500), 'UPSTREAM_ERROR'],
  ['have status 503', json({}, 503), 'UPSTREAM_ERROR'],
  ['have status 501', fault, 'UPSTREAM_ERROR'],
  ['are no JSON', text('<html>', 200, { 'content-type': 'text/html' }), 'BAD_RESPONSE'],
  ['are something else', json({ rows: [] }), 'BAD_RESPONSE'],
  ['are too large', json([diligentRow({ id: 'x'.repeat(5000) })]), 'TOO_LARGE'],
])('stops asking after eight answers that %s', async (_name, listener, code) => {
  const limits = { attemptTimeoutMs: 200, maxBytes: 4000 };
  await using switched = await openSwitched(listener, limits);
  const { called } = switched;
  expect(await askSwitched(switched)).toBe(code);
  await open(switched);
  expect(await askAtOnce(switched)).toEqual(refused);
  expect(called()).toBe(volume);
});

test.concurrent.each<[string, RequestListener, string]>([
  ['401', json({}, 401), 'UNAUTHORIZED'],
  ['403', json({}, 403), 'FORBIDDEN'],
  ['404', json({}, 404), 'NOT_FOUND'],
  ['429', json({}, 429, { 'retry-after': '0' }), 'RATE_LIMITED'],
  ['400', json({}, 400), 'BAD_RESPONSE'],
])('goes on asking after forty answers with status %s', async (_name, listener, code) => {
  await using switched = await openSwitched(listener);
  const { upstream, called } = switched;
  expect(await askInTurn(switched, 40)).toEqual(new Set([code]));
  expect(called()).toBeGreaterThanOrEqual(40);
  upstream.listener = rows;
  expect(await askSwitched(switched)).toBe('OK');
});

test.concurrent('goes on asking after forty answers 200 without success', async () => {
  await using graph = await openGraph({ apimall: json({ success: false, error: { code: 'on_fire' } }) });
  for (let turn = 0; turn < 40; turn++) {
    expect((await graph.query(reportQuery)).webhooks.sources).toMatchObject([{ error: { code: 'UPSTREAM_ERROR' } }]);
  }
  expect(graph.calls('apimall')).toHaveLength(40);
});

test.concurrent.each<[string, object]>([
  ['without data', { success: true }],
  ['with data that is no list', { success: true, data: 'rows' }],
])("stops asking after eight of API Mall's answers 200 %s", async (_name, envelope) => {
  await using graph = await openGraph({ apimall: json(envelope) });
  for (let turn = 0; turn < 40; turn++) {
    const code = turn < volume ? 'BAD_RESPONSE' : 'CIRCUIT_OPEN';
    expect((await graph.query(reportQuery)).webhooks.sources).toMatchObject([{ error: { code } }]);
  }
  expect(graph.calls('apimall')).toHaveLength(volume);
});

test.concurrent('goes on asking after forty callers left', async () => {
  await using switched = await openSwitched(hang);
  const { upstream, called } = switched;
  for (let turn = 0; turn < 40; turn++) {
    const caller = new AbortController();
    const leaving = read(switched, caller.signal);
    while (called() <= turn) await sleep(2);
    caller.abort();
    expect(await leaving).toMatchObject({ state: 'FAILED' });
  }
  upstream.listener = rows;
  expect(await askSwitched(switched)).toBe('OK');
});

test.concurrent('lets a single call try whether the upstream works again', async () => {
  const limits = { attemptTimeoutMs: 2500, shareInFlight: false };
  // None is answered before all are asked.
  await using switched = await openSwitched(after(createBarrier(20), fault), limits);
  const { upstream, called } = switched;
  expect(new Set(await askAtOnce(switched))).toEqual(new Set(['UPSTREAM_ERROR']));
  expect(called()).toBe(20);
  expect(await askAtOnce(switched)).toEqual(refused);
  expect(called()).toBe(20);
  upstream.listener = hang;
  await sleep(resetTimeout + 100);
  const trying = await askAtOnce(switched);
  expect(called()).toBe(21);
  expect(trying.toSorted()).toEqual([...Array(19).fill('CIRCUIT_OPEN'), 'TIMEOUT']);
  expect(await askAtOnce(switched)).toEqual(refused);
  expect(called()).toBe(21);
});

test.concurrent('keeps nobody waiting for the call that tries, who would have shared it', async () => {
  await using switched = await openSwitched(fault, { attemptTimeoutMs: 2500 });
  const { upstream, called } = switched;
  await open(switched);
  upstream.listener = hang;
  await sleep(resetTimeout + 100);
  const asked = performance.now();
  const told: { code: string; ms: number }[] = [];
  const ask = async () => told.push({ code: await askSwitched(switched), ms: performance.now() - asked });
  await Promise.all(Array.from({ length: 20 }, ask));
  expect(told.map(({ code }) => code)).toEqual([...Array(19).fill('CIRCUIT_OPEN'), 'TIMEOUT']);
  expect(told.at(-2)?.ms).toBeLessThan(1500);
  expect(called()).toBe(volume + 1);
});

test.concurrent.each<[string, RequestListener, string[]]>([
  ['is open after two calls that many waited for and nobody answered', hang, refused],
  ['is closed after one such call', rows, Array(20).fill('OK')],
])('%s', async (_name, second, then) => {
  const listeners = [hang, second];
  const next: RequestListener = (...http) => (listeners.shift() ?? rows)(...http);
  await using switched = await openSwitched(next, { attemptTimeoutMs: 700 });
  await askAtOnce(switched);
  expect(switched.called()).toBe(2);
  expect(await askAtOnce(switched)).toEqual(then);
});

test.concurrent('is open after two such calls where each had all the time that there is', async () => {
  await using switched = await openSwitched(hang, { deadlineMs: 600, attemptTimeoutMs: 600 });
  expect(new Set(await askAtOnce(switched))).toEqual(new Set(['TIMEOUT']));
  await askAtOnce(switched);
  expect(await askAtOnce(switched)).toEqual(refused);
});

test.concurrent('heeds little of a call that many waited for and that had little time', async () => {
  const listeners = [hang, after(() => sleep(400), rows)];
  const next: RequestListener = (...http) => (listeners.shift() ?? rows)(...http);
  // The first call takes 700 ms of the 900 that all of them have.
  await using switched = await openSwitched(next, { deadlineMs: 1000, attemptTimeoutMs: 700 });
  expect(new Set(await askAtOnce(switched))).toEqual(new Set(['TIMEOUT']));
  expect(switched.called()).toBe(2);
  expect(await askAtOnce(switched)).toEqual(Array(20).fill('OK'));
});

test.concurrent('lets the next call try when the caller of the one that does leaves', async () => {
  await using switched = await openSwitched(fault);
  const { upstream, called } = switched;
  await open(switched);
  upstream.listener = hang;
  await sleep(resetTimeout + 100);
  const caller = new AbortController();
  const leaving = read(switched, caller.signal);
  while (called() === volume) await sleep(2);
  expect(await askAtOnce(switched)).toEqual(refused);
  caller.abort();
  await leaving;
  // It is still one at a time.
  const { signal } = new AbortController();
  const staying = read(switched, signal);
  while (called() === volume + 1) await sleep(2);
  expect(await askAtOnce(switched)).toEqual(refused);
  expect(await staying).toMatchObject({ error: { code: 'TIMEOUT' } });
  expect(called()).toBe(volume + 2);
});

test.concurrent.each<[string, SourceErrorCode, boolean]>([
  ['stays open when there was no room for the answer to', 'OVERLOADED', false],
  ['closes when a key was refused by', 'UNAUTHORIZED', true],
])('%s the call that tries it', (_name, code, closes) => {
  const { breaker, pass, isOpen } = createTimed();
  for (let turn = 0; turn < volume; turn++) breaker.begin()(failure, 1);
  expect(() => breaker.begin()).toThrow(new SourceError('CIRCUIT_OPEN'));
  pass(resetTimeout);
  breaker.begin()(new SourceError(code), 1);
  expect(isOpen()).toBe(!closes);
});

test('counts within ten seconds only', () => {
  const { breaker, pass, isOpen } = createTimed();
  const half = (turns: number) => {
    for (let turn = 0; turn < turns; turn++) {
      breaker.begin()(null, 1);
      breaker.begin()(failure, 1);
    }
  };
  half(9);
  pass(10_000);
  half(9);
  expect(isOpen()).toBe(false);
  half(1);
  expect(isOpen()).toBe(true);
});

test.each<[SourceErrorCode, number, number]>([
  ['TIMEOUT', 1, 8],
  ['TIMEOUT', 3, 3],
  ['TIMEOUT', 1000, 2],
  ['UNREACHABLE', 1000, 8],
])('opens after failures of type %s that %i requests waited for: %i of them', (code, waiting, calls) => {
  const { breaker, isOpen } = createTimed();
  for (let turn = 1; turn <= calls; turn++) {
    expect(isOpen()).toBe(false);
    breaker.begin()(new SourceError(code), waiting);
  }
  expect(isOpen()).toBe(true);
});

test('does not open for nine of twenty calls', () => {
  const { breaker, isOpen } = createTimed();
  for (let turn = 0; turn < 11; turn++) breaker.begin()(null, 1);
  for (let turn = 0; turn < 9; turn++) breaker.begin()(failure, 1);
  expect(isOpen()).toBe(false);
});

test('heeds of calls that began before the circuit opened nothing more', () => {
  const { breaker, pass, isOpen } = createTimed();
  const earlier = Array.from({ length: volume + 2 }, () => breaker.begin());
  for (const end of earlier.slice(0, volume)) end(failure, 1);
  expect(isOpen()).toBe(true);
  earlier.at(-1)?.(null, 1);
  expect(isOpen()).toBe(true);
  pass(resetTimeout);
  const end = breaker.begin();
  earlier.at(-2)?.(null, 1);
  expect(isOpen()).toBe(true);
  end(null, 1);
  expect(isOpen()).toBe(false);
});

test('heeds of calls that began before the circuit closed nothing more', () => {
  const { breaker, pass, isOpen } = createTimed();
  const earlier = Array.from({ length: 2 * volume }, () => breaker.begin());
  for (const end of earlier.slice(volume)) end(failure, 1);
  pass(resetTimeout);
  breaker.begin()(null, 1);
  pass(resetTimeout);
  for (const end of earlier.slice(0, volume)) end(failure, 1);
  expect(isOpen()).toBe(false);
  // Of as many that began since, it does.
  for (let turn = 0; turn < volume; turn++) breaker.begin()(failure, 1);
  expect(isOpen()).toBe(true);
});

const failure = new SourceError('UPSTREAM_ERROR');

/** A breaker whose time stands still until it is told to pass. */
function createTimed() {
  let now = 5000;
  let isOpen = false;
  const changed = (to: boolean) => {
    isOpen = to;
  };
  const pass = (ms: number) => {
    now += ms;
  };
  return { breaker: createBreaker(changed, () => now), pass, isOpen: () => isOpen };
}

test.concurrent("opens for one key's failures nobody else's circuit", async () => {
  const mixed: RequestListener = (request, response) =>
    (request.headers['x-api-key'] === 'broken' ? fault : rows)(request, response);
  await using switched = await openSwitched(mixed);
  await open(switched, 'broken');
  const others = Array.from({ length: 20 }, (_, index) => askSwitched(switched, `whole${index}`));
  expect(await askAtOnce(switched, 'broken')).toEqual(refused);
  expect(new Set(await Promise.all(others))).toEqual(new Set(['OK']));
});
