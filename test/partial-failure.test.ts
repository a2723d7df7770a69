import { expect, test } from 'vitest';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

const apimallOnly = { apimall: apimallList(apimallRow()), diligent: text('', 503) };
const nobody = { apimall: json({ success: false }, 401), diligent: text('', 503) };
const partly = { apimall: apimallList(apimallRow(), { id: 9 }), diligent: json([diligentRow()]) };

const diligentFailed = {
  message: 'diligent: The provider reported a fault of its own.',
  locations: expect.any(Array),
  extensions: { code: 'SOURCE_FAILED', source: 'diligent', sourceErrorCode: 'UPSTREAM_ERROR' },
};

test('shows a failed source as data, without errors, beside the rows of the others', async () => {
  await using graph = await openGraph(apimallOnly);
  const { data, errors } = await graph.answer(
    '{ webhooks { nodes { url } totalCount complete sources { source { key } state itemCount error { code retryable httpStatus } } } }',
  );
  expect(errors).toBeUndefined();
  expect(data.webhooks).toEqual({
    nodes: [{ url: 'https://hooks.acme.example/apimall' }],
    totalCount: 1,
    complete: false,
    sources: [
      { source: { key: 'apimall' }, state: 'OK', itemCount: 1, error: null },
      {
        source: { key: 'diligent' },
        state: 'FAILED',
        itemCount: 0,
        error: { code: 'UPSTREAM_ERROR', retryable: true, httpStatus: 503 },
      },
    ],
  });
});

test('adds one error for each failed source, at the path of the field, where nothing selected shows it', async () => {
  await using graph = await openGraph(nobody);
  const { data, errors } = await graph.answer('{ mine: webhooks { totalCount nodes { id } } }');
  expect(data).toEqual({ mine: { totalCount: 0, nodes: [] } });
  expect(errors).toEqual([
    {
      ...diligentFailed,
      message: 'apimall: The provider did not accept the key.',
      path: ['mine'],
      extensions: { code: 'SOURCE_FAILED', source: 'apimall', sourceErrorCode: 'UNAUTHORIZED' },
    },
    { ...diligentFailed, path: ['mine'] },
  ]);
});

test('answers HTTP 200 when every source fails', async () => {
  await using graph = await openGraph(nobody);
  const response = await graph.gateway.fetch('http://graph.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: '{ webhooks { complete totalCount } }' }),
  });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ data: { webhooks: { complete: false, totalCount: 0 } } });
});

test.each([
  ['an alias', '{ webhooks { totalCount whole: complete } }'],
  ['an inline fragment', '{ webhooks { totalCount ... { complete } } }'],
  ['a typed inline fragment', '{ webhooks { totalCount ... on WebhookConnection { sources { state } } } }'],
  [
    'a named fragment',
    'query { webhooks { totalCount ...F } } fragment F on WebhookConnection { ...G } fragment G on WebhookConnection { complete }',
  ],
  [
    'a second selection of the same field',
    'query { webhooks { totalCount } ...Q } fragment Q on Query { webhooks { complete } }',
  ],
  ['@include(if: true)', 'query Q($yes: Boolean = true) { webhooks { totalCount complete @include(if: $yes) } }'],
  ['@skip(if: false)', '{ webhooks { totalCount ... @skip(if: false) { complete } } }'],
])('counts `complete` selected through %s', async (_name, document) => {
  await using graph = await openGraph(apimallOnly);
  expect(await graph.answer(document)).not.toHaveProperty('errors');
});

test.each([
  ['@include(if: false)', 'query Q($no: Boolean = false) { webhooks { totalCount complete @include(if: $no) } }'],
  ['@skip(if: true)', '{ webhooks { totalCount ...F @skip(if: true) } } fragment F on WebhookConnection { complete }'],
  ['another alias', '{ webhooks { totalCount } told: webhooks { complete } }'],
  ['a field named so elsewhere', '{ webhooks { totalCount nodes { source { webhooks { complete } } } } }'],
])('does not count `complete` behind %s', async (_name, document) => {
  await using graph = await openGraph(apimallOnly);
  const { data, errors } = await graph.answer(document);
  expect(data.webhooks.totalCount).toBe(1);
  expect(errors).toEqual([{ ...diligentFailed, path: ['webhooks'] }]);
});

test('decides for each path on its own, below a source too', async () => {
  await using graph = await openGraph(apimallOnly);
  const { data, errors } = await graph.answer(
    '{ webhookSources { key bare: webhooks { totalCount } told: webhooks { totalCount complete } } }',
  );
  expect(data.webhookSources[1]).toEqual({
    key: 'diligent',
    bare: { totalCount: 0 },
    told: { totalCount: 0, complete: false },
  });
  expect(errors).toEqual([{ ...diligentFailed, path: ['webhookSources', 1, 'bare'] }]);
});

