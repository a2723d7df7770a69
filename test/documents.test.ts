import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { GatewayOptions } from '../src/gateway.ts';
import { readManifest } from '../src/manifest.ts';
import { attack, head, host } from './support/abuse.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

const keys = '{ webhookSources { key } }';
const names = 'query Names { webhookSources { name } }';
const keysId = hash('sha256', keys);
const keysData = { webhookSources: [{ key: 'apimall' }, { key: 'diligent' }] };

const apollo = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });

async function open(trustedDocuments: GatewayOptions['trustedDocuments'] = null) {
  const graph = await openGraph(undefined, { trustedDocuments });
  const door = await listen(graph.gateway);

  async function read(response: Response) {
    const { data, errors = [] } = await response.json();
    return { status: response.status, data, code: errors[0]?.extensions.code, message: errors[0]?.message };
  }

  return {
    url: door.url,
    async post(body: object, accept = 'application/graphql-response+json') {
      const headers = { 'content-type': 'application/json', accept };
      return read(await fetch(`${door.url}/graphql`, { method: 'POST', headers, body: JSON.stringify(body) }));
    },
    async get(parameters: Record<string, string>) {
      return read(await fetch(`${door.url}/graphql?${new URLSearchParams(parameters)}`));
    },
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      await graph[Symbol.asyncDispose]();
    },
  };
}

const trusted = new Map([
  ['keys-1', keys],
  ['names-1', names],
]);
const found = { status: 200, data: keysData, code: undefined, message: undefined };

test('runs a document by its hash once it came together with it', async () => {
  await using client = await open();
  const unknown = { data: undefined, code: 'PERSISTED_QUERY_NOT_FOUND', message: 'PersistedQueryNotFound' };
  expect(await client.post(apollo(keysId))).toEqual({ status: 400, ...unknown });
  expect(await client.post(apollo(keysId), 'application/json')).toEqual({ status: 200, ...unknown });
  expect(await client.post({ query: keys, ...apollo(keysId) })).toEqual(found);
  expect(await client.post(apollo(keysId))).toEqual(found);
  expect(await client.get({ extensions: JSON.stringify(apollo(keysId).extensions) })).toEqual(found);
});

test.each<[string, unknown]>([
  ['a list for a document', { query: [], documentId: keysId }],
  ['a number for a document', { query: 7, ...apollo(keysId) }],
  ['an object for a document', { query: {}, doc_id: keysId }],
  ['a list for an id', { documentId: [keysId] }],
  ['nothing', null],
  ['a list', [{ query: keys }]],
  ['a text', 'query'],
])('refuses %s in place of what it should be', async (_name, body) => {
  for (const documents of [null, trusted]) {
    await using client = await open(documents);
    expect(await client.post(body as object)).toMatchObject({ status: 400, data: undefined });
  }
});

test('keeps no document under a hash that is not its own', async () => {
  await using client = await open();
  const wrong = await client.post({ query: names, ...apollo(keysId) });
  expect(wrong).toMatchObject({ status: 400, code: 'BAD_USER_INPUT' });
  expect(wrong.message).toContain('sha256Hash');
  expect(await client.post(apollo(keysId))).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
});

test('keeps a mutation under its hash, but none in which text stands in quotes: it may be a secret', async () => {
  await using graph = await open();
  const create = (input: string) =>
    `mutation ($s: WebhookSecret) { createDiligentWebhook(input: ${input}) { userErrors { code } } }`;
  const withText = create('{ url: "http://a.example", secret: $s }');
  const withVariables = 'mutation ($id: ID!) { deleteWebhook(input: { id: $id }) { userErrors { code } } }';
  const codes: unknown[] = [];
  for (const query of [withText, withVariables]) {
    const extension = apollo(hash('sha256', query));
    const variables = { id: 'x', s: 'canary' };
    expect(await graph.post({ query, variables, ...extension })).toMatchObject({ status: 200, code: undefined });
    codes.push((await graph.post({ variables, ...extension })).code);
  }
  expect(codes).toEqual(['PERSISTED_QUERY_NOT_FOUND', undefined]);
});

test('keeps the documents that were used last, within bounds', async () => {
  await using client = await open();
  const padded = (number: number) => `${keys}#${number}${' '.repeat(120_000)}`;
  const register = (text: string) => client.post({ query: text, ...apollo(hash('sha256', text)) });
  for (let number = 0; number < 80; number++) expect(await register(padded(number))).toEqual(found);
  expect(await client.post(apollo(hash('sha256', padded(79))))).toEqual(found);
  expect(await client.post(apollo(hash('sha256', padded(0))))).toMatchObject({ code: 'PERSISTED_QUERY_NOT_FOUND' });
});

