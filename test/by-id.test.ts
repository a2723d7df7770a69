import { expect, test } from 'vitest';
import { encodeId, webhookIds } from '../src/webhook.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { json, text } from './support/upstream.ts';

const apimallId = encodeId('ApiMallWebhook', 'apimall', '8');
const diligentId = encodeId('DiligentWebhook', 'diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa');
const sourceId = encodeId('WebhookSource', 'apimall');

const everyWay = `query ById($id: ID!) {
  webhook(id: $id) { id }
  node(id: $id) { id }
  nodes(ids: [$id]) { id }
}`;

/** What each of the three ways makes of an id: its data, and the code of its error. */
async function lookUp(id: string, sources: Parameters<typeof openGraph>[0]) {
  await using graph = await openGraph(sources);
  const { data, errors = [] } = await graph.answer(everyWay, { id });
  return { data, codes: errors.map(({ path, extensions }) => [path?.join('.'), extensions.code]) };
}

const whole = { apimall: apimallList(apimallRow()), diligent: json([diligentRow()]) };
const nothing = { webhook: null, node: null, nodes: [null] };

function allAre(code: string) {
  return expect.arrayContaining([
    ['webhook', code],
    ['node', code],
    ['nodes.0', code],
  ]);
}

test('finds a webhook of either source, and a source, by id', async () => {
  await using graph = await openGraph(whole);
  const { nodes } = await graph.query('query N($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', {
    ids: [diligentId, sourceId, apimallId, diligentId],
  });
  expect(nodes).toEqual([
    { __typename: 'DiligentWebhook', id: diligentId },
    { __typename: 'WebhookSource', id: sourceId },
    { __typename: 'ApiMallWebhook', id: apimallId },
    { __typename: 'DiligentWebhook', id: diligentId },
  ]);
});

test('answers null without an error for a webhook that is gone', async () => {
  const id = encodeId('ApiMallWebhook', 'apimall', '9');
  expect(await lookUp(id, whole)).toEqual({ data: nothing, codes: [] });
});

test('answers null with SOURCE_FAILED for a webhook whose source failed', async () => {
  const { data, codes } = await lookUp(diligentId, { ...whole, diligent: text('', 500) });
  expect(data).toEqual(nothing);
  expect(codes).toEqual(allAre('SOURCE_FAILED'));
});

test('answers null with SOURCE_PARTIAL where the webhook may be among the rows that a source lost', async () => {
  const partial = { ...whole, apimall: apimallList(apimallRow(), { id: 9 }) };
  const { data, codes } = await lookUp(encodeId('ApiMallWebhook', 'apimall', '9'), partial);
  expect(data).toEqual(nothing);
  expect(codes).toEqual(allAre('SOURCE_PARTIAL'));
  expect((await lookUp(apimallId, partial)).codes).toEqual([]);
});

test('answers null with SOURCE_FAILED, NOT_CONFIGURED for a source that is not served here', async () => {
  await using graph = await openGraph({ apimall: apimallList(apimallRow()) });
  const { data, errors } = await graph.answer(everyWay, { id: diligentId });
  expect(data).toEqual(nothing);
  expect(errors?.map(({ extensions }) => extensions)).toEqual(
    Array(3).fill({ code: 'SOURCE_FAILED', source: 'diligent', sourceErrorCode: 'NOT_CONFIGURED' }),
  );
});

test.each([
  ['is empty', ''],
  ['is not base64url', '%%%'],
  ['is not UTF-8', Buffer.from([0xff, 0xfe]).toString('base64url')],
  ['has one part', Buffer.from('ApiMallWebhook').toString('base64url')],
  ['has no external id', encodeId('ApiMallWebhook', 'apimall')],
  ['has an empty external id', encodeId('ApiMallWebhook', 'apimall', '')],
  ['is of an unknown type', encodeId('StripeWebhook', 'apimall', '8')],
  ['is of an unknown type and source', encodeId('StripeWebhook', 'stripe', '8')],
  ['is of a type that has no id', encodeId('WebhookConnection', 'apimall', '8')],
  ['has the type of another provider', encodeId('DiligentWebhook', 'apimall', '8')],
  ['has an API Mall part that is no integer', encodeId('ApiMallWebhook', 'apimall', '8.5')],
  ['has an API Mall part with a leading zero', encodeId('ApiMallWebhook', 'apimall', '08')],
  ['is a source with a part too many', encodeId('WebhookSource', 'apimall', 'x')],
  ['is padded', Buffer.from('ApiMallWebhook:apimall:88').toString('base64')],
  ['is plain text', 'ApiMallWebhook:apimall:8'],
])('refuses an id that %s as BAD_USER_INPUT, without a call', async (_name, id) => {
  await using graph = await openGraph(whole);
  const { data, errors } = await graph.answer(everyWay, { id });
  expect(data).toEqual(nothing);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(Array(3).fill('BAD_USER_INPUT'));
  expect(errors?.[0]?.message).toContain('is not an id of this graph');
  expect(graph.calls('apimall')).toEqual([]);
});

