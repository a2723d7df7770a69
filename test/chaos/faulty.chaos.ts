import { expect, test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { inParallel, isFailed, isWhole, listQuery, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, createRandom, diligentRows, sometimes } from './support/upstreams.ts';

const clients = 32;

async function run(share: number, requests: number, env: Record<string, string>, start = startGateway) {
  const random = createRandom(1);
  await using apimall = await startUpstream(sometimes(share, random, apimallRows(20)));
  await using diligent = await startUpstream(sometimes(share, random, diligentRows(10)));
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, env);
  await using client = openClient(gateway, clients);
  const outcomes = await inParallel(clients, requests, () => client.ask(listQuery));
  expect(outcomes).toHaveLength(requests);
  return {
    failed: outcomes.filter(isFailed),
    whole: outcomes.filter(isWhole).length / requests,
    calls: (apimall.calls.length + diligent.calls.length) / requests,
  };
}

test.each([
  [0.1, 'on', 0.95],
  [0.1, 'off', 0.95],
  [0.3, 'on', 0],
  [0.3, 'off', 0],
])(
  'answers every request while %d of upstream calls are faulty (SHARE_IN_FLIGHT=%s)',
  async (share, sharing, least) => {
    const { failed, whole, calls } = await run(share, 3000, { SHARE_IN_FLIGHT: sharing });
    const atLeast = least > 0 ? `, at least ${least * 100} % whole` : '';
    hold(
      `${share * 100} % of upstream calls faulty, ${clients} clients, SHARE_IN_FLIGHT=${sharing}`,
      `0 failed of 3000${atLeast}, at most 2.4 calls per request`,
      `${failed.length} failed, ${(whole * 100).toFixed(1)} % whole, ${calls.toFixed(2)} calls ${tally(failed)}`,
      failed.length === 0 && whole >= least && calls <= 2.4,
    );
  },
);

test('leaves more answers in part where nothing is tried again', async () => {
  const { whole } = await run(0.1, 1000, {}, startBareGateway);
  fallWithout('retries', '10 % faulty', 'at least 95 % whole', `${(whole * 100).toFixed(1)} % whole`, whole >= 0.95);
});
