import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { SourceError } from '../src/source-error.ts';
import { createCoolDown } from '../src/upstream/cool-down.ts';
import { faultOf, reportQuery } from './support/faults.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const rows = json([diligentRow()]);

async function ask(graph: Graph, key: string) {
  const { data } = await graph.answer(reportQuery, {}, { 'x-diligent-api-key': key });
  return data.webhooks.sources[0];
}

/** Limits the rate of one key alone. */
function limiting(headers: Record<string, string>): RequestListener {
  const limited = json({}, 429, headers);
  return (request, response) => (request.headers['x-api-key'] === 'busy' ? limited : rows)(request, response);
}

test('makes no call with a key that is to wait, and tells for how long', async () => {
  await using graph = await openGraph({ diligent: limiting({ 'retry-after': '20' }) }, { passthrough: true });
  expect((await ask(graph, 'busy')).error).toEqual(faultOf('RATE_LIMITED', { httpStatus: 429, retryAfterMs: 20_000 }));
  const { error } = await ask(graph, 'busy');
  expect(error).toEqual(faultOf('RATE_LIMITED', { retryAfterMs: expect.any(Number) }));
  expect(error.retryAfterMs).toBeGreaterThan(5000);
  expect(error.retryAfterMs).toBeLessThanOrEqual(20_000);
  expect(graph.calls('diligent')).toHaveLength(1);
});

test('lets the keys of others ask while one is to wait', async () => {
  await using graph = await openGraph({ diligent: limiting({ 'retry-after': '20' }) }, { passthrough: true });
  await ask(graph, 'busy');
  for (let turn = 0; turn < 20; turn++) {
    expect((await ask(graph, 'other')).state).toBe('OK');
    expect((await ask(graph, 'busy')).error.code).toBe('RATE_LIMITED');
  }
  expect(graph.calls('diligent')).toHaveLength(21);
});

test('asks again with a key when its wait is over', async () => {
  let listener = json({}, 429, { 'retry-after': '1' });
  await using graph = await openGraph({ diligent: (...http) => listener(...http) }, { deadlineMs: 900 });
  expect((await graph.query(reportQuery)).webhooks.complete).toBe(false);
  listener = rows;
  expect((await graph.query(reportQuery)).webhooks.complete).toBe(false);
  expect(graph.calls('diligent')).toHaveLength(1);
  await sleep(1100);
  expect((await graph.query(reportQuery)).webhooks.complete).toBe(true);
  expect(graph.calls('diligent')).toHaveLength(2);
});

/** A cool-down by a clock that stands still until it is set forward. */
function createStill() {
  const clock = { now: 1_000_000 };
  const coolDown = createCoolDown(() => clock.now);
  const left = () => {
    try {
      coolDown.check();
      return 0;
    } catch (error) {
      return error instanceof SourceError ? error.fault.retryAfterMs : error;
    }
  };
  return { clock, coolDown, left };
}

const limited = (retryAfterMs?: number) => new SourceError('RATE_LIMITED', { httpStatus: 429, retryAfterMs });

test('waits longer each time that the upstream does not say how long, thirty seconds at most', () => {
  const { clock, coolDown, left } = createStill();
  const waits: unknown[] = [];
  for (let time = 0; time < 20; time++) {
    coolDown.start(limited());
    waits.push(left());
    clock.now += 60_000;
    expect(left()).toBe(0);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, ...Array(15).fill(30_000)]);
});

test('starts short again after an answer', () => {
  const { clock, coolDown, left } = createStill();
  for (let time = 0; time < 5; time++) {
    coolDown.start(limited());
    clock.now += 60_000;
  }
  coolDown.end();
  coolDown.start(limited());
  expect(left()).toBe(1000);
});

test('waits as long as the upstream says, thirty seconds at most, to the millisecond', () => {
  const { clock, coolDown, left } = createStill();
  coolDown.start(limited(7000));
  clock.now += 6999.5;
  expect(left()).toBe(1);
  clock.now += 0.5;
  expect(left()).toBe(0);
  coolDown.start(limited(3_600_000));
  expect(left()).toBe(30_000);
});

test('takes answers to calls that were under way at the same time for one', () => {
  const { clock, coolDown, left } = createStill();
  for (let call = 0; call < 20; call++) {
    coolDown.start(limited());
    clock.now += 10;
  }
  expect(left()).toBeLessThanOrEqual(1000);
  clock.now += 1000;
  coolDown.start(limited());
  expect(left()).toBe(2000);
});
