import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openSource } from '../src/open-source.ts';
import { createRecord } from '../src/request.ts';
import { createTurns } from '../src/turns.ts';
import { reportQuery } from './support/faults.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';
import { hang, json } from './support/upstream.ts';

/** Milliseconds within which an upstream call must have ended when nobody waits for it any longer. */
const promisedMs = 600;

const patient = { deadlineMs: 20_000, attemptTimeoutMs: 20_000, shareInFlight: false };

/** Serves the graph on a real socket and sends it one operation. */
async function startAsking({ gateway }: Graph, query = reportQuery) {
  const server = await listen(gateway, { drainMs: 100 });
  const client = connect(Number(new URL(server.url).port), '127.0.0.1');
  client.on('error', () => {});
  const body = JSON.stringify({ query });
  const head = ['POST /graphql HTTP/1.1', 'host: graph.test', 'content-type: application/json'];
  client.write(`${head.join('\r\n')}\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  return { client, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const hangMidBody: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('[');
};

const hangOnSecondPage: RequestListener = (request, response) => {
  if (request.url !== '/webhooks') return;
  json({ success: true, data: { items: [apimallRow()], page: 1, limit: 1 } })(request, response);
};

test.each<[string, RequestListener, number]>([
  ['before the headers', hang, 1],
  ['amid the body', hangMidBody, 1],
  ['on the second page', hangOnSecondPage, 2],
])('ends the calls of a caller that leaves: %s', async (_name, apimall, calls) => {
  const internalErrors: unknown[] = [];
  const onInternalError = (error: unknown) => internalErrors.push(error);
  await using graph = await openGraph({ apimall, diligent: hang }, { ...patient, onInternalError });
  await using asking = await startAsking(graph);
  await expect.poll(() => graph.calls('apimall').length + graph.calls('diligent').length).toBe(calls + 1);
  asking.client.destroy();
  const endings = [graph.calls('apimall').at(-1)?.ended, graph.calls('diligent').at(-1)?.ended];
  expect(await Promise.race([Promise.all(endings), sleep(promisedMs + slackMs)])).toEqual(['left', 'left']);
  expect(graph.calls('apimall')).toHaveLength(calls);
  expect(internalErrors).toEqual([]);
});

test.each<[string, (client: Socket) => void]>([
  ['resets', (client) => client.resetAndDestroy()],
  ['ends', (client) => client.destroy()],
])('ends the calls of a caller that %s its connection, and those of nobody else', async (_name, leave) => {
  const answer: (() => void)[] = [];
  await using graph = await openGraph(
    { apimall: (request, response) => answer.push(() => json({ success: true, data: [] })(request, response)) },
    patient,
  );
  await using leaving = await startAsking(graph);
  await expect.poll(() => graph.calls('apimall').length).toBe(1);
  const staying = graph.query(reportQuery);
  await expect.poll(() => graph.calls('apimall').length).toBe(2);
  leave(leaving.client);
  const [left, stayed] = graph.calls('apimall');
  expect(await Promise.race([left?.ended, sleep(promisedMs + slackMs)])).toBe('left');
  answer[1]?.();
  expect((await staying).webhooks).toMatchObject({ totalCount: 0, complete: true });
  expect(await stayed?.ended).toBe('answered');
});

test('asks for no further page when the caller has left', async () => {
  const answer: (() => void)[] = [];
  const page = json({ success: true, data: { items: [apimallRow()], page: 1, limit: 1 } });
  await using graph = await openGraph({ apimall: (...http) => answer.push(() => page(...http)) }, patient);
  await using asking = await startAsking(graph);
  await expect.poll(() => answer.length).toBe(1);
  asking.client.destroy();
  expect(await graph.calls('apimall')[0]?.ended).toBe('left');
  answer[0]?.();
  await sleep(100);
  expect(graph.calls('apimall')).toHaveLength(1);
});

test('leaves no rows to work on for a caller that left while they waited for their turn', async () => {
  await using graph = await openGraph({ diligent: json([diligentRow()]) });
  const read = async (leaves: boolean) => {
    const caller = new AbortController();
    const [source] = graph.sources;
    if (!source) expect.fail();
    const opened = openSource(source, {
      record: createRecord(),
      findCredential: () => ({ 'x-api-key': 'test-key' }),
      writes: false,
      signal: caller.signal,
      turn: { ...createTurns().join(), take: async () => (leaves ? caller.abort() : undefined) },
      onInternalError: (error) => expect.fail(String(error)),
      onListed() {},
    });
    return (await opened.read()).rows.length;
  };
  expect([await read(false), await read(true)]).toEqual([1, 0]);
});
