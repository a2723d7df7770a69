import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { type Answer, openContext, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { json, text } from './support/upstream.ts';

const diligentUuid = (index: number) => `${String(index).padStart(8, '0')}-4c6a-439f-b668-7cca0cd786fa`;
const apimallId = (index: number) => encodeId('ApiMallWebhook', 'apimall', String(index));
const diligentId = (index: number) => encodeId('DiligentWebhook', 'diligent', diligentUuid(index));
const sourceId = (key: string) => encodeId('WebhookSource', key);
const url = (source: string, index: number) => `https://hooks.acme.example/${source}/${index}`;

const many = Array.from({ length: 50 }, (_, index) => index + 1);
const apimall = apimallList(...many.map((id) => apimallRow({ id, url: url('apimall', id) })));
const diligent = json(many.map((id) => diligentRow({ id: diligentUuid(id), webhook_url: url('diligent', id) })));
const whole = { apimall, diligent };

/** As gateways ask: by fragments on what they know of the types. */
const entities = `query Entities($representations: [_Any!]!) {
  _entities(representations: $representations) {
    __typename
    ... on Webhook { id url }
    ... on ApiMallWebhook { totalSent }
    ... on DiligentWebhook { lastDeliveryStatus }
    ... on WebhookSource { id key name }
  }
}`;

const ofApimall = (index: number, __typename = 'ApiMallWebhook') => ({ __typename, id: apimallId(index) });
const ofDiligent = (index: number, __typename = 'DiligentWebhook') => ({ __typename, id: diligentId(index) });
const ofSource = (key: string) => ({ __typename: 'WebhookSource', id: sourceId(key) });
const fromApimall = (index: number) => ({ ...ofApimall(index), url: url('apimall', index), totalSent: 32 });
const fromDiligent = (index: number) => ({
  ...ofDiligent(index),
  url: url('diligent', index),
  lastDeliveryStatus: 200,
});

function codesOf({ errors = [] }: Answer): readonly (readonly [string | undefined, unknown])[] {
  return errors.map(({ path, extensions }) => [path?.join('.'), extensions.code] as const).sort();
}

test('answers fifty representations of both sources with one list call per source', async () => {
  await using graph = await openGraph(whole);
  const representations = many.map((index) => (index % 2 ? ofApimall(index) : ofDiligent(index)));
  const { _entities } = await graph.query(entities, { representations });
  expect(_entities).toEqual(many.map((index) => (index % 2 ? fromApimall(index) : fromDiligent(index))));
  expect([graph.calls('apimall').length, graph.calls('diligent').length]).toEqual([1, 1]);
});

test('asks only the sources that the representations are of, and again for the next operation', async () => {
  await using graph = await openGraph(whole);
  await graph.query(entities, { representations: [ofApimall(1), ofApimall(2)] });
  await graph.query(entities, { representations: [ofApimall(1), ofSource('diligent')] });
  expect([graph.calls('apimall').length, graph.calls('diligent').length]).toEqual([2, 0]);
});

test('finds a webhook by its interface, by its own type, and twice', async () => {
  await using graph = await openGraph(whole);
  const representations = [
    ofDiligent(1, 'Webhook'),
    ofDiligent(1),
    ofApimall(1, 'Webhook'),
    ofApimall(1),
    ofApimall(1),
  ];
  const { _entities } = await graph.query(entities, { representations });
  expect(_entities).toEqual([fromDiligent(1), fromDiligent(1), fromApimall(1), fromApimall(1), fromApimall(1)]);
});

test('answers with rows that nobody can change, as they are shared', async () => {
  await using graph = await openGraph(whole);
  const { sources } = openContext(graph.sources);
  expect(Object.isFrozen(await sources.get('apimall')?.load('1'))).toBe(true);
  // Were a type name or a key written into a row, as some machinery of federation does, this would be an error.
  const { _entities, webhooks } = await graph.query(
    `query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Webhook { id } } webhooks { totalCount } }`,
    { r: [ofApimall(1, 'Webhook'), ofApimall(1)] },
  );
  expect([_entities, webhooks]).toEqual([[ofApimall(1), ofApimall(1)], { totalCount: 100 }]);
});

test('finds a source, and its webhooks', async () => {
  await using graph = await openGraph(whole);
  const document = `query Sources($representations: [_Any!]!) {
    _entities(representations: $representations) {
      ... on WebhookSource { key webhooks(first: 1) { totalCount complete nodes { url } } }
    }
  }`;
  const { _entities } = await graph.query(document, { representations: [ofSource('diligent'), ofSource('apimall')] });
  const webhooks = (source: string) => ({ totalCount: 50, complete: true, nodes: [{ url: url(source, 1) }] });
  expect(_entities).toEqual([
    { key: 'diligent', webhooks: webhooks('diligent') },
    { key: 'apimall', webhooks: webhooks('apimall') },
  ]);
});

test('takes representations in the document, with what else a gateway knows of the entity', async () => {
  await using graph = await openGraph(whole);
  const document = `query($id: ID!) { _entities(representations: [
    { __typename: "Webhook", id: $id, url: "https://elsewhere.example", source: { key: "diligent" } }
  ]) { ... on Webhook { id url } } }`;
  const { _entities } = await graph.query(document, { id: apimallId(3) });
  expect(_entities).toEqual([{ id: apimallId(3), url: url('apimall', 3) }]);
});

test('answers null without an error for an entity that is gone', async () => {
  await using graph = await openGraph(whole);
  const { _entities } = await graph.query(entities, { representations: [ofApimall(999, 'Webhook'), ofDiligent(0)] });
  expect(_entities).toEqual([null, null]);
});

test('answers null with SOURCE_FAILED at the indexes of a failed source, and the rest whole', async () => {
  await using graph = await openGraph({ ...whole, diligent: text('', 500) });
  const representations = [ofApimall(1), ofDiligent(1), ofSource('diligent'), ofDiligent(2, 'Webhook'), ofApimall(2)];
  const answer = await graph.answer(entities, { representations });
  const source = { ...ofSource('diligent'), key: 'diligent', name: 'Diligent' };
  expect(answer.data._entities).toEqual([fromApimall(1), null, source, null, fromApimall(2)]);
  expect(codesOf(answer)).toEqual([
    ['_entities.1', 'SOURCE_FAILED'],
    ['_entities.3', 'SOURCE_FAILED'],
  ]);
  expect(answer.errors?.[0]?.extensions).toMatchObject({ source: 'diligent', sourceErrorCode: 'UPSTREAM_ERROR' });
});

test('answers null with SOURCE_PARTIAL where the webhook may be among the rows that a source lost', async () => {
  await using graph = await openGraph({
    ...whole,
    apimall: apimallList(apimallRow({ id: 1, url: url('apimall', 1) }), { id: 2 }),
  });
  const answer = await graph.answer(entities, { representations: [ofApimall(1), ofApimall(2)] });
  expect(answer.data._entities).toEqual([fromApimall(1), null]);
  expect(codesOf(answer)).toEqual([['_entities.1', 'SOURCE_PARTIAL']]);
});

test('answers null with SOURCE_FAILED, NOT_CONFIGURED for a source that is not served here', async () => {
  await using graph = await openGraph({ apimall });
  const answer = await graph.answer(entities, { representations: [ofDiligent(1, 'Webhook'), ofApimall(1)] });
  expect(answer.data._entities).toEqual([null, fromApimall(1)]);
  expect(answer.errors?.map(({ extensions }) => extensions)).toEqual([
    { code: 'SOURCE_FAILED', source: 'diligent', sourceErrorCode: 'NOT_CONFIGURED' },
  ]);
});

const id = apimallId(1);
test.each<[string, unknown, RegExp]>([
  ['is a number', 7, /must be an object/],
  ['is a text', 'ApiMallWebhook', /must be an object/],
  ['is a list', [ofApimall(1)], /must be an object/],
  ['is empty', {}, /must be an object/],
  ['has no type', { id }, /must be an object/],
  ['has no id', { __typename: 'Webhook' }, /must be an object/],
  ['has null for an id', { __typename: 'Webhook', id: null }, /must be an object/],
  ['has a number for an id', { __typename: 'ApiMallWebhook', id: 1 }, /must be an object/],
  ['has an object for an id', { __typename: 'Webhook', id: { toString: id } }, /must be an object/],
  ['has a list for a type', { __typename: ['Webhook'], id }, /must be an object/],
  ['is of an unknown type', { __typename: 'StripeWebhook', id }, /no entity of the type "StripeWebhook"/],
  ['is of no type', { __typename: '', id }, /no entity of the type ""/],
  ['is of what every object has', { __typename: 'constructor', id }, /no entity of the type "constructor"/],
  ['is of the prototype', { __typename: '__proto__', id }, /no entity of the type "__proto__"/],
  ['is of a type without a key', { __typename: 'PageInfo', id }, /no entity of the type "PageInfo"/],
  ['is of the interface without entities', { __typename: 'Node', id }, /no entity of the type "Node"/],
  ['is of the root', { __typename: 'Query', id }, /no entity of the type "Query"/],
  ['is of the union', { __typename: '_Entity', id }, /no entity of the type "_Entity"/],
  ['is of a scalar', { __typename: 'ID', id }, /no entity of the type "ID"/],
  [
    'has the id of another provider',
    ofApimall(1, 'DiligentWebhook'),
    /the id of ApiMallWebhook, not of DiligentWebhook/,
  ],
  ['has the id of a webhook for a source', ofApimall(1, 'WebhookSource'), /the id of ApiMallWebhook, not of Web/],
  [
    'has the id of a source for a webhook',
    { ...ofSource('apimall'), __typename: 'Webhook' },
    /the id of WebhookSource/,
  ],
  [
    'has an id of a type without a key',
    { __typename: 'Webhook', id: encodeId('PageInfo', 'apimall', '1') },
    /PageInfo/,
  ],
  ['has an empty id', { __typename: 'Webhook', id: '' }, /is not an id of this graph/],
  ['has an id that is none', { __typename: 'Webhook', id: '%%%' }, /is not an id of this graph/],
  [
    'has the id of a type that is unknown',
    { __typename: 'Webhook', id: encodeId('X', 'apimall', '1') },
    /is not an id/,
  ],
  [
    'has an API Mall part that is no integer',
    { __typename: 'Webhook', id: encodeId('ApiMallWebhook', 'apimall', '1.5') },
    /is not an id/,
  ],
])(
  'refuses a representation that %s as BAD_USER_INPUT at its index, and answers the rest',
  async (_name, odd, message) => {
    await using graph = await openGraph(whole);
    const answer = await graph.answer(entities, { representations: [ofDiligent(1), odd, ofSource('apimall')] });
    const source = { ...ofSource('apimall'), key: 'apimall', name: 'API Mall' };
    expect(answer.data._entities).toEqual([fromDiligent(1), null, source]);
    expect(codesOf(answer)).toEqual([['_entities.1', 'BAD_USER_INPUT']]);
    expect(answer.errors?.[0]?.message).toMatch(message);
    expect(graph.calls('apimall')).toEqual([]);
  },
);

test('repeats no more than the beginning of a type that is too long', async () => {
  await using graph = await openGraph(whole);
  const { errors } = await graph.answer(entities, { representations: [{ __typename: 'x'.repeat(9000), id }] });
  expect(errors?.[0]?.message).toMatch(/no entity of the type "x{80}…" here\.$/);
});

test.each([
  ['null for one', [null]],
  ['null for all', null],
  ['nothing', undefined],
])('refuses %s before anybody is asked', async (_name, representations) => {
  await using graph = await openGraph(whole);
  const answer = await graph.answer(entities, { representations });
  expect(codesOf(answer)).toEqual([[undefined, 'BAD_USER_INPUT']]);
  expect(graph.calls('apimall')).toEqual([]);
});

test('takes a thousand representations over the front door, and refuses more', async () => {
  await using graph = await openGraph(whole);
  await using server = await listen(graph.gateway);
  async function ask(count: number): Promise<Answer> {
    const representations = Array.from({ length: count }, (_, index) => ofDiligent(index));
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: entities, variables: { representations } }),
    });
    return response.json();
  }
  const { data } = await ask(1000);
  expect(data._entities.filter(Boolean)).toEqual(many.map(fromDiligent));
  expect(graph.calls('diligent')).toHaveLength(1);
  const refused = await ask(1001);
  expect(refused.data).toBeNull();
  expect(codesOf(refused)).toEqual([['_entities', 'BAD_USER_INPUT']]);
  expect(refused.errors?.[0]?.message).toBe('representations: 1001 are too many. Pass at most 1000 at once.');
  expect(graph.calls('diligent')).toHaveLength(1);
});
