import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { hang, startUpstream } from '../support/upstream.ts';
import { listQuery } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';

const clients = 200;

/** Lets all clients leave at once while no upstream has answered, and waits for the calls to end. */
async function run(sharing: string, how: 'destroy' | 'resetAndDestroy', start: typeof startGateway = startGateway) {
  await using apimall = await startUpstream(hang);
  await using diligent = await startUpstream(hang);
  const patient = { UPSTREAM_DEADLINE_MS: '60000', UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000', REQUEST_DEADLINE_MS: '60000' };
  const env = { SHARE_IN_FLIGHT: sharing, ...patient };
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, env);
  const { hostname, port } = new URL(gateway.url);
  const body = JSON.stringify({ query: listQuery });
  const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  const sockets = Array.from({ length: clients }, () => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.write(`${head}\r\n\r\n${body}`);
    return socket;
  });
  const least = sharing === 'on' ? 1 : 100;
  await expect
    .poll(() => Math.min(apimall.calls.length, diligent.calls.length), { timeout: 10_000 })
    .toBeGreaterThanOrEqual(least);
  await sleep(1000);
  const calls = [...apimall.calls, ...diligent.calls];
  const leftAt = performance.now();
  for (const socket of sockets) socket[how]();
  const ended = calls.map(async (call) => ((await call.ended) === 'left' ? performance.now() - leftAt : 0));
  const times = await Promise.all(ended.map((time) => Promise.race([time, sleep(2000, Number.POSITIVE_INFINITY)])));
  const extra = apimall.calls.length + diligent.calls.length - calls.length;
  return { calls: calls.length, extra, longest: Math.max(...times), open: times.filter((ms) => ms > 600).length };
}

test.each([
  ['on', 'destroy'],
  ['on', 'resetAndDestroy'],
  ['off', 'destroy'],
  ['off', 'resetAndDestroy'],
] as const)('ends every upstream call when the clients leave (SHARE_IN_FLIGHT=%s, %s)', async (sharing, how) => {
  const { calls, extra, longest, open } = await run(sharing, how);
  hold(
    `${clients} clients leave (${how}), SHARE_IN_FLIGHT=${sharing}`,
    'every upstream call ended within 600 ms',
    `${calls} calls, ${open} open after 600 ms, the last ended after ${longest.toFixed(0)} ms, ${extra} new`,
    open === 0 && extra === 0,
  );
});

test('leaves calls open where nobody tells it', async () => {
  const { calls, open } = await run('off', 'destroy', startBareGateway);
  fallWithout('the caller’s signal', 'clients leave', 'every call ended', `${open} of ${calls} open`, open === 0);
});
