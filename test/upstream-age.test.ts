import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createUpstream } from '../src/upstream/http.ts';
import { eventually } from './support/eventually.ts';
import { openGraphAt, reportQuery } from './support/faults.ts';
import { diligentRow } from './support/rows.ts';
import { after, json, startUpstream } from './support/upstream.ts';

const clients = 8;
/** A client may come back before its connection has been found to be free again. */
const mostConnections = 2 * clients;

/** Has clients ask one after the other for so long, and tells what that took of the upstream. */
async function keepAsking(ms: number, connectionAgeMs: number, listener: RequestListener) {
  const sockets = new Set<Socket>();
  await using server = await startUpstream((request, response) => {
    sockets.add(request.socket);
    listener(request, response);
  });
  const limits = { deadlineMs: 20_000, attemptTimeoutMs: 20_000, maxBytes: 10_000, shareInFlight: false };
  const upstream = createUpstream(server.url, { ...limits, connectionAgeMs });
  await using graph = await openGraphAt({ diligent: upstream });
  let requests = 0;
  let whole = 0;
  const endsAt = performance.now() + ms;
  async function goOn(): Promise<void> {
    while (performance.now() < endsAt) {
      requests += 1;
      const { webhooks } = await graph.query(reportQuery);
      whole += Number(webhooks.complete);
    }
  }
  await Promise.all(Array.from({ length: clients }, goOn));
  const endings = new Set(await Promise.all(server.calls.map(({ ended }) => ended)));
  const left = () => [...sockets].filter(({ destroyed }) => !destroyed).length;
  await eventually(() => expect(left()).toBeLessThanOrEqual(mostConnections));
  return { requests, whole, calls: server.calls.length, endings: [...endings], sockets: sockets.size };
}

const answerAfter = (ms: number) => after(() => sleep(ms), json([diligentRow()]));

test.concurrent('renews connections that are always busy, and costs no call anything', async () => {
  const reached = await keepAsking(1500, 200, answerAfter(5));
  const { requests } = reached;
  expect(reached).toMatchObject({ whole: requests, calls: requests, endings: ['answered'] });
  expect(reached.sockets).toBeGreaterThan(mostConnections);
});

test.concurrent('lets calls end that take longer than a connection may be old', async () => {
  const reached = await keepAsking(1000, 100, answerAfter(300));
  const { requests } = reached;
  expect(reached).toMatchObject({ whole: requests, calls: requests, endings: ['answered'], sockets: requests });
});

test.concurrent('keeps the connections that it has until they are old', async () => {
  const { sockets } = await keepAsking(1500, 20_000, answerAfter(5));
  expect(sockets).toBeLessThanOrEqual(mostConnections);
});

test.concurrent('opens no connection once it was closed', async () => {
  await using server = await startUpstream(json([]));
  const limits = { deadlineMs: 3000, attemptTimeoutMs: 2000, maxBytes: 10_000, shareInFlight: false };
  const upstream = createUpstream(server.url, limits);
  const reading = { read: () => ({}), problem: () => ({}), findVolatile: null };
  const run = () => upstream.run('list', {}, new AbortController().signal, (http) => http.getJson('/', reading));
  expect(await run()).toEqual({});
  await upstream.close();
  await expect(run()).rejects.toMatchObject({ fault: { code: 'UNREACHABLE' } });
  expect(server.calls).toHaveLength(1);
});
