import type { IncomingMessage, RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { has, inParallel, isFailed, isWhole, openClient, quantile, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, createRandom, diligentRows, sometimes } from './support/upstreams.ts';

const passthrough = { CREDENTIALS: 'passthrough' };

/** The keys of tenant `name` for both sources. */
function keysOf(name: string): Record<string, string> {
  return { 'x-apimall-api-key': `canary-${name}`, 'x-diligent-api-key': `canary-${name}` };
}

function tenantOf({ headers }: IncomingMessage): string {
  return /canary-([\w-]+)/.exec(`${headers.authorization} ${headers['x-api-key']}`)?.[1] ?? 'nobody';
}

/** Answers with rows that are the tenant's own, of which the host of each URL tells whose they are. */
function ownRows(list: (count: number, owner: string) => RequestListener, count: number): RequestListener {
  return async (request, response) => {
    await sleep(Math.random() * 10);
    list(count, tenantOf(request))(request, response);
  };
}

async function interleave(requests: number, env: Record<string, string>, start: typeof startGateway = startGateway) {
  const random = createRandom(3);
  await using apimall = await startUpstream(sometimes(0.1, random, ownRows(apimallRows, 20)));
  await using diligent = await startUpstream(sometimes(0.1, random, ownRows(diligentRows, 10)));
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, { ...passthrough, ...env });
  await using client = openClient(gateway, 64);
  const outcomes = await inParallel(64, requests, async () => {
    const tenant = `tenant-${Math.floor(random() * 200)}`;
    const outcome = await client.ask(undefined, keysOf(tenant));
    const rows = outcome.list?.nodes ?? [];
    const foreign = rows.filter(({ url }) => new URL(url).hostname !== `${tenant}.example`).length;
    return { ...outcome, rows: rows.length, foreign };
  });
  return {
    failed: outcomes.filter(isFailed),
    rows: outcomes.reduce((sum, { rows }) => sum + rows, 0),
    foreign: outcomes.reduce((sum, { foreign }) => sum + foreign, 0),
  };
}

test.each(['on', 'off'])('shows 200 tenants their own rows only (SHARE_IN_FLIGHT=%s)', async (sharing) => {
  const { failed, rows, foreign } = await interleave(4000, { SHARE_IN_FLIGHT: sharing });
  hold(
    `200 tenants interleaved, 10 % faults, SHARE_IN_FLIGHT=${sharing}`,
    '0 foreign rows of 100000, 0 failed',
    `${foreign} of ${rows}, ${failed.length} failed ${tally(failed)}`,
    foreign === 0 && rows >= 100_000 && failed.length === 0,
  );
});

test('mixes tenants up where calls are shared whatever their key', async () => {
  const { foreign, rows } = await interleave(500, { SHARE_IN_FLIGHT: 'on' }, startBareGateway);
  fallWithout('the key in what is shared', 'tenants', '0 foreign rows', `${foreign} of ${rows}`, foreign === 0);
});

/** Answers at once, but the noisy tenant after half a second. */
function slowForNoisy(list: RequestListener): RequestListener {
  return async (request, response) => {
    if (tenantOf(request) === 'noisy') await sleep(500);
    list(request, response);
  };
}

/** Lets one tenant ask 400 times at once, every two seconds, while others ask now and then. */
async function disturb(sharing: string, others: (number: number) => string) {
  await using apimall = await startUpstream(slowForNoisy(apimallRows(20)));
  await using diligent = await startUpstream(slowForNoisy(diligentRows(10)));
  const urls = { apimall: apimall.url, diligent: diligent.url };
  await using gateway = await startGateway(urls, { ...passthrough, SHARE_IN_FLIGHT: sharing });
  await using noisy = openClient(gateway, 400);
  await using client = openClient(gateway, 8);
  await noisy.warmUp();
  await client.warmUp();
  const bursts = inParallel(1, 4, async () => {
    await Promise.all(Array.from({ length: 400 }, () => noisy.ask('{ webhooks { totalCount } }', keysOf('noisy'))));
    await sleep(1000);
  });
  const outcomes = await inParallel(8, 1200, async (number) => {
    await sleep(20);
    return await client.ask(undefined, keysOf(others(number)));
  });
  await bursts;
  const inPart = outcomes.filter((outcome) => !isWhole(outcome));
  return {
    inPart,
    sources: ['apimall', 'diligent'].map((key) => outcomes.filter((outcome) => !has(key)(outcome)).length),
    p95: quantile(
      outcomes.map(({ ms }) => ms),
      0.95,
    ),
  };
}

test.each(['on', 'off'])('lets no tenant disturb another (SHARE_IN_FLIGHT=%s)', async (sharing) => {
  const { inPart, p95 } = await disturb(sharing, (number) => `quiet-${number % 20}`);
  hold(
    `400 requests at once by one tenant, SHARE_IN_FLIGHT=${sharing}`,
    'others all whole, p95 at most 100 ms',
    `${inPart.length} of 1200 not whole, p95 ${p95.toFixed(0)} ms ${tally(inPart)}`,
    inPart.length === 0 && p95 <= 100,
  );
});

test('disturbs whoever has the same key', async () => {
  const { inPart, p95 } = await disturb('off', () => 'noisy');
  fallWithout(
    'a share for each key',
    'noisy neighbour',
    'others all whole, p95 at most 100 ms',
    `${inPart.length} of 1200 not whole, p95 ${p95.toFixed(0)} ms`,
    inPart.length === 0 && p95 <= 100,
  );
});
