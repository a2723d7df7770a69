import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { isFailed, openClient } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows } from './support/upstreams.ts';

const connections = 600;

/** Opens more connections than the program has descriptors for, and then closes them. */
async function run(limit: number) {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startUpstream(diligentRows(10));
  const upstreams = { apimall: apimall.url, diligent: diligent.url };
  await using gateway = await startGateway(upstreams, {}, undefined, `ulimit -n ${limit}`);
  const before = gateway.descriptors();
  const { hostname, port } = new URL(gateway.url);
  const sockets = Array.from({ length: connections }, () =>
    connect(Number(port), hostname)
      .on('error', () => {})
      .resume(),
  );
  await sleep(2000);
  const most = gateway.descriptors();
  for (const socket of sockets) socket.destroy();
  await using client = openClient(gateway, 1);
  const closedAt = performance.now();
  let outcome = await client.ask();
  while (isFailed(outcome) && performance.now() - closedAt < 5000) outcome = await client.ask();
  const recoveredMs = performance.now() - closedAt;
  await sleep(500);
  return { before, most, after: gateway.descriptors(), status: outcome.status, recoveredMs };
}

type Reached = Awaited<ReturnType<typeof run>>;

function describe({ before, most, after, status, recoveredMs }: Reached): string {
  return `${before} open, then ${most}, then ${after}; status ${status} after ${recoveredMs.toFixed(0)} ms`;
}

test('outlives more connections than it has descriptors for', async () => {
  const reached = await run(256);
  const held = reached.most >= 250 && reached.status === 200 && reached.recoveredMs <= 2000;
  hold('600 connections, 256 descriptors', 'alive, whole answers within 2 s of their end', describe(reached), held);
});

test('has descriptors for all of them where they are not limited', async () => {
  const reached = await run(2048);
  fallWithout('a limit', '600 connections', 'no more than 256 open', describe(reached), reached.most <= 256);
});
