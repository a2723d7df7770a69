import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Graph, openGraph } from './support/graph.ts';
import { type Payload, readPayloads } from './support/pieces.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after, hang, json, text } from './support/upstream.ts';

const bySource = `{
  webhookSources {
    key
    ... @defer(label: "rows") { webhooks { nodes { url } } }
  }
}`;

const whole = { apimall: apimallList(apimallRow()), diligent: json([diligentRow()]) };
const failing = { ...whole, diligent: text('no', 400) };

function post(graph: Pick<Graph, 'gateway'>, query: string, accept = 'multipart/mixed;deferSpec=20220824') {
  return graph.gateway.fetch('http://graph.test/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
}

async function payloads(graph: Graph, query: string): Promise<Payload[]> {
  return readPayloads(await (await post(graph, query)).text());
}

async function pieces(graph: Graph, query: string): Promise<readonly Payload[]> {
  return (await payloads(graph, query)).flatMap(({ incremental, ...first }) => incremental ?? [first]);
}

test('shows the fast source while the slow one has not answered', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using graph = await openGraph({ ...whole, apimall: after(() => promise, whole.apimall) });
  await using door = await listen(graph.gateway);
  const response = await fetch(`${door.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
    body: JSON.stringify({ query: bySource }),
  });
  let seen = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    seen += chunk;
    // Nothing but the fast source's rows lets the slow one go on.
    if (seen.includes('hooks.acme.example/diligent')) resolve();
  }
  expect(response.headers.get('content-type')).toBe('multipart/mixed; boundary="-"');
  expect(seen.indexOf('acme.example/diligent')).toBeLessThan(seen.indexOf('acme.example/apimall'));
  expect(seen).toContain('"hasNext":false');
});

test('says in the deferred piece itself that its source failed', async () => {
  // The other piece comes later, when the failure is known.
  await using graph = await openGraph({ ...failing, apimall: after(() => sleep(100), whole.apimall) });
  const [first, ...rest] = await pieces(graph, bySource);
  expect(first).toEqual({ data: { webhookSources: [{ key: 'apimall' }, { key: 'diligent' }] }, hasNext: true });
  const bad = rest.find(({ path }) => path?.[1] === 1);
  expect(bad).toMatchObject({ data: { webhooks: { nodes: [] } }, path: ['webhookSources', 1], label: 'rows' });
  expect(bad?.errors).toEqual([
    expect.objectContaining({
      path: ['webhookSources', 1, 'webhooks'],
      extensions: { code: 'SOURCE_FAILED', source: 'diligent', sourceErrorCode: 'BAD_RESPONSE' },
    }),
  ]);
  expect(rest.find(({ path }) => path?.[1] === 0)).not.toHaveProperty('errors');
});

test('says in the first piece what failed there, and not again later', async () => {
  await using graph = await openGraph(failing);
  const [first, ...rest] = await payloads(
    graph,
    '{ webhooks { nodes { id ... @defer { url } } } webhookSources { ... @defer { key } } }',
  );
  expect(first?.errors?.map(({ path }) => path)).toEqual([['webhooks']]);
  expect(rest.flatMap(({ incremental = [] }) => incremental).flatMap(({ errors = [] }) => errors)).toEqual([]);
});

test.each([
  '{ ... @defer { webhooks { nodes { url } } } ... @defer { webhooks { totalCount } } }',
  '{ webhooks { totalCount } ... @defer { webhooks { nodes { url } } } }',
])('says once in each piece that holds the list what failed: %s', async (query) => {
  await using graph = await openGraph(failing);
  const all = (await pieces(graph, query)).filter(({ data }) => data?.webhooks);
  expect(all.map(({ errors }) => errors?.map(({ path }) => path))).toEqual([[['webhooks']], [['webhooks']]]);
});

test.each([
  '{ webhooks { complete nodes { url } } ... @defer { webhooks { totalCount } } }',
  '{ webhooks { nodes { url } } ... @defer { webhooks { complete totalCount } } }',
  '{ a: webhookSources { ... @defer { webhooks { complete } } webhooks { totalCount } } }',
  'query($no: Boolean = false) { webhooks { nodes { url } } ... @defer(if: $no) { webhooks { complete } } }',
])('takes the failure of a list for data in all of its pieces, if one tells: %s', async (query) => {
  for (const partialResults of ['rows', 'null'] as const) {
    await using graph = await openGraph(failing, { partialResults });
    const all = await pieces(graph, query);
    expect(all.flatMap(({ errors = [] }) => errors)).toEqual([]);
    expect(JSON.stringify(all)).toContain('"complete":false');
    expect(JSON.stringify(all)).not.toContain('"webhooks":null');
  }
});

test('takes no other list for it that tells', async () => {
  await using graph = await openGraph(failing);
  const all = await pieces(graph, '{ webhooks { nodes { url } } ... @defer { other: webhooks { complete } } }');
  expect(all.flatMap(({ errors = [] }) => errors).map(({ path }) => path)).toEqual([['webhooks']]);
});

test.each(['complete', 'sources { state }'])('takes a deferred %s for a failure as data', async (field) => {
  await using graph = await openGraph(failing);
  const all = await pieces(graph, `{ webhooks { nodes { id } ... @defer { ${field} } } }`);
  expect(all.flatMap(({ errors = [] }) => errors)).toEqual([]);
  expect(JSON.stringify(all)).toMatch(/"complete":false|"state":"FAILED"/);
});

test('streams the items of a list, each with the failure of its own source', async () => {
  await using graph = await openGraph(failing);
  const [first, ...rest] = await pieces(
    graph,
    '{ webhookSources @stream(initialCount: 1) { key webhooks { nodes { url } } } }',
  );
  expect(first).toEqual({
    data: {
      webhookSources: [{ key: 'apimall', webhooks: { nodes: [{ url: 'https://hooks.acme.example/apimall' }] } }],
    },
    hasNext: true,
  });
  expect(rest).toHaveLength(1);
  expect(rest[0]).toMatchObject({ items: [{ key: 'diligent', webhooks: { nodes: [] } }], path: ['webhookSources', 1] });
  expect(rest[0]?.errors?.map(({ path }) => path)).toEqual([['webhookSources', 1, 'webhooks']]);
});

test('translates the errors of pieces like all others', async () => {
  await using graph = await openGraph(whole);
  const all = await pieces(graph, '{ webhookSources { ... @defer { webhooks(first: 0) { complete } } } }');
  expect(all.flatMap(({ errors = [] }) => errors).map(({ extensions }) => extensions)).toEqual([
    { code: 'BAD_USER_INPUT' },
    { code: 'BAD_USER_INPUT' },
  ]);
});

test('asks each upstream once, however many pieces need it', async () => {
  await using graph = await openGraph(whole);
  await pieces(
    graph,
    '{ webhooks { complete } ... @defer(label: "a") { a: webhooks { totalCount } } ... @defer(label: "b") { b: webhooks { totalCount } } }',
  );
  expect([graph.calls('apimall').length, graph.calls('diligent').length]).toEqual([1, 1]);
});

test('sends events to those who take no other form', async () => {
  await using graph = await openGraph(whole);
  const response = await post(graph, bySource, 'text/event-stream');
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect((await response.text()).match(/^event: next$/gm)?.length).toBeGreaterThan(1);
});

test('tells those who take JSON only what to accept', async () => {
  await using graph = await openGraph(whole);
  await using door = await listen(graph.gateway);
  const response = await fetch(`${door.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query: bySource }),
  });
  expect(response.status).toBe(406);
  expect((await response.json()).errors[0].message).toContain('multipart/mixed');
});

test('ends the calls for pieces that nobody waits for any more', async () => {
  await using graph = await openGraph({ ...whole, apimall: hang });
  await using door = await listen(graph.gateway);
  const caller = new AbortController();
  const response = await fetch(`${door.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'multipart/mixed' },
    body: JSON.stringify({ query: bySource }),
    signal: caller.signal,
  });
  await response.body?.getReader().read();
  while (graph.calls('apimall').length === 0) await sleep(5);
  caller.abort();
  expect(await graph.calls('apimall')[0]?.ended).toBe('left');
});

test('weighs what is deferred like the rest', async () => {
  await using graph = await openGraph(whole);
  const rows = 'webhooks(first: 1000) { nodes { source { webhooks(first: 1000) { nodes { id } } } } }';
  const response = await post(graph, `{ ... @defer { ${rows} } }`);
  expect(await response.text()).toContain('COST_LIMIT_EXCEEDED');
});