test.each<[string, object]>([
  ['Apollo sends it', apollo('keys-1')],
  ['Relay sends it', { doc_id: 'keys-1' }],
  ['GraphQL over HTTP has it', { documentId: 'keys-1' }],
  ['its text', { query: keys }],
])('runs a trusted document by its id, as %s', async (_form, body) => {
  await using client = await open(trusted);
  expect(await client.post({ ...body, variables: {} })).toEqual(found);
});

test('takes a hash with its algorithm before it', async () => {
  await using client = await open(new Map([[keysId, keys]]));
  expect(await client.post({ documentId: `sha256:${keysId}` })).toEqual(found);
});

test.each<[string, object]>([
  ['an unknown hash', apollo(keysId)],
  ['an unknown id', { doc_id: 'no' }],
  ['a text that is not listed', { query: '{ __typename }' }],
  ['such a text under a listed id', { query: '{ __typename }', doc_id: 'keys-1' }],
  ['such a text with its own hash', { query: '{ a: __typename }', ...apollo(hash('sha256', '{ a: __typename }')) }],
  ['the name of something that every object has', { doc_id: '__proto__' }],
])('refuses %s where only trusted documents are run', async (_name, body) => {
  await using client = await open(trusted);
  expect(await client.post(body)).toMatchObject({ status: 400, data: undefined, code: 'PERSISTED_QUERY_NOT_IN_LIST' });
  await using free = await open();
  const { code } = await free.post(body);
  expect(code).not.toBe('PERSISTED_QUERY_NOT_IN_LIST');
});

test('holds trusted documents to the same limits', async () => {
  const large = '{ webhooks(first: 1000) { nodes { source { webhooks(first: 1000) { nodes { id } } } } } }';
  await using client = await open(new Map([['large', large]]));
  expect(await client.post({ doc_id: 'large' })).toMatchObject({ code: 'COST_LIMIT_EXCEEDED' });
});

const inExtensions = encodeURIComponent(JSON.stringify(apollo('keys-1').extensions));

test.each([
  `extensions=${inExtensions}`,
  `%65xtensions=${inExtensions}`,
  'documentId=keys-1',
  'document%49d=keys-1',
  'doc_id=keys-1',
  'doc%5Fid=keys-1',
  'a=b&doc_id=keys-1',
])('runs no document by its id because of a link on another page: %s', async (parameters) => {
  await using client = await open(trusted);
  const ask = async (...lines: string[]) =>
    (await attack(client.url, head(`GET /graphql?${parameters}`, host, ...lines))).answers;
  expect((await ask()).map(({ status, body }) => [status, JSON.parse(body)])).toEqual([[200, { data: keysData }]]);
  // Raw, as `fetch` writes what it likes in place of the first.
  const refused = await ask('sec-fetch-mode: navigate', 'sec-fetch-site: cross-site');
  expect(refused.map(({ status }) => status)).toEqual([403]);
  expect(refused[0]?.body).not.toContain('apimall');
});

const apolloManifest = {
  format: 'apollo-persisted-query-manifest',
  version: 1,
  operations: [{ id: 'keys-1', name: 'Keys', type: 'query', body: keys }],
};

test.each<[string, unknown]>([
  ['Apollo', apolloManifest],
  ['Relay', { 'keys-1': keys }],
])('reads the manifest that %s writes', (_client, manifest) => {
  expect(readManifest(JSON.stringify(manifest))).toEqual(new Map([['keys-1', keys]]));
});

test.each([
  '',
  'no JSON',
  '[]',
  '7',
  '{}',
  '{"a":1}',
  '{"name":"x y {"}',
  JSON.stringify({ good: keys, bad: 'x y {' }),
  JSON.stringify({ ...apolloManifest, operations: [] }),
  JSON.stringify({ ...apolloManifest, version: 2 }),
  JSON.stringify({ ...apolloManifest, format: 'another' }),
  JSON.stringify({ ...apolloManifest, operations: [{ id: 'keys-1', body: 'x y {' }] }),
  JSON.stringify({ ...apolloManifest, operations: [{ id: 7, body: keys }] }),
])('takes %j for no manifest', (text) => {
  expect(readManifest(text)).toBeNull();
});
