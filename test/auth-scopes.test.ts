import { hash } from 'node:crypto';
import { createSchema, createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { toClientError } from '../src/errors.ts';
import type { RequestRecord } from '../src/request.ts';
import { isAllowed } from '../src/request.ts';
import { useScopes } from '../src/scopes.ts';
import { encodeId } from '../src/webhook.ts';
import { knowTokens } from './support/callers.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

const authentication = knowTokens({
  hg_reader: 'reader webhooks:read',
  hg_writer: 'writer webhooks:write',
  hg_both: 'both webhooks:read webhooks:write',
  hg_payloads: 'payloads webhooks:payloads',
});

/** The status, the error's code and the data of an answer to whoever has this token. */
async function ask(url: string, token: string, query: string, type = 'application/json') {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: type, authorization: `Bearer ${token}` },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  const challenge = response.headers.get('www-authenticate');
  return { status: response.status, code: errors?.[0].extensions.code, data: data ?? null, challenge };
}

/** A graph that can be written to, as ours will be. */
const writable = createSchema<{ record: RequestRecord }>({
  typeDefs: 'type Query { read: Int } type Mutation { write: Int } type Subscription { watch: Int }',
  resolvers: {
    Query: { read: () => 1 },
    Mutation: { write: () => 1 },
    Subscription: {
      watch: {
        async *subscribe() {
          yield { watch: 1 };
        },
      },
    },
  },
});

function createWritable(plugins: ReturnType<typeof useScopes>[]) {
  return createYoga<{ record: RequestRecord }>({
    schema: writable,
    plugins,
    maskedErrors: { maskError: toClientError },
    logging: false,
  });
}

function forbidden(scope: string) {
  const challenge = `Bearer realm="hookgraph", error="insufficient_scope", scope="${scope}"`;
  return { status: 403, code: 'FORBIDDEN', data: null, challenge };
}
const served = (data: object) => ({ status: 200, code: undefined, data, challenge: null });

test.each(['application/json', 'application/graphql-response+json'])(
  'lets a query read and a mutation write, for those who may, and says 403 to others as %s',
  async (type) => {
    await using server = await listen(createWritable([useScopes(false)]), { authentication });
    const both = (token: string) =>
      Promise.all(['{ read }', 'mutation { write }'].map((query) => ask(server.url, token, query, type)));
    const mayRead = served({ read: 1 });
    const mayWrite = served({ write: 1 });
    expect(await both('hg_reader')).toEqual([mayRead, forbidden('webhooks:write')]);
    expect(await both('hg_writer')).toEqual([forbidden('webhooks:read'), mayWrite]);
    expect(await both('hg_both')).toEqual([mayRead, mayWrite]);
    expect(await both('hg_payloads')).toEqual([forbidden('webhooks:read'), forbidden('webhooks:write')]);
  },
);

test('takes a subscription for a query', async () => {
  await using server = await listen(createWritable([useScopes(false)]), { authentication });
  expect(await ask(server.url, 'hg_writer', 'subscription { watch }')).toEqual(forbidden('webhooks:read'));
});

test('judges the operation that is run, of several in one document', async () => {
  await using server = await listen(createWritable([useScopes(false)]), { authentication });
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer hg_reader' },
    body: JSON.stringify({ query: 'query A { read } mutation B { write }', operationName: 'B' }),
  });
  expect(response.status).toBe(403);
});

test('would let everyone write without it', async () => {
  await using server = await listen(createWritable([]), { authentication });
  expect(await ask(server.url, 'hg_payloads', 'mutation { write }')).toEqual(served({ write: 1 }));
});

test('asks no provider for whoever may not read, and hides the schema from them', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication });
  for (const query of ['{ webhooks { totalCount } }', '{ __schema { types { name } } }', '{ _service { sdl } }']) {
    expect(await ask(server.url, 'hg_writer', query)).toEqual(forbidden('webhooks:read'));
  }
  expect(graph.calls('apimall')).toEqual([]);
  expect((await ask(server.url, 'hg_reader', '{ webhooks { totalCount } }')).data).toEqual({
    webhooks: { totalCount: 33 },
  });
});

