import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { attemptAt, deliveryRow, diligentWith, manyWebhooks } from './support/deliveries.ts';
import { type GraphOptions, openGraph } from './support/graph.ts';
import { readPayloads } from './support/pieces.ts';
import { hang, json, text } from './support/upstream.ts';

const page = JSON.stringify([deliveryRow()]);
const html = text('<html>canary</html>', 200, { 'content-type': 'text/html' });

const faults: readonly (readonly [string, RequestListener, string, number | null])[] = [
  ['refuses the key', json({ error: 'canary' }, 401), 'UNAUTHORIZED', 401],
  ['forbids it', text('', 403), 'FORBIDDEN', 403],
  ['does not know the webhook any more', json({ error: 'Webhook not found' }, 404), 'NOT_FOUND', 404],
  ['is asked too often', text('', 429), 'RATE_LIMITED', 429],
  ['fails', json({ error: 'canary' }, 500), 'UPSTREAM_ERROR', 500],
  ['never answers', hang, 'TIMEOUT', null],
  ['answers with a page', html, 'BAD_RESPONSE', 200],
  ['answers with an object', json({ items: [deliveryRow()] }), 'BAD_RESPONSE', 200],
  ['is cut short', text(page.slice(0, -2), 200, { 'content-type': 'application/json' }), 'BAD_RESPONSE', 200],
  ['has rows that cannot be read, all of them', json([{}, 7]), 'BAD_RESPONSE', 200],
];

const hasty = { deadlineMs: 400, attemptTimeoutMs: 200 };

test.each(faults)(
  'a provider that %s costs the log alone, as data or as an error',
  async (_name, log, code, httpStatus) => {
    await using graph = await openGraph({ diligent: diligentWith(log) }, hasty);
    const { data, errors } = await graph.answer(`{ webhooks(first: 5) { complete nodes { url ... on DiligentWebhook {
    told: deliveries { nodes { id } totalCount complete sources { source { key } state itemCount error { code httpStatus } } }
    untold: deliveries { nodes { id } totalCount }
    failureSummary { attempts }
  } } } }`);
    expect(data.webhooks).toEqual({
      complete: true,
      nodes: [
        {
          url: 'https://hooks.acme.example/diligent',
          told: {
            nodes: [],
            totalCount: 0,
            complete: false,
            sources: [{ source: { key: 'diligent' }, state: 'FAILED', itemCount: 0, error: { code, httpStatus } }],
          },
          untold: { nodes: [], totalCount: 0 },
          failureSummary: null,
        },
      ],
    });
    const extensions = { code: 'SOURCE_FAILED', source: 'diligent', sourceErrorCode: code };
    const places = (errors ?? []).map(({ path, extensions: said }) => [path?.join('.'), said] as const);
    expect(Object.fromEntries(places)).toEqual({
      'webhooks.nodes.0.untold': extensions,
      'webhooks.nodes.0.failureSummary': extensions,
    });
    expect(JSON.stringify({ data, errors })).not.toContain('canary');
  },
);

const partly = json([attemptAt(1, 'a', 503), attemptAt(2, 'b'), {}]);

test('a row that cannot be read is told beside the others, as data or as errors', async () => {
  await using graph = await openGraph({ diligent: diligentWith(partly) });
  const { data, errors } = await graph.answer(`{ webhooks(first: 5) { nodes { ... on DiligentWebhook {
    told: deliveries { totalCount complete sources { state itemCount rejectedCount } }
    untold: deliveries { totalCount }
    failureSummary { attempts consecutiveFailures }
  } } } }`);
  expect(data.webhooks.nodes).toEqual([
    {
      told: { totalCount: 2, complete: false, sources: [{ state: 'PARTIAL', itemCount: 2, rejectedCount: 1 }] },
      untold: { totalCount: 2 },
      failureSummary: { attempts: 2, consecutiveFailures: 0 },
    },
  ]);
  expect(errors?.map(({ path, extensions }) => [path?.at(-1), extensions.code]).sort()).toEqual([
    ['failureSummary', 'SOURCE_PARTIAL'],
    ['untold', 'SOURCE_PARTIAL'],
  ]);
});

/** Three webhooks, the log of the second of which is gone. */
function oneOfThree(log: RequestListener = text('', 404)): RequestListener {
  const listener: RequestListener = (request, response) =>
    (request.url?.includes('/w1/') ? log : json([attemptAt(1, 'a')]))(request, response);
  return diligentWith(listener, ...manyWebhooks(3));
}

/** What is told of the logs of these webhooks to whoever selects `fields` of each. */
async function askThree(fields: string, fragments = '', options: GraphOptions = {}) {
  await using graph = await openGraph({ diligent: oneOfThree() }, options);
  const document = `query ($yes: Boolean = true, $no: Boolean = false) { webhooks(first: 5) { nodes { ... on DiligentWebhook { ${fields} } } } ...All @include(if: $yes) @skip(if: $no) }
    fragment All on Query { __typename } ${fragments}`;
  const { data, errors } = await graph.answer(document);
  return { nodes: data.webhooks.nodes, errors: errors?.map(({ path, extensions }) => [path, extensions.code]) };
}

