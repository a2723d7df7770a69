import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';
import type { ServerOptions } from '../src/server.ts';
import { type GraphOptions, openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

async function serve(options: GraphOptions = {}, door: Partial<ServerOptions> = {}) {
  const graph = await openGraph(undefined, options);
  const server = await listen(graph.gateway, door);
  return {
    graph,
    url: `${server.url}/graphql`,
    base: server.url,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await graph[Symbol.asyncDispose]();
    },
  };
}

test("passes all of graphql-http's audits", async () => {
  await using server = await serve();
  const audits = serverAudits({ url: server.url, fetchFn: fetch });
  const results = await Promise.all(audits.map((audit) => audit.fn()));
  expect(results.filter(({ status }) => status !== 'ok').map((result) => `${result.status}: ${result.name}`)).toEqual(
    [],
  );
  expect(results).toHaveLength(61);
});

test.each(['application/json', 'application/graphql-response+json'])('answers in the media type %s', async (type) => {
  await using server = await serve();
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { accept: type, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ webhooks { totalCount } }' }),
  });
  expect([response.status, response.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`]);
  expect(await response.json()).toEqual({ data: { webhooks: { totalCount: 33 } } });
});

test('answers a query by GET', async () => {
  await using server = await serve();
  const response = await fetch(`${server.url}?query=${encodeURIComponent('{ webhookSources { key } }')}`);
  expect(await response.json()).toEqual({ data: { webhookSources: [{ key: 'apimall' }, { key: 'diligent' }] } });
});

test.each([
  ['broken JSON', '{"query":', 'BAD_USER_INPUT'],
  ['an empty body', '', 'BAD_USER_INPUT'],
  ['null', 'null', 'BAD_USER_INPUT'],
  ['text', '"{ __typename }"', 'BAD_USER_INPUT'],
  ['a batch', '[{"query":"{ __typename }"}]', 'BAD_USER_INPUT'],
  ['no query', '{}', 'BAD_USER_INPUT'],
  ['variables that are no object', '{"query":"{ __typename }","variables":"x"}', 'BAD_USER_INPUT'],
  ['more than 128 KiB', JSON.stringify({ query: `{ __typename ${'#'.repeat(131_072)} }` }), 'BAD_USER_INPUT'],
  ['a syntax error', '{"query":"{ webhooks"}', 'GRAPHQL_PARSE_FAILED'],
  ['an unknown field', '{"query":"{ hooks }"}', 'GRAPHQL_VALIDATION_FAILED'],
  ['an operation that is not there', '{"query":"query A { __typename }","operationName":"B"}', 'BAD_USER_INPUT'],
])('refuses %s with one clear error', async (_name, body, code) => {
  await using server = await serve();
  const accept = 'application/graphql-response+json';
  const headers = { accept, 'content-type': 'application/json' };
  const response = await fetch(server.url, { method: 'POST', headers, body });
  const { data, errors } = await response.json();
  expect(data ?? null).toBeNull();
  expect(errors).toEqual([expect.objectContaining({ message: expect.any(String), extensions: { code } })]);
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
});

test('says in the usual form which media types it can answer in', async () => {
  await using server = await serve();
  const response = await fetch(server.url, {
    method: 'POST',
    headers: { accept: 'text/plain', 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  expect(response.status).toBe(406);
  expect(await response.json()).toEqual({
    errors: [{ message: expect.stringContaining('application/json'), extensions: { code: 'BAD_USER_INPUT' } }],
  });
});

const unsendable = { 'x-canary': 'a\u0001b' };

test.each([
  ['fails', () => Promise.reject(new Error('canary'))],
  ['makes an answer that cannot be sent', () => new Response('short', { headers: unsendable })],
])('answers "Internal error" where the gateway itself %s, and reports it', async (_name, fetchBroken) => {
  const told: unknown[] = [];
  await using server = await listen({ fetch: fetchBroken }, { onInternalError: (error) => told.push(error) });
  const response = await fetch(`${server.url}/graphql?query={__typename}`);
  expect(response.status).toBe(500);
  expect(await response.text()).toBe(
    '{"errors":[{"message":"Internal error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}',
  );
  expect(told).toEqual([expect.objectContaining({ message: expect.stringContaining('canary') })]);
});

test.each([
  ['/health', 200],
  ['/ready', 200],
  ['/ready?probe=1', 200],
  ['/', 404],
  ['/graphql/x', 404],
])('answers %s with %i', async (path, status) => {
  await using server = await serve();
  const response = await fetch(server.base + path);
  expect(response.status).toBe(status);
  expect(server.graph.calls('apimall')).toEqual([]);
});

test('hides the schema where introspection is off, and nothing else', async () => {
  await using graph = await openGraph(undefined, { introspection: false });
  const { errors } = await graph.answer('{ __schema { queryType { name } } }');
  expect(errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  expect(await graph.query('{ webhooks(first: 1) { nodes { __typename } } }')).toBeTruthy();
});

test.each<[string, ServerOptions['corsOrigins'], string, boolean]>([
  ['a listed origin', ['https://app.example'], 'https://app.example', true],
  ['one that is not listed', ['https://app.example'], 'https://evil.example', false],
  ['one that only begins alike', ['https://app.example'], 'https://app.example.evil.example', false],
  ['any port of this machine', 'localhost', 'http://localhost:5173', true],
  ['a name that only begins like this machine', 'localhost', 'http://localhost.evil.example', false],
  ['no origin where none is listed', [], 'https://app.example', false],
])('lets a browser read from %s or not', async (_name, corsOrigins, origin, admitted) => {
  await using server = await serve({}, { corsOrigins });
  const preflight = await fetch(server.url, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-apimall-api-key' },
  });
  const answer = await fetch(server.url, {
    method: 'POST',
    headers: { origin, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
  });
  for (const { headers } of [preflight, answer]) {
    expect(headers.get('access-control-allow-origin')).toBe(admitted ? origin : null);
    expect(headers.get('access-control-allow-credentials')).toBeNull();
    expect(headers.get('vary')).toBe(corsOrigins.length > 0 ? 'Origin' : null);
  }
  expect(preflight.headers.get('access-control-allow-headers') ?? '').not.toContain('api-key');
});

test('lets a listed page read why it was refused, and when to come back', async () => {
  await using server = await serve({}, { corsOrigins: ['https://app.example'], maxInFlight: 0 });
  const { status, headers } = await fetch(`${server.url}?query={__typename}`, {
    headers: { origin: 'https://app.example', 'x-graphql-yoga-csrf': '1' },
  });
  expect([status, headers.get('retry-after')]).toEqual([503, '1']);
  expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
  expect(headers.get('access-control-expose-headers')).toContain('retry-after');
});

test('says "Internal error" and no more of a fault of its own', async () => {
  const told: unknown[] = [];
  const fault = new Error('canary');
  await using graph = await openGraph(undefined, {
    onInternalError: (error) => told.push(error),
    findCredentials: () => () => {
      throw fault;
    },
  });
  const response = await graph.gateway.fetch('http://graph.test/graphql?query={__typename}');
  const { errors, data } = await response.json();
  expect(response.status).toBe(500);
  expect(data ?? null).toBeNull();
  expect(errors).toEqual([
    expect.objectContaining({ message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }),
  ]);
  expect(JSON.stringify(errors)).not.toContain('canary');
  expect(told).toHaveLength(1);
});
