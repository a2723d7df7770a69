import { test } from 'vitest';
import { startRacing } from '../support/faults.ts';
import { startUpstream } from '../support/upstream.ts';
import { inParallel, isFailed, isWhole, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows } from './support/upstreams.ts';

const clients = 8;
/** Rare enough that three tries of one call meet it once in hundreds of runs. */
const every = 200;

/** Asks while one upstream closes connections just when their next request comes. */
async function run(requests: number, start: typeof startGateway = startGateway) {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startRacing(every);
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, { SHARE_IN_FLIGHT: 'off' });
  await using client = openClient(gateway, clients);
  const outcomes = await inParallel(clients, requests, () => client.ask());
  return {
    visible: outcomes.filter((outcome) => isFailed(outcome) || !isWhole(outcome)),
    closed: diligent.sockets.filter(({ closed }) => closed).length,
  };
}

test('shows nothing of connections that are closed just when the next request comes', async () => {
  const { visible, closed } = await run(10_000);
  hold(
    `keep-alive race, every ${every}th call`,
    '0 visible failures in 10000',
    `${visible.length} in 10000, ${closed} connections closed ${tally(visible)}`,
    visible.length === 0 && closed >= 10_000 / every / 2,
  );
});

test('shows them where nothing is tried again', async () => {
  const { visible } = await run(2000, startBareGateway);
  fallWithout('retries', 'keep-alive race', '0 visible failures', `${visible.length} in 2000`, visible.length === 0);
});
