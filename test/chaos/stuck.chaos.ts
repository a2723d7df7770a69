import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { hang, startUpstream } from '../support/upstream.ts';
import { has, inParallel, isFailed, openClient, quantile, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows, drip, flood } from './support/upstreams.ts';

const deadlineMs = 3000;

interface Run {
  readonly clients: number;
  readonly requests: number;
  readonly env?: Record<string, string>;
  readonly start?: typeof startGateway;
  readonly patienceMs?: number;
}

async function run(stuck: 'apimall' | 'diligent', fault: RequestListener, options: Run) {
  const { clients, requests, env = {}, start = startGateway, patienceMs } = options;
  await using faulty = await startUpstream(fault);
  await using healthy = await startUpstream(stuck === 'apimall' ? diligentRows(10) : apimallRows(20));
  const urls = { apimall: healthy.url, diligent: healthy.url, [stuck]: faulty.url };
  await using gateway = await start(urls, env);
  await using client = openClient(gateway, clients, patienceMs);
  await client.warmUp();
  const outcomes = await inParallel(clients, requests, () => client.ask());
  expect(outcomes).toHaveLength(requests);
  const times = outcomes.map(({ ms }) => ms);
  const other = stuck === 'apimall' ? 'diligent' : 'apimall';
  return {
    failed: outcomes.filter(isFailed),
    healthy: outcomes.filter(has(other)).length / requests,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    longest: Math.max(...times),
    memory: gateway.peakMemory(),
  };
}

type Reached = Awaited<ReturnType<typeof run>>;

function describe({ failed, healthy, p50, p99, longest, memory }: Reached): string {
  const part = `${(healthy * 100).toFixed(1)} % with the healthy source`;
  return `${failed.length} failed, ${part}, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${longest.toFixed(0)} ms, ${memory.toFixed(0)} MiB ${tally(failed)}`;
}

const promised = '0 failed, healthy source in all, p99 3000 ms, longest 3750 ms, 350 MiB';

function isHeld({ failed, healthy, p99, longest, memory }: Reached): boolean {
  const inTime = p99 <= deadlineMs && longest <= deadlineMs + 750;
  return failed.length === 0 && healthy === 1 && inTime && memory <= 350;
}

test.each([
  ['hangs', hang, 'apimall'],
  ['hangs', hang, 'diligent'],
  ['drips', drip, 'apimall'],
  ['drips', drip, 'diligent'],
  ['floods', flood, 'apimall'],
  ['floods', flood, 'diligent'],
] as const)('answers with the healthy source while an upstream %s', async (what, fault, stuck) => {
  const reached = await run(stuck, fault, { clients: 200, requests: 800 });
  hold(`${stuck} ${what}, 200 clients`, promised, describe(reached), isHeld(reached));
});

test('keeps its memory where 100 calls are flooded at once', async () => {
  const reached = await run('apimall', flood, { clients: 100, requests: 300, env: { SHARE_IN_FLIGHT: 'off' } });
  hold('apimall floods, 100 clients, SHARE_IN_FLIGHT=off', promised, describe(reached), isHeld(reached));
});

test('falls without deadlines', async () => {
  const env = { UPSTREAM_DEADLINE_MS: '60000', UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000', REQUEST_DEADLINE_MS: '60000' };
  const reached = await run('apimall', hang, { clients: 50, requests: 50, env, patienceMs: 6000 });
  fallWithout('deadlines towards upstreams', 'a hang', promised, describe(reached), isHeld(reached));
});

test('falls without any policy', async () => {
  const reached = await run('apimall', drip, { clients: 50, requests: 50, start: startBareGateway, patienceMs: 5000 });
  fallWithout('any policy', 'a drip', promised, describe(reached), isHeld(reached));
});

test('falls without a limit to bodies', async () => {
  const env = {
    SHARE_IN_FLIGHT: 'off',
    UPSTREAM_MAX_BYTES: '268435456',
    UPSTREAM_DEADLINE_MS: '30000',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '30000',
    REQUEST_DEADLINE_MS: '40000',
  };
  const reached = await run('apimall', flood, { clients: 3, requests: 3, env, patienceMs: 60_000 });
  fallWithout('a limit to bodies', 'a flood', promised, describe(reached), isHeld(reached));
});