test('calls a source that lost a row PARTIAL, counts the row and keeps the others', async () => {
  await using graph = await openGraph(partly);
  const document =
    '{ webhooks { totalCount complete sources { state itemCount rejectedCount error { code message } } } }';
  const { webhooks } = await graph.query(document);
  expect(webhooks).toEqual({
    totalCount: 2,
    complete: false,
    sources: [
      {
        state: 'PARTIAL',
        itemCount: 1,
        rejectedCount: 1,
        error: { code: 'BAD_RESPONSE', message: '1 of 2 rows could not be read, or came twice.' },
      },
      { state: 'OK', itemCount: 1, rejectedCount: 0, error: null },
    ],
  });
  const { errors } = await graph.answer('{ webhooks { totalCount } }');
  expect(errors?.map(({ extensions }) => extensions)).toEqual([
    { code: 'SOURCE_PARTIAL', source: 'apimall', sourceErrorCode: 'BAD_RESPONSE' },
  ]);
});

test('reports times only where there was a call', async () => {
  await using graph = await openGraph(apimallOnly, { passthrough: true });
  const { data } = await graph.answer(
    '{ webhooks { sources { fetchedAt durationMs } } }',
    {},
    { 'x-apimall-api-key': 'k' },
  );
  const [asked, notAsked] = data.webhooks.sources;
  expect(Date.parse(asked.fetchedAt)).not.toBeNaN();
  expect(asked.durationMs).toBeGreaterThan(0);
  expect(notAsked).toEqual({ fetchedAt: null, durationMs: null });
});

test('reports no time where a source is left alone, and one where a call failed', async () => {
  await using graph = await openGraph({ diligent: json({}, 429, { 'retry-after': '20' }) });
  const ask = async () => {
    const { webhooks } = await graph.query('{ webhooks(filter: { source: "diligent" }) { sources { durationMs } } }');
    return webhooks.sources[0].durationMs;
  };
  expect(await ask()).toBeGreaterThan(0);
  expect(await ask()).toBeNull();
  expect(graph.calls('diligent')).toHaveLength(1);
});

test('makes the list null instead under PARTIAL_RESULTS=null, unless the failure is selected', async () => {
  await using graph = await openGraph(nobody, { partialResults: 'null' });
  const { data, errors } = await graph.answer('{ webhooks { totalCount } told: webhooks { complete } }');
  expect(data).toEqual({ webhooks: null, told: { complete: false } });
  expect(errors?.map(({ path, extensions }) => [path, extensions.source])).toEqual([
    [['webhooks'], 'apimall'],
    [['webhooks'], 'diligent'],
  ]);
});

test('makes it null under PARTIAL_RESULTS=null even where other sources have rows', async () => {
  await using graph = await openGraph(apimallOnly, { partialResults: 'null' });
  const { data, errors } = await graph.answer('{ webhooks { nodes { id } } }');
  expect(data).toEqual({ webhooks: null });
  expect(errors).toEqual([{ ...diligentFailed, path: ['webhooks'] }]);
});

test('costs nobody else anything when the code for one source has a fault', async () => {
  const told: unknown[] = [];
  await using graph = await openGraph(apimallOnly, { onInternalError: (error) => told.push(error) });
  const fault = new TypeError('canary');
  const broken = graph.sources.map((source) => {
    if (source.key !== 'diligent') return source;
    const list = () => Promise.reject(fault);
    return { ...source, provider: { ...source.provider, operations: { list } } };
  });
  await using mended = await openGraph(
    {},
    {
      sources: broken,
      findCredentials: () => () => ({ 'x-api-key': 'k' }),
      onInternalError: (error) => told.push(error),
    },
  );
  const { data } = await mended.answer('{ webhooks { totalCount sources { state error { code } } } }');
  expect(data.webhooks).toEqual({
    totalCount: 1,
    sources: [
      { state: 'OK', error: null },
      { state: 'FAILED', error: { code: 'BAD_RESPONSE' } },
    ],
  });
  expect(told).toEqual([fault]);
});

test('reads a list of fifty thousand odd rows without harm to the other source', async () => {
  await using graph = await openGraph({
    apimall: json({ success: true, data: Array(50_000).fill(1) }),
    diligent: json([diligentRow()]),
  });
  const { webhooks } = await graph.query('{ webhooks { totalCount sources { state rejectedCount } } }');
  expect(webhooks).toEqual({
    totalCount: 1,
    sources: [
      { state: 'FAILED', rejectedCount: 50_000 },
      { state: 'OK', rejectedCount: 0 },
    ],
  });
});

test('keeps the list under PARTIAL_RESULTS=null while nothing fails', async () => {
  await using graph = await openGraph(undefined, { partialResults: 'null' });
  expect(await graph.query('{ webhooks { totalCount } }')).toEqual({ webhooks: { totalCount: 33 } });
});
