import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { diligentRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { askSwitched, openSwitched, type SwitchedGraph } from './support/switched.ts';
import { after, createBarrier, hang, json } from './support/upstream.ts';

const rows = json([diligentRow()]);
const reset: RequestListener = (request) => request.socket.resetAndDestroy();

/** Milliseconds after which an open circuit lets a call try it. */
const resetTimeout = 1000;
/** Failed calls that open a circuit, and calls of which half failed. */
const volume = 8;
const mixed = 20;

/** Asks this many times, one request each so many milliseconds, whatever becomes of those before. */
function askOften(
  switched: SwitchedGraph,
  times: number,
  everyMs: number,
  key?: (turn: number) => string,
): Promise<string[]> {
  const asked = Array.from({ length: times }, async (_, turn) => {
    await sleep(turn * everyMs);
    return askSwitched(switched, key?.(turn));
  });
  return Promise.all(asked);
}

test.concurrent.each<[string, RequestListener, number, number]>([
  ['resets', reset, 2000, 0],
  ['hangs', hang, 1000, 1000],
])('is whole soon after an outage of %s', async (_name, outage, attemptTimeoutMs, lastFailureMs) => {
  await using switched = await openSwitched(outage, { attemptTimeoutMs, shareInFlight: false });
  const { upstream, called } = switched;
  await askOften(switched, volume, 0);
  const opened = called();
  // The worst moment, unless the machine is so busy that it is missed: a call has just begun to try the circuit, and will fail.
  const asked: Promise<string>[] = [];
  for (; called() === opened; await sleep(20)) asked.push(askSwitched(switched));
  upstream.listener = rows;
  const healed = performance.now();
  while ((await askSwitched(switched)) !== 'OK') await sleep(20);
  expect(performance.now() - healed).toBeLessThan(resetTimeout + lastFailureMs + 500 + slackMs);
  await Promise.all(asked);
  for (let turn = 0; turn < 20; turn++) expect(await askSwitched(switched)).toBe('OK');
});

test.concurrent.each<[string, RequestListener]>([
  ['cut off', reset],
  ['not answered', hang],
])('asks an upstream whose every call is %s at most once for five requests', async (_name, outage) => {
  const requests = 200;
  const options = { attemptTimeoutMs: 800 };
  await using switched = await openSwitched(outage, options);
  const { called } = switched;
  // With a key each, no request knows of the others.
  await using without = await openSwitched(outage, options);
  const [answers] = await Promise.all([
    askOften(switched, requests, 15),
    askOften(without, requests, 15, (turn) => `key${turn}`),
  ]);
  expect(answers).not.toContain('OK');
  expect(called()).toBeLessThanOrEqual(requests * 0.2);
  expect(without.called()).toBeGreaterThan(requests * 0.5);
});

test.concurrent('opens as well for the second outage as for the first, however many asked during that', async () => {
  await using switched = await openSwitched(json({}, 501));
  const { upstream, called } = switched;
  for (let turn = 0; turn < 200; turn++) await askSwitched(switched);
  // A few calls more may have tried whether it was over.
  expect(called()).toBeLessThan(2 * volume);
  upstream.listener = rows;
  await sleep(resetTimeout + 100);
  expect(await askSwitched(switched)).toBe('OK');
  const before = called();
  upstream.listener = json({}, 501);
  for (let turn = 0; turn < 40; turn++) await askSwitched(switched);
  expect(called() - before).toBeLessThanOrEqual(mixed);
});

test.concurrent('forgives a failure after an outage as it does without one', async () => {
  await using switched = await openSwitched(json({}, 501));
  const { upstream } = switched;
  while ((await askSwitched(switched)) !== 'CIRCUIT_OPEN');
  upstream.listener = rows;
  await sleep(resetTimeout + 100);
  expect(await askSwitched(switched)).toBe('OK');
  upstream.listener = json({}, 501);
  expect(await askSwitched(switched)).toBe('UPSTREAM_ERROR');
  upstream.listener = rows;
  expect(await askSwitched(switched)).toBe('OK');
});

// Not beside the others: they ask more often than those have time for.

test.each<[string, number, boolean]>([
  ['opens when every other call fails', 2, true],
  ['does not open when one call in three fails', 3, false],
])('%s', async (_name, every, opens) => {
  let calls = 0;
  const listener: RequestListener = (...http) => (++calls % every === 0 ? json({}, 501) : rows)(...http);
  await using switched = await openSwitched(listener);
  const answers: string[] = [];
  for (let turn = 0; turn < 2 * mixed; turn++) answers.push(await askSwitched(switched));
  expect(answers.includes('CIRCUIT_OPEN')).toBe(opens);
});

/** Healthy answers, of which as many failures would take seconds to be half. */
const healthy = 100;

test.each<[string, RequestListener, number]>([
  ['cut off', reset, 50],
  ['not answered', hang, 0],
])('opens soon after much that was healthy when all calls are %s', async (_name, outage, everyMs) => {
  await using switched = await openSwitched(rows, { attemptTimeoutMs: 700, shareInFlight: false });
  const { upstream, called } = switched;
  for (let turn = 0; turn < healthy; turn++) expect(await askSwitched(switched)).toBe('OK');
  upstream.listener = outage;
  while (!(await askOften(switched, 16, everyMs)).includes('CIRCUIT_OPEN'));
  expect(called() - healthy).toBeLessThan(healthy / 2);
});

test('does not open when what is under way is cut off at once and the next answer is whole', async () => {
  await using switched = await openSwitched(rows, { shareInFlight: false });
  const { upstream, called } = switched;
  for (let turn = 0; turn < healthy; turn++) await askSwitched(switched);
  upstream.listener = after(createBarrier(volume), reset);
  const blip = askOften(switched, volume, 0);
  while (called() < healthy + volume) await sleep(2);
  upstream.listener = rows;
  expect(await blip).not.toContain('CIRCUIT_OPEN');
  expect(new Set(await askOften(switched, 20, 0))).toEqual(new Set(['OK']));
});
