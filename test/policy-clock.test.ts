import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { reportQuery } from './support/faults.ts';
import { type Graph, type GraphOptions, openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { after, hang, json } from './support/upstream.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const rows = json([diligentRow()]);
const hour = 3_600_000;

/** Answers the first so many calls in one way, and then with rows. */
function first(times: number, listener: RequestListener): RequestListener {
  let calls = 0;
  return (...http) => (++calls <= times ? listener : rows)(...http);
}

function openDiligent(listener: RequestListener, options: GraphOptions = {}): Promise<Graph> {
  return openGraph({ diligent: listener }, { deadlineMs: 4000, attemptTimeoutMs: 4000, ...options });
}

/** What a source is told to be, so many times in turn, and how many calls that took in all. */
async function ask(graph: Graph, times = 1): Promise<readonly [string, number]> {
  let told = '';
  for (let turn = 0; turn < times; turn++) {
    const [{ state, error }] = (await graph.query(reportQuery)).webhooks.sources;
    told = error?.code ?? state;
  }
  return [told, graph.calls('diligent').length];
}

/** Lives through a jump of a clock with requests under way and with a policy that counts time. */
async function jump(clock: { now(): number }, byMs: number) {
  const now = clock.now.bind(clock);
  let offset = 0;
  vi.spyOn(clock, 'now').mockImplementation(() => now() + offset);
  await using failing = await openDiligent(
    first(
      1,
      after(() => sleep(300), json({}, 503)),
    ),
  );
  await using waiting = await openDiligent(first(1, json({}, 429, { 'retry-after': '1' })));
  await using slow = await openDiligent(after(() => sleep(300), rows));
  await using hanging = await openDiligent(hang, { attemptTimeoutMs: 500 });
  await using cooling = await openDiligent(first(1, json({}, 429, { 'retry-after': '2' })), { deadlineMs: 900 });
  await using open = await openDiligent(first(8, json({}, 501)));
  await ask(slow);
  await Promise.all([ask(cooling), ask(open, 8)]);
  const underWay = Promise.all([ask(failing), ask(waiting), ask(slow), ask(hanging)]);
  await sleep(100);
  offset = byMs;
  const soon = await Promise.all([ask(cooling), ask(open)]);
  await sleep(2100);
  const later = await Promise.all([ask(cooling), ask(open)]);
  vi.restoreAllMocks();
  return { underWay: await underWay, soon, later };
}

const nothingLost: Awaited<ReturnType<typeof jump>> = {
  underWay: [
    ['OK', 2],
    ['OK', 2],
    ['OK', 2],
    ['TIMEOUT', 1],
  ],
  soon: [
    ['RATE_LIMITED', 1],
    ['CIRCUIT_OPEN', 8],
  ],
  later: [
    ['OK', 2],
    ['OK', 9],
  ],
};

test.each([
  ['forward by an hour', hour],
  ['back by two hours', -2 * hour],
])('loses nothing when the wall clock jumps %s', async (_name, byMs) => {
  expect(await jump(Date, byMs)).toEqual(nothingLost);
});

test.each([
  ['forward by an hour', hour],
  ['back by two hours', -2 * hour],
])('would lose something if the clock that it goes by jumped %s', async (_name, byMs) => {
  expect(await jump(performance, byMs)).not.toEqual(nothingLost);
});