test('refuses the id of a source where a webhook is asked for', async () => {
  await using graph = await openGraph(whole);
  const { errors } = await graph.answer(`{ webhook(id: "${sourceId}") { id } }`);
  expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('the id of a source') });
});

test('nulls only the element of a bad id or a failed source, with an error at its index', async () => {
  await using graph = await openGraph({ ...whole, diligent: text('', 500) });
  const { data, errors } = await graph.answer('query N($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [apimallId, 'bad', diligentId, sourceId],
  });
  expect(data.nodes).toEqual([{ id: apimallId }, null, null, { id: sourceId }]);
  expect(errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual(
    expect.arrayContaining([
      [['nodes', 1], 'BAD_USER_INPUT'],
      [['nodes', 2], 'SOURCE_FAILED'],
    ]),
  );
  expect(errors).toHaveLength(2);
});

test('takes a thousand ids at once and refuses more', async () => {
  await using graph = await openGraph(whole);
  const document = 'query N($ids: [ID!]!) { nodes(ids: $ids) { id } }';
  const { nodes } = await graph.query(document, { ids: Array(1000).fill(apimallId) });
  expect(nodes).toHaveLength(1000);
  const { data, errors } = await graph.answer(document, { ids: Array(1001).fill(apimallId) });
  expect(data).toEqual({ nodes: null });
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining('at most 1000'),
    extensions: { code: 'BAD_USER_INPUT' },
  });
});

test('takes a thousand ids of the length that ids have, over the front door', async () => {
  await using graph = await openGraph(whole);
  await using server = await listen(graph.gateway);
  const ids = Array.from({ length: 1000 }, (_, index) =>
    encodeId('DiligentWebhook', 'diligent', `${String(index).padStart(8, '0')}-4c6a-439f-b668-7cca0cd786fa`),
  );
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'query N($ids: [ID!]!) { nodes(ids: $ids) { id } }', variables: { ids } }),
  });
  expect((await response.json()).data.nodes).toEqual(Array(1000).fill(null));
});

test('keeps an external id with colons and other signs whole', async () => {
  const odd = 'a:b:ü/../?x=1';
  await using graph = await openGraph({ ...whole, diligent: json([diligentRow({ id: odd })]) });
  const { webhooks } = await graph.query('{ webhooks(filter: { provider: [DILIGENT] }) { nodes { id externalId } } }');
  expect(webhooks.nodes[0].externalId).toBe(odd);
  const { webhook } = await graph.query('query W($id: ID!) { webhook(id: $id) { externalId } }', webhooks.nodes[0]);
  expect(webhook.externalId).toBe(odd);
});

test('ids are the same however often, and of however many webhooks, they are asked for', () => {
  for (let time = 0; time < 2; time++) {
    for (let id = 0; id < 25_000; id++) {
      const [typename, source, externalId] = [
        id % 2 ? 'ApiMallWebhook' : 'DiligentWebhook',
        `source-${id % 3}`,
        `${id % 12_000}`,
      ];
      const made = webhookIds(typename, source)(externalId);
      if (made !== encodeId(typename, source, externalId)) expect.fail(made);
    }
  }
});

test('ids are those of the webhooks, also where these come, go and change places from one list to the next', () => {
  const few = ['1', '2', '3'];
  const lists = [
    few,
    few,
    ['3', '1', '2'],
    ['0', ...few],
    ['2'],
    [],
    [...few, 'x'.repeat(100)],
    [...few, 'y'.repeat(100)],
    few,
  ];
  for (const typename of ['ApiMallWebhook', 'DiligentWebhook']) {
    for (const list of lists) {
      const idOf = webhookIds(typename, 'moving');
      expect(list.map(idOf)).toEqual(list.map((externalId) => encodeId(typename, 'moving', externalId)));
    }
  }
});
