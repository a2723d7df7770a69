import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collect } from './support/collect.ts';
import { reportQuery, wholeLists } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';
import { askSwitched, openSwitched } from './support/switched.ts';
import { after, hang, json } from './support/upstream.ts';

const hour = 3_600_000;

beforeEach(() => {
  // What a clock that is set changes: timers go by another.
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test.each([
  ['forward by an hour', hour],
  ['back by two', -2 * hour],
])('fails nothing when the clock is set %s amid requests', async (_name, ms) => {
  const slow = after(() => sleep(300), wholeLists);
  await using graph = await openGraph({ apimall: slow, diligent: slow }, { shareInFlight: false });
  await using server = await listen(graph.gateway);
  const ask = async () => {
    const response = await fetch(`${server.url}/graphql?query=${encodeURIComponent(reportQuery)}`);
    return (await response.json()).data?.webhooks.complete;
  };
  for (let turn = 0; turn < 3; turn++) {
    const answers = Array.from({ length: 8 }, ask);
    await sleep(100);
    vi.setSystemTime(Date.now() + ms);
    expect(await Promise.all(answers)).toEqual(Array(8).fill(true));
  }
});

test.each([
  ['forward by an hour', hour],
  ['back by two', -2 * hour],
])('gives up an upstream at its time, no sooner and no later, when the clock is set %s', async (_name, ms) => {
  await using graph = await openGraph({ apimall: hang }, { attemptTimeoutMs: 600, deadlineMs: 20_000 });
  const started = performance.now();
  const answer = graph.query(reportQuery);
  await sleep(100);
  vi.setSystemTime(Date.now() + ms);
  expect((await answer).webhooks.sources).toMatchObject([{ error: { code: 'TIMEOUT' } }]);
  expect(performance.now() - started).toBeGreaterThan(550);
  expect(performance.now() - started).toBeLessThan(600 + slackMs);
});

test.each([
  ['forward by an hour', hour],
  ['back by two', -2 * hour],
])('tries an open circuit after a second, no sooner and no later, when the clock is set %s', async (_name, ms) => {
  await using switched = await openSwitched(json({}, 501));
  while ((await askSwitched(switched)) !== 'CIRCUIT_OPEN');
  switched.upstream.listener = wholeLists;
  vi.setSystemTime(Date.now() + ms);
  expect(await askSwitched(switched)).toBe('CIRCUIT_OPEN');
  await sleep(1100);
  expect(await askSwitched(switched)).toBe('OK');
});

test('leaves a limited key alone for as long as it was told, whatever the clock is set to', async () => {
  await using switched = await openSwitched(json({}, 429, { 'retry-after': '20' }));
  expect(await askSwitched(switched)).toBe('RATE_LIMITED');
  switched.upstream.listener = wholeLists;
  for (const ms of [hour, -2 * hour]) {
    vi.setSystemTime(Date.now() + ms);
    expect(await askSwitched(switched)).toBe('RATE_LIMITED');
  }
  // The clock that counts is the other one.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockReturnValue(now + 20_000);
  expect(await askSwitched(switched)).toBe('OK');
});

test('gives up upstreams at their time though garbage is collected while they hang', async () => {
  await using graph = await openGraph(
    { apimall: hang },
    { attemptTimeoutMs: 400, deadlineMs: 20_000, shareInFlight: false },
  );
  const answers = Array.from({ length: 50 }, () => graph.query(reportQuery));
  for (let turn = 0; turn < 5; turn++) {
    await sleep(50);
    collect();
  }
  const started = performance.now();
  for (const { webhooks } of await Promise.all(answers)) {
    expect(webhooks.sources).toMatchObject([{ error: { code: 'TIMEOUT' } }]);
  }
  expect(performance.now() - started).toBeLessThan(400 + slackMs);
});
