import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GraphqlHandler, RunningServer } from '../src/server.ts';
import { attack, expectCommonHeaders, good, head, host, jsonType, post, refusalOf } from './support/abuse.ts';
import { knowTokens } from './support/callers.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';

const authentication = knowTokens({
  hg_canary_reader: 'reader webhooks:read',
  hg_canary_writer: 'writer webhooks:write',
});
const reader = 'authorization: Bearer hg_canary_reader';
const asked = '{ webhooks { totalCount } }';

let graph: Graph;
let server: RunningServer;
/** How often GraphQL was asked. */
let fetched = 0;

beforeAll(async () => {
  graph = await openGraph(undefined, { graphiql: true, needsToken: true });
  const { gateway } = graph;
  const counting: GraphqlHandler = {
    fetch(...request) {
      fetched += 1;
      return gateway.fetch(...request);
    },
  };
  server = await listen(counting, { authentication, graphiql: true, corsOrigins: ['https://app.test'] });
});
afterAll(async () => {
  await server.stop();
  await graph[Symbol.asyncDispose]();
});

test('serves whoever has a token, whatever the case of the scheme, in a header of up to 8 KiB', async () => {
  for (const line of [reader, 'AUTHORIZATION: bearer   hg_canary_reader', padded(8192)]) {
    const { answers } = await attack(server.url, good(asked, line));
    expect(answers.map(({ body }) => JSON.parse(body))).toEqual([{ data: { webhooks: { totalCount: 33 } } }]);
  }
});

const challenge = 'Bearer realm="hookgraph"';
const wrongToken = `${challenge}, error="invalid_token"`;
const byGet = 'GET /graphql?query={webhooks{totalCount}}';
/** A header of so many characters, with the token at its end. */
const padded = (length: number) => `authorization: Bearer${'hg_canary_reader'.padStart(length - 'Bearer'.length)}`;

const refused: readonly [string, Buffer | string, string][] = [
  ['no token', good(asked), challenge],
  ['no token in a GET', head(byGet, host), challenge],
  ['another scheme', good(asked, 'authorization: Basic aGdfY2FuYXJ5X3JlYWRlcjo='), challenge],
  ['a token without a scheme', good(asked, 'authorization: hg_canary_reader'), challenge],
  ['an empty header', good(asked, 'authorization:'), challenge],
  ['a scheme alone', good(asked, 'authorization: Bearer'), wrongToken],
  ['a wrong token', good(asked, 'authorization: Bearer hg_canary_readeR'), wrongToken],
  ['the start of a token', good(asked, 'authorization: Bearer hg_canary_reade'), wrongToken],
  ['more than a token', good(asked, 'authorization: Bearer hg_canary_reader x'), wrongToken],
  ['a digest for a token', good(asked, `authorization: Bearer ${'0'.repeat(64)}`), wrongToken],
  ['a JWT, where none are taken', good(asked, 'authorization: Bearer e30.e30.e30'), wrongToken],
  ['the token twice', good(asked, reader, reader), wrongToken],
  ['a header over 8 KiB', good(asked, padded(8193)), wrongToken],
  ['a token in the address', head(`${byGet}&access_token=hg_canary_reader`, host), challenge],
  [
    'a token in the body',
    post(JSON.stringify({ query: asked, access_token: 'hg_canary_reader' }), jsonType),
    challenge,
  ],
  ['a token in a cookie', good(asked, 'cookie: authorization=Bearer hg_canary_reader'), challenge],
];

test.each(refused)('answers 401 to %s, and asks nobody anything', async (_name, bytes, expected) => {
  const before = fetched;
  const { answers, text } = await attack(server.url, bytes);
  expect(answers.map(refusalOf)).toEqual([
    {
      status: 401,
      code: 'UNAUTHENTICATED',
      message: 'A valid token is needed. Send the header "Authorization: Bearer" with one.',
    },
  ]);
  expect(answers[0]?.headers['www-authenticate']).toBe(expected);
  expectCommonHeaders(answers[0]?.headers ?? {});
  expect(text).not.toContain('canary');
  expect(fetched).toBe(before);
});

test('answers 401 before the body is there, and reads none of it', async () => {
  const line = 'POST /graphql';
  const { answers, closed, elapsedMs } = await attack(server.url, head(line, host, jsonType, 'content-length: 1000'));
  expect([answers[0]?.status, closed]).toEqual([401, true]);
  expect(elapsedMs).toBeLessThan(1000 + slackMs);
});

test.each(['not JSON', '{"query":"{ nonsense"}', '{"query":"{ hooks }"}'])(
  'does not parse %s of whoever has no token',
  async (body) => {
    const { answers } = await attack(server.url, post(body, jsonType));
    expect(answers.map(({ status }) => status)).toEqual([401]);
    const known = await attack(server.url, post(body, jsonType, reader));
    expect(known.answers.map(({ status }) => status)).not.toEqual([401]);
  },
);

test.each([
  ['/health', 200],
  ['/ready', 200],
  ['/metrics', 401],
  ['/nothing', 404],
])('answers %s without a token with %i', async (path, status) => {
  expect((await fetch(server.url + path)).status).toBe(status);
});

test('shows metrics to whoever has any token', async () => {
  const headers = { authorization: 'Bearer hg_canary_writer' };
  const response = await fetch(`${server.url}/metrics`, { headers });
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('process_cpu_seconds_total');
});

test('gives a browser the page of GraphiQL without a token, also at an address that holds a query, and runs nothing', async () => {
  const headers = { accept: 'text/html,*/*;q=0.8' };
  for (const address of ['/graphql', '/graphql?query={webhooks{totalCount}}']) {
    const response = await fetch(server.url + address, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html']);
    expect(await response.text()).toContain('hookgraph (needs a token)');
  }
  expect((await fetch(`${server.url}/graphql`, { headers, method: 'HEAD' })).status).toBe(405);
});

test('runs nothing for whoever pretends to want the page, even if GraphQL took it for a query', async () => {
  await using bare = await openGraph(undefined, { graphiql: false });
  await using misled = await listen(bare.gateway, { authentication, graphiql: true });
  const response = await fetch(`${misled.url}/graphql?query={webhooks{totalCount}}`, {
    headers: { accept: 'text/html, application/json' },
  });
  expect([response.status, (await response.json()).errors[0].extensions]).toEqual([403, { code: 'FORBIDDEN' }]);
});

test('asks for a token where there is no page', async () => {
  await using noPage = await listen(graph.gateway, { authentication, graphiql: false });
  expect((await fetch(`${noPage.url}/graphql`, { headers: { accept: 'text/html' } })).status).toBe(401);
});

test('lets a listed page ask before it sends a token, and read that it was wrong', async () => {
  const preflight = head('OPTIONS /graphql', host, 'origin: https://app.test', 'access-control-request-method: POST');
  const [asksFirst] = (await attack(server.url, preflight)).answers;
  expect([asksFirst?.status, asksFirst?.headers['access-control-allow-headers']]).toEqual([
    204,
    expect.stringContaining('authorization'),
  ]);
  const wrong = good(asked, 'origin: https://app.test', 'authorization: Bearer canary');
  const [answer] = (await attack(server.url, wrong)).answers;
  expect([answer?.status, answer?.headers['access-control-allow-origin']]).toEqual([401, 'https://app.test']);
});

test('lets everyone in where there is no authentication', async () => {
  await using open = await listen(graph.gateway);
  const { answers } = await attack(open.url, good(asked));
  expect(answers.map(({ body }) => JSON.parse(body))).toEqual([{ data: { webhooks: { totalCount: 33 } } }]);
});
