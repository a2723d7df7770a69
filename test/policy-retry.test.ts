import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { expect, test } from 'vitest';
import { SourceError, type SourceErrorCode, type SourceFaultDetails } from '../src/source-error.ts';
import { createRetryBudget, pauseBefore, type RetryBudget } from '../src/upstream/retry.ts';
import { openGraphAt, reportQuery, startRacing } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { json } from './support/upstream.ts';

const row = json([diligentRow()]);
const reset: RequestListener = (request) => request.socket.resetAndDestroy();

/** Answers with one listener after the other, the last for good. */
function inTurn(...listeners: readonly RequestListener[]): RequestListener {
  let turn = 0;
  return (...http) => listeners[Math.min(turn++, listeners.length - 1)]?.(...http);
}

const passing: readonly (readonly [string, RequestListener, number])[] = [
  ['a reset', reset, 1],
  ['two resets', reset, 2],
  ['a status 500', json({}, 500), 1],
  ...[502, 503, 504].flatMap((status): (readonly [string, RequestListener, number])[] => [
    [`a status ${status}`, json({}, status), 1],
    [`two of status ${status}`, json({}, status), 2],
  ]),
];

test.concurrent.each(passing)('shows nothing of %s before an answer', async (_name, fault, times) => {
  const faults = Array.from({ length: times }, () => fault);
  await using graph = await openGraph({ diligent: inTurn(...faults, row) });
  expect((await graph.query(reportQuery)).webhooks).toMatchObject({ totalCount: 1, complete: true });
  expect(graph.calls('diligent')).toHaveLength(times + 1);
});

const lasting: readonly (readonly [string, RequestListener, number])[] = [
  ['a third reset', reset, 3],
  ['a third status 503', json({}, 503), 3],
  ['a second status 500', json({}, 500), 2],
  ['a status 501', json({}, 501), 1],
  ['a status 401', json({}, 401), 1],
  ['a status 429 that names no time', json({}, 429), 1],
  ['a body that is no JSON', json([], 200, { 'content-type': 'text/html' }), 1],
  ['an answer that does not come', () => {}, 1],
];

test.concurrent.each(lasting)(
  'asks no more after %s, though the next answer would be whole',
  async (_name, fault, times) => {
    const faults = Array.from({ length: times }, () => fault);
    await using graph = await openGraph({ diligent: inTurn(...faults, row) }, { attemptTimeoutMs: 200 });
    expect((await graph.query(reportQuery)).webhooks.complete).toBe(false);
    expect(graph.calls('diligent')).toHaveLength(times);
  },
);

test.concurrent.each([
  ['three tries', 400, 6000, 3],
  ['as many tries as fit into the deadline', 1200, 2100, 2],
])('makes %s', async (_name, faultMs, deadlineMs, tries) => {
  const slowFault: RequestListener = async (...http) => {
    await sleep(faultMs);
    json({}, 503)(...http);
  };
  await using graph = await openGraph({ diligent: slowFault }, { deadlineMs });
  const started = performance.now();
  expect((await graph.query(reportQuery)).webhooks.sources).toMatchObject([{ state: 'FAILED' }]);
  expect(performance.now() - started).toBeLessThan(deadlineMs + slackMs);
  expect(graph.calls('diligent')).toHaveLength(tries);
  expect(await graph.calls('diligent').at(-1)?.ended).toBe(tries === 3 ? 'answered' : 'left');
});

test.concurrent.each([429, 503])(
  'asks again when status %i says that it may, if that is within the deadline',
  async (status) => {
    const wait = json({}, status, { 'retry-after': '1' });
    await using graph = await openGraph({ diligent: inTurn(wait, row) });
    const started = performance.now();
    expect((await graph.query(reportQuery)).webhooks).toMatchObject({ totalCount: 1, complete: true });
    // The clock of timers is a few milliseconds apart from this one.
    expect(performance.now() - started).toBeGreaterThan(950);
    expect(graph.calls('diligent')).toHaveLength(2);
  },
);

test.concurrent.each([429, 503])(
  'waits for nothing when status %i names a time beyond the deadline',
  async (status) => {
    const wait = json({}, status, { 'retry-after': '2' });
    await using graph = await openGraph({ diligent: inTurn(wait, row) }, { deadlineMs: 1900 });
    const started = performance.now();
    const { error } = (await graph.query(reportQuery)).webhooks.sources[0];
    expect(error).toMatchObject({ httpStatus: status, retryAfterMs: 2000 });
    expect(performance.now() - started).toBeLessThan(1900);
    expect(graph.calls('diligent')).toHaveLength(1);
  },
);

