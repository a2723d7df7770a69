import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { openContext, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { after, createBarrier, hang, json } from './support/upstream.ts';

const apimallId = encodeId('ApiMallWebhook', 'apimall', '8');
const diligentId = encodeId('DiligentWebhook', 'diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa');

test('asks each upstream once for a list, for webhooks by id and for twenty aliases of them in one operation', async () => {
  await using graph = await openGraph();
  const aliases = Array.from(
    { length: 20 },
    (_, index) => `
    list${index}: webhooks(first: ${index + 1}) { nodes { id } }
    one${index}: webhook(id: "${apimallId}") { url }
    node${index}: node(id: "${diligentId}") { id }
    nodes${index}: nodes(ids: ["${apimallId}", "${diligentId}"]) { id }`,
  );
  const data = await graph.query(`{
    ${aliases.join('')}
    webhookSources { webhooks(first: 30) { totalCount nodes { source { webhooks { totalCount } } } } }
  }`);
  expect(data.nodes19).toEqual([{ id: apimallId }, { id: diligentId }]);
  expect(data.one0.url).toBe('https://hooks.acme.example/apimall/orders');
  expect(graph.calls('apimall')).toHaveLength(1);
  expect(graph.calls('diligent')).toHaveLength(1);
});

test('asks again for the next operation', async () => {
  let sent = 0;
  await using graph = await openGraph({
    apimall: (request, response) => apimallList(apimallRow({ total_sent: ++sent }))(request, response),
  });
  const document = '{ webhooks { nodes { ... on ApiMallWebhook { totalSent } } } }';
  const [first, second] = [await graph.query(document), await graph.query(document)];
  expect([first.webhooks.nodes[0].totalSent, second.webhooks.nodes[0].totalSent]).toEqual([1, 2]);
  expect(graph.calls('apimall')).toHaveLength(2);
});

test('makes no call for what needs none', async () => {
  await using graph = await openGraph();
  await graph.query('{ webhookSources { id key name provider capabilities } __typename }');
  await graph.query(`{ node(id: "${encodeId('WebhookSource', 'diligent')}") { id } }`);
  expect([...graph.calls('apimall'), ...graph.calls('diligent')]).toEqual([]);
});

test.each([
  ['provider', 'filter: { provider: [DILIGENT] }'],
  ['source', 'filter: { source: ["diligent"] }'],
  ['both', 'filter: { provider: [DILIGENT, API_MALL], source: ["diligent"] }'],
])('spares a source its call that a filter on %s leaves out', async (_name, args) => {
  await using graph = await openGraph();
  const { webhooks } = await graph.query(`{ webhooks(${args}) { totalCount complete sources { source { key } } } }`);
  expect(webhooks).toEqual({ totalCount: 9, complete: true, sources: [{ source: { key: 'diligent' } }] });
  expect(graph.calls('apimall')).toEqual([]);
  expect(graph.calls('diligent')).toHaveLength(1);
});

test('refuses a filter that names only providers that are not served', async () => {
  await using graph = await openGraph({ apimall: apimallList(apimallRow()) });
  const { errors } = await graph.answer(
    '{ webhooks(filter: { provider: [DILIGENT, DILIGENT] }) { totalCount complete } }',
  );
  expect(errors).toMatchObject([{ message: 'filter.provider: no source of DILIGENT here. There are: apimall.' }]);
  const { webhooks } = await graph.query(
    '{ webhooks(filter: { provider: [DILIGENT, API_MALL] }) { totalCount complete } }',
  );
  expect(webhooks).toEqual({ totalCount: 1, complete: true });
});

test.each(['provider: []', 'source: []'])('asks nobody with an empty filter %s', async (filter) => {
  await using graph = await openGraph();
  const { webhooks } = await graph.query(
    `{ webhooks(filter: { ${filter} }) { totalCount complete sources { state } } }`,
  );
  expect(webhooks).toEqual({ totalCount: 0, complete: true, sources: [] });
  expect([...graph.calls('apimall'), ...graph.calls('diligent')]).toEqual([]);
});

test('asks both sources at the same time', async () => {
  // Neither upstream answers before the other was asked.
  const bothAsked = createBarrier(2);
  await using graph = await openGraph({
    apimall: after(bothAsked, apimallList(apimallRow())),
    diligent: after(bothAsked, json([diligentRow()])),
  });
  const { webhooks } = await graph.query('{ webhooks { totalCount complete } }');
  expect(webhooks).toEqual({ totalCount: 2, complete: true });
});

test('answers a webhook of a fast source by id without waiting for a slow one', async () => {
  // The slow source never answers at all: had anything waited for it, there would be no answer before the timeout.
  await using graph = await openGraph(
    { apimall: apimallList(apimallRow()), diligent: hang },
    { attemptTimeoutMs: 20_000 },
  );
  const document = `query Fast($id: ID!, $ids: [ID!]!) { webhook(id: $id) { url } node(id: $id) { id } nodes(ids: $ids) { id } }`;
  const data = await graph.query(document, { id: apimallId, ids: [apimallId, apimallId] });
  expect(data).toEqual({
    webhook: { url: 'https://hooks.acme.example/apimall' },
    node: { id: apimallId },
    nodes: [{ id: apimallId }, { id: apimallId }],
  });
  expect(graph.calls('diligent')).toEqual([]);
});

test('settles what a fast source holds while a slow one is still being waited for', async () => {
  await using graph = await openGraph(
    { apimall: apimallList(apimallRow()), diligent: hang },
    { attemptTimeoutMs: 20_000 },
  );
  const caller = new AbortController();
  const { sources } = openContext(graph.sources, 'test-key', caller.signal);
  const slow = sources.get('diligent')?.load('x');
  const fast = sources.get('apimall')?.load('8');
  const first = await Promise.race([fast, slow]);
  expect(first?.externalId).toBe('8');
  caller.abort();
  await expect(slow).rejects.toThrow();
});