test.each([
  ['the list of the source', 'report { source { webhooks { totalCount } } }'],
  ['the log of the webhook', 'webhook { ... on DiligentWebhook { deliveries { totalCount } } }'],
  ['what the log says', 'webhook { ... on DiligentWebhook { failureSummary { attempts } } }'],
])('shows %s after a change to nobody who may not read', async (_name, selected) => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication });
  const id = encodeId('DiligentWebhook', 'diligent', 'none');
  const change = (more: string) => `mutation { deleteWebhook(input: { id: "${id}" }) { userErrors { code } ${more} } }`;
  expect(await ask(server.url, 'hg_writer', change(selected))).toEqual(forbidden('webhooks:read'));
  expect([graph.calls('diligent'), graph.writes]).toEqual([[], []]);
  const shown = 'webhook { url health } report { state source { key } }';
  expect((await ask(server.url, 'hg_writer', change(shown))).data.deleteWebhook.userErrors).toEqual([
    { code: 'NOT_FOUND' },
  ]);
  expect((await ask(server.url, 'hg_both', change(selected))).data.deleteWebhook.userErrors).toEqual([
    { code: 'NOT_FOUND' },
  ]);
});

test('lets everyone do everything where nobody is asked who it is', async () => {
  await using server = await listen(createWritable([useScopes(false)]));
  expect(await ask(server.url, 'canary', 'mutation { write }')).toEqual(served({ write: 1 }));
  expect(isAllowed({ caller: null }, 'webhooks:payloads')).toBe(true);
  expect(isAllowed({ caller: { name: 'a', scopes: new Set() } }, 'webhooks:payloads')).toBe(false);
});

test('runs documents by their ids as before', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication });
  const query = '{ webhookSources { key } }';
  const sha256Hash = hash('sha256', query);
  const send = async (body: object, token: string) => {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...body, extensions: { persistedQuery: { version: 1, sha256Hash } } }),
    });
    return JSON.stringify(await response.json());
  };
  expect(await send({}, 'hg_reader')).toContain('PERSISTED_QUERY_NOT_FOUND');
  expect(await send({ query }, 'hg_reader')).toContain('"apimall"');
  expect(await send({}, 'hg_reader')).toContain('"apimall"');
  expect(await send({}, 'hg_writer')).toContain('FORBIDDEN');
});

test('passes keys of callers on to providers, and their tokens to nobody', async () => {
  await using graph = await openGraph(undefined, { passthrough: true });
  await using server = await listen(graph.gateway, { authentication });
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: 'Bearer hg_reader',
      'x-apimall-api-key': 'key-of-caller',
    },
    body: JSON.stringify({ query: '{ webhooks { sources { error { code } } } }' }),
  });
  expect(await response.json()).toEqual({
    data: { webhooks: { sources: [{ error: { code: 'UNAUTHORIZED' } }, { error: { code: 'NOT_CONFIGURED' } }] } },
  });
  expect(graph.calls('apimall').map(({ headers }) => headers.authorization)).toEqual(['Bearer key-of-caller']);
  expect(JSON.stringify(graph.calls('apimall'))).not.toContain('hg_reader');
});

test('answers nobody from what others asked who may not ask it', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication });
  const query = '{ webhooks { totalCount complete } }';
  const asked = () => graph.calls('apimall').length;
  for (let times = 0; times < 6; times++) {
    expect(await ask(server.url, 'hg_reader', query)).toEqual(served({ webhooks: { totalCount: 33, complete: true } }));
  }
  const before = asked();
  expect(await ask(server.url, 'hg_writer', query)).toEqual(forbidden('webhooks:read'));
  expect(asked()).toBe(before);
});