const failedAt = (name: string) => [[['webhooks', 'nodes', 1, name], 'SOURCE_FAILED']];

test('costs no other webhook its log, and says in the path which one it was', async () => {
  expect(await askThree('deliveries { totalCount }')).toEqual({
    nodes: [1, 0, 1].map((totalCount) => ({ deliveries: { totalCount } })),
    errors: failedAt('deliveries'),
  });
  const { nodes, errors } = await askThree('failureSummary { attempts }');
  expect(nodes).toEqual([
    { failureSummary: { attempts: 1 } },
    { failureSummary: null },
    { failureSummary: { attempts: 1 } },
  ]);
  expect(errors).toEqual(failedAt('failureSummary'));
});

test.each([
  ['an alias', 'deliveries { whole: complete }', ''],
  ['`sources`', 'deliveries { sources { state } }', ''],
  ['an inline fragment', 'deliveries { totalCount ... { complete } }', ''],
  [
    'a named fragment in another',
    'deliveries { ...A }',
    'fragment A on WebhookDeliveryConnection { ...B } fragment B on WebhookDeliveryConnection { complete }',
  ],
  [
    'a second selection of the field',
    'deliveries { totalCount } ...A',
    'fragment A on DiligentWebhook { deliveries { complete } }',
  ],
  ['@include(if: true)', 'deliveries { totalCount complete @include(if: $yes) }', ''],
  ['@skip(if: false)', 'deliveries { totalCount ... @skip(if: $no) { complete } }', ''],
])('takes the failure for data where `complete` is selected through %s', async (_name, fields, fragments) => {
  expect((await askThree(fields, fragments)).errors).toBeUndefined();
});

test.each([
  ['@include(if: false)', 'deliveries { totalCount complete @include(if: $no) }', ''],
  [
    '@skip(if: true)',
    'deliveries { totalCount ...A @skip(if: $yes) }',
    'fragment A on WebhookDeliveryConnection { complete }',
  ],
  ['another alias', 'deliveries { totalCount } told: deliveries { complete }', ''],
  ['a list above', 'deliveries { totalCount } source { webhooks { complete } }', ''],
])('does not take it for data behind %s', async (_name, fields, fragments) => {
  expect((await askThree(fields, fragments)).errors).toEqual(failedAt('deliveries'));
});

test('is null under PARTIAL_RESULTS=null, unless the failure is selected', async () => {
  const fields = 'deliveries { totalCount } told: deliveries { complete } failureSummary { attempts }';
  const { nodes, errors } = await askThree(fields, '', { partialResults: 'null' });
  const whole = { deliveries: { totalCount: 1 }, told: { complete: true }, failureSummary: { attempts: 1 } };
  expect(nodes).toEqual([whole, { deliveries: null, told: { complete: false }, failureSummary: null }, whole]);
  expect(errors?.sort()).toEqual([...failedAt('deliveries'), ...failedAt('failureSummary')]);
});

test('is null under PARTIAL_RESULTS=null where rows are missing, too', async () => {
  await using graph = await openGraph({ diligent: diligentWith(partly) }, { partialResults: 'null' });
  const { data, errors } = await graph.answer(
    '{ webhooks(first: 5) { nodes { ... on DiligentWebhook { deliveries { totalCount } failureSummary { attempts } } } } }',
  );
  expect(data.webhooks.nodes).toEqual([{ deliveries: null, failureSummary: null }]);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SOURCE_PARTIAL', 'SOURCE_PARTIAL']);
});

/** The pieces of an answer, each with its errors. */
async function askPieces(selection: string) {
  await using graph = await openGraph({ diligent: oneOfThree() });
  const response = await graph.gateway.fetch('http://graph.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
    body: JSON.stringify({
      query: `{ webhooks(first: 5) { nodes { ... on DiligentWebhook { externalId ${selection} } } } }`,
    }),
  });
  const pieces = readPayloads(await response.text()).flatMap(({ incremental, ...first }) => incremental ?? [first]);
  return pieces.map(
    ({ path = [], errors }) => [path.join('.'), errors?.map((error) => error.path?.join('.'))] as const,
  );
}

test('says in the deferred piece itself that its log could not be read', async () => {
  const pieces = await askPieces('... @defer { deliveries { totalCount } failureSummary { attempts } }');
  expect(Object.fromEntries(pieces)).toEqual({
    '': undefined,
    'webhooks.nodes.0': undefined,
    'webhooks.nodes.1': expect.arrayContaining(['webhooks.nodes.1.deliveries', 'webhooks.nodes.1.failureSummary']),
    'webhooks.nodes.2': undefined,
  });
});

test('takes it for data where `complete` is selected in the deferred piece, or in another of the same field', async () => {
  for (const selection of [
    '... @defer { deliveries { totalCount complete } }',
    'deliveries { totalCount } ... @defer { deliveries { complete } }',
  ]) {
    expect((await askPieces(selection)).filter(([, errors]) => errors)).toEqual([]);
  }
});
