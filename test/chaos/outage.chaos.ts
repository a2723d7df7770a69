import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { hang, startUpstream } from '../support/upstream.ts';
import { isFailed, isWhole, type Outcome, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows, reset } from './support/upstreams.ts';

/** Within the time that a breaker looks back, so that the healthy seconds before count as well. */
const outageMs = 8000;
const clients = 32;
/** Milliseconds after which it is known: the deadline of those who were the first to ask. */
const foundMs = 3000;
/** Milliseconds that nobody waits who asks later, but whose call tries whether it works again. */
const waitMs = 500;

interface Timed extends Outcome {
  /** By `performance.now()`. */
  readonly askedAt: number;
}

async function run(fault: RequestListener, sharing: string, start: typeof startGateway = startGateway) {
  let answer: RequestListener = apimallRows(20);
  await using apimall = await startUpstream((request, response) => answer(request, response));
  await using diligent = await startUpstream(diligentRows(10));
  const urls = { apimall: apimall.url, diligent: diligent.url };
  await using gateway = await start(urls, { SHARE_IN_FLIGHT: sharing });
  await using client = openClient(gateway, clients);
  const outcomes: Timed[] = [];
  let running = true;
  async function goOn(): Promise<void> {
    while (running) {
      const askedAt = performance.now();
      outcomes.push({ ...(await client.ask()), askedAt });
      await sleep(40);
    }
  }
  const all = Array.from({ length: clients }, goOn);
  await sleep(2000);
  const before = { calls: apimall.calls.length, requests: outcomes.length };
  answer = fault;
  await sleep(foundMs);
  const found = { calls: apimall.calls.length, at: performance.now() };
  await sleep(outageMs - foundMs);
  const tried = apimall.calls.length - found.calls;
  const during = { calls: apimall.calls.length - before.calls, requests: outcomes.length - before.requests };
  answer = apimallRows(20);
  const healedAt = performance.now();
  await sleep(5000);
  running = false;
  await Promise.all(all);
  const inPart = outcomes.filter((outcome) => outcome.askedAt > healedAt && !isWhole(outcome));
  const late = outcomes.filter((outcome) => !isWhole(outcome)).map(({ askedAt, ms }) => askedAt + ms - healedAt);
  const later = outcomes.filter(({ askedAt }) => askedAt > found.at && askedAt < healedAt);
  return {
    failed: outcomes.filter(isFailed),
    waited: later.filter(({ ms }) => ms > waitMs).length,
    tried,
    requests: during.requests,
    calls: during.calls / during.requests,
    recoveryMs: Math.max(0, ...late),
    inPart: inPart.length,
  };
}

test.each([
  ['resets', 'on', reset, 1500],
  ['resets', 'off', reset, 1500],
  ['hangs', 'on', hang, 3500],
  ['hangs', 'off', hang, 3500],
] as const)(
  'leaves an upstream alone that %s, and comes back (SHARE_IN_FLIGHT=%s)',
  async (what, sharing, fault, mostMs) => {
    const { failed, requests, calls, recoveryMs, waited, tried } = await run(fault, sharing);
    hold(
      `outage of 8 s, ${what}, SHARE_IN_FLIGHT=${sharing}`,
      `0 failed, at most 0.2 calls per request, once it is known nobody waits ${waitMs} ms but for the own call, whole again within ${mostMs} ms`,
      `${failed.length} failed, ${calls.toFixed(3)} calls (${requests} requests), ${waited} waited and ${tried} called, ${recoveryMs.toFixed(0)} ms ${tally(failed)}`,
      failed.length === 0 && calls <= 0.2 && waited <= tried && recoveryMs <= mostMs,
    );
  },
);

test('calls it for every request without a breaker', async () => {
  const { calls } = await run(reset, 'off', startBareGateway);
  fallWithout('a breaker', 'outage', 'at most 0.2 calls per request', `${calls.toFixed(2)} calls`, calls <= 0.2);
});