/** Sends status 429 to this many operations one after the other: asked again each time, and no circuit opens for it. */
async function countCalls(operations: number): Promise<number> {
  await using graph = await openGraph({ diligent: json({}, 429, { 'retry-after': '0' }) });
  for (let turn = 0; turn < operations; turn++) {
    expect((await graph.query(reportQuery)).webhooks.sources).toMatchObject([{ error: { code: 'RATE_LIMITED' } }]);
  }
  return graph.calls('diligent').length;
}

test.concurrent('tries again a few times, then for less than one request in five', async () => {
  expect(await countCalls(5)).toBe(5 * 3);
  const many = await countCalls(100);
  expect(many).toBeLessThanOrEqual(100 * 1.2 + 10);
  expect(many).toBeGreaterThanOrEqual(100 * 1.2);
});

/** Spends what a budget has left, and tells how much it was. */
function drain(budget: RetryBudget): number {
  let spent = 0;
  while (spent < 1000 && budget.spend()) spent += 1;
  return spent;
}

function earn(budget: RetryBudget, calls: number): void {
  for (let call = 0; call < calls; call++) budget.earn();
}

test('has its reserve of retries at the start, gains one with seven calls, and saves no more than the reserve', () => {
  const budget = createRetryBudget(10);
  expect(drain(budget)).toBe(10);
  earn(budget, 6);
  expect(drain(budget)).toBe(0);
  earn(budget, 1);
  expect(drain(budget)).toBe(1);
  earn(budget, 1000);
  expect(drain(budget)).toBe(10);
});

test('makes a fifth of first tries again at most, the reserve of a whole upstream included', () => {
  const budget = createRetryBudget(50);
  let retries = 0;
  for (let request = 0; request < 3000; request++) {
    budget.earn();
    // Each fails, as does each other try.
    for (; budget.spend(); retries++) budget.earn();
  }
  expect(retries).toBeLessThanOrEqual(3000 / 5);
  expect(retries).toBeGreaterThan(3000 / 6);
});

test('takes a retry only where it is left in the whole too, and none from there where it is not left in the part', () => {
  const whole = createRetryBudget(15);
  const parts = Array.from({ length: 3 }, () => createRetryBudget(10, whole));
  expect(parts.map(drain)).toEqual([10, 5, 0]);
  for (const part of parts) earn(part, 7);
  // The first has one, the whole has three.
  expect(parts.map(drain)).toEqual([1, 2, 0]);
});

function pause(next: number, code: SourceErrorCode, details: SourceFaultDetails, random = 0.5, remainingMs = 3000) {
  return pauseBefore(next, new SourceError(code, details), remainingMs, () => random);
}

test('pauses for a random part of a time that doubles', () => {
  const pauses = [2, 3].map((next) => [0, 0.5, 1].map((random) => pause(next, 'UNREACHABLE', {}, random)));
  expect(pauses).toEqual([
    [0, 50, 100],
    [0, 100, 200],
  ]);
});

test('pauses for as long as is asked, and never into the end of the time that is left', () => {
  const unavailable = { httpStatus: 503 };
  expect(pause(2, 'UPSTREAM_ERROR', { ...unavailable, retryAfterMs: 700 })).toBe(701);
  expect(pause(2, 'RATE_LIMITED', { retryAfterMs: 700 })).toBe(701);
  expect(pause(2, 'RATE_LIMITED', {})).toBeNull();
  expect(pause(2, 'RATE_LIMITED', { retryAfterMs: 700 }, 0.5, 701)).toBeNull();
  expect(pause(2, 'UPSTREAM_ERROR', unavailable, 1, 100)).toBeNull();
  expect(pause(2, 'UPSTREAM_ERROR', unavailable, 1, 101)).toBe(100);
  expect(pause(2, 'UPSTREAM_ERROR', unavailable, 0, 0)).toBeNull();
});

test.concurrent('shows nothing of idle connections that are closed just when the next request comes', async () => {
  const turns = 300;
  await using server = await startRacing(10);
  await using graph = await openGraphAt({ diligent: server.url });
  let whole = 0;
  for (let turn = 0; turn < turns; turn++) whole += Number((await graph.query(reportQuery)).webhooks.complete);
  expect(whole).toBe(turns);
  expect(server.sockets.length).toBeGreaterThan(20);

  await using bare = await startRacing(10);
  const pool = new Pool(bare.url);
  let failed = 0;
  for (let turn = 0; turn < turns; turn++) {
    await pool.request({ method: 'GET', path: '/' }).then(
      ({ body }) => body.text(),
      () => {
        failed += 1;
      },
    );
  }
  await pool.close();
  expect(failed).toBe(turns / 10);
});
