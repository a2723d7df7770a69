import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { faultOf, reportQuery, wholeLists } from './support/faults.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { json } from './support/upstream.ts';

const both = { apimall: wholeLists, diligent: wholeLists };
const passthrough = { passthrough: true };

async function reports(graph: Graph, headers: Record<string, string>) {
  const { data } = await graph.answer(reportQuery, {}, headers);
  return data.webhooks.sources;
}

test('asks with the keys that the caller passes', async () => {
  await using graph = await openGraph(both, passthrough);
  const keys = { 'x-apimall-api-key': 'mall-key', 'X-Diligent-Api-Key': `~${'!'.repeat(255)}` };
  expect(await reports(graph, keys)).toMatchObject([{ state: 'OK' }, { state: 'OK' }]);
  expect(graph.calls('apimall').map(({ headers }) => headers.authorization)).toEqual(['Bearer mall-key']);
  expect(graph.calls('apimall')[0]?.headers).not.toHaveProperty('x-api-key');
  expect(graph.calls('diligent').map(({ headers }) => headers['x-api-key'])).toEqual([`~${'!'.repeat(255)}`]);
  expect(graph.calls('diligent')[0]?.headers).not.toHaveProperty('authorization');
});

test('calls a source not configured whose key is not passed, and does not call it', async () => {
  await using graph = await openGraph(both, passthrough);
  expect(await reports(graph, { 'x-apimall-api-key': 'mall-key' })).toEqual([
    { source: { key: 'apimall' }, state: 'OK', error: null },
    {
      source: { key: 'diligent' },
      state: 'FAILED',
      error: faultOf('NOT_CONFIGURED', { message: 'The request has no header x-diligent-api-key.' }),
    },
  ]);
  expect(graph.calls('apimall')).toHaveLength(1);
  expect(graph.calls('diligent')).toEqual([]);
});

test('takes no other header for a key', async () => {
  await using graph = await openGraph(both, passthrough);
  const headers = { authorization: 'Bearer mall-key', 'x-api-key': 'diligent-key', 'x-apimall-key': 'mall-key' };
  expect(await reports(graph, headers)).toMatchObject([
    { error: { code: 'NOT_CONFIGURED' } },
    { error: { code: 'NOT_CONFIGURED' } },
  ]);
  expect([...graph.calls('apimall'), ...graph.calls('diligent')]).toEqual([]);
});

test.each([
  ['is empty', ''],
  ['has a space', 'two words'],
  ['has a tab', 'two\twords'],
  ['has an accent', 'clé'],
  ['has a control character', 'a\x7fb'],
  ['is longer than 256 characters', 'x'.repeat(257)],
])('refuses a key that %s without a call', async (_name, key) => {
  await using graph = await openGraph(both, passthrough);
  const keys = { 'x-apimall-api-key': 'mall-key', 'x-diligent-api-key': key };
  expect(await reports(graph, keys)).toEqual([
    { source: { key: 'apimall' }, state: 'OK', error: null },
    { source: { key: 'diligent' }, state: 'FAILED', error: faultOf('BAD_CREDENTIAL') },
  ]);
  expect(graph.calls('diligent')).toEqual([]);
});

test('refuses two keys for one source without a call', async () => {
  await using graph = await openGraph(both, passthrough);
  await using server = await listen(graph.gateway);
  const client = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8');
  const body = JSON.stringify({ query: reportQuery });
  const head = ['POST /graphql HTTP/1.1', 'host: graph.test', 'connection: close', 'content-type: application/json'];
  const keys = ['x-apimall-api-key: one', 'x-apimall-api-key: two', 'x-diligent-api-key: three'];
  client.write(`${[...head, ...keys, `content-length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`);
  const answer = (await client.toArray()).join('');
  expect(answer).toContain('"BAD_CREDENTIAL"');
  expect(graph.calls('apimall')).toEqual([]);
  expect(graph.calls('diligent').map(({ headers }) => headers['x-api-key'])).toEqual(['three']);
});

/** Answers one row, named after the key that came along, sooner or later. */
function ownRow(readKey: (headers: Parameters<RequestListener>[0]['headers']) => unknown, row: typeof json) {
  const listener: RequestListener = async (request, response) => {
    const key = String(readKey(request.headers));
    await sleep(Number(key.replace(/\D/g, '')) % 7);
    row(key)(request, response);
  };
  return listener;
}

test('uses the keys of a caller for that one request only', async () => {
  const url = (key: unknown) => `https://${key}.example/`;
  await using graph = await openGraph(
    {
      apimall: ownRow(
        ({ authorization }) => authorization?.replace('Bearer ', ''),
        (key) => apimallList(apimallRow({ url: url(key) })),
      ),
      diligent: ownRow(
        (headers) => headers['x-api-key'],
        (key) => json([diligentRow({ webhook_url: url(key) })]),
      ),
    },
    passthrough,
  );
  const query = '{ webhooks(orderBy: { field: PROVIDER }) { complete nodes { url } } }';
  const ask = async (caller: number) => {
    const keys = { 'x-apimall-api-key': `mall${caller}`, 'x-diligent-api-key': `diligent${caller}` };
    return (await graph.answer(query, {}, keys)).data.webhooks;
  };
  for (let turn = 0; turn < 3; turn++) {
    const callers = Array.from({ length: 30 }, (_, index) => turn * 30 + index);
    const nodes = (caller: number) => [{ url: url(`mall${caller}`) }, { url: url(`diligent${caller}`) }];
    const own = callers.map((caller) => ({ complete: true, nodes: nodes(caller) }));
    expect(await Promise.all(callers.map(ask))).toEqual(own);
  }
  // Whoever comes without a key gets nothing of theirs.
  expect(await reports(graph, {})).toMatchObject([
    { error: { code: 'NOT_CONFIGURED' } },
    { error: { code: 'NOT_CONFIGURED' } },
  ]);
  expect(graph.calls('apimall')).toHaveLength(90);
});
