import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { bytes, onRequest, openGraphAt, rawAnswer, reportQuery, startRaw } from './support/faults.ts';
import type { Graph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { json, startUpstream, text } from './support/upstream.ts';

/** Every way of asking, each with its own way of showing a failure. */
const documents = [
  reportQuery,
  '{ webhooks { nodes { id } } }',
  '{ webhookSources { webhooks { totalCount } } }',
  `{ apimall: webhook(id: "${encodeId('ApiMallWebhook', 'apimall', '8')}") { url }
     diligent: node(id: "${encodeId('DiligentWebhook', 'diligent', 'x')}") { id } }`,
];

/** All that a client may get to see of a failed answer: the headers and the body of every document's answer. */
async function seen({ gateway }: Graph): Promise<string> {
  const answers = documents.map(async (query) => {
    const body = JSON.stringify({ query });
    const headers = { 'content-type': 'application/json' };
    const response = await gateway.fetch('http://graph.test/graphql', { method: 'POST', headers, body });
    return JSON.stringify([...response.headers]) + (await response.text());
  });
  return (await Promise.all(answers)).join('\n');
}

/** Answers with the word in the status text, in headers and in the body. */
function speaking(status: number, type: string, body: string): RequestListener {
  return (_request, response) => {
    response.writeHead(status, 'canary', {
      'content-type': type,
      'x-canary': 'canary',
      server: 'canary',
      via: 'canary',
    });
    response.end(body);
  };
}

const problem = {
  success: false,
  error: { code: 'a canary', message: 'canary', stack: 'canary' },
  request_id: '(canary)',
};

const faults: readonly (readonly [string, RequestListener])[] = [
  ...[400, 401, 403, 404, 418, 429, 500, 503].flatMap((status): (readonly [string, RequestListener])[] => [
    [`status ${status} with JSON`, speaking(status, 'application/json', JSON.stringify(problem))],
    [`status ${status} with HTML`, speaking(status, 'text/html', '<h1>canary</h1>')],
  ]),
  ['a redirect', text('canary', 302, { location: 'http://canary.example/canary' })],
  ['a wait', text('', 429, { 'retry-after': 'canary' })],
  ['HTML', speaking(200, 'text/html', '<h1>canary</h1>')],
  ['a type', speaking(200, 'text/canary', '[]')],
  ['an encoding', bytes('[]', { 'content-encoding': 'canary' })],
  ['what is no JSON', bytes('canary')],
  ['what is no JSON far behind', bytes(`[${'1,'.repeat(500)}canary]`)],
  ['a foreign object', json({ canary: 'canary' })],
  ['no success', json(problem)],
  ['unreadable rows', json({ success: true, data: [{ id: 'canary', url: 3 }] })],
  ['too much', bytes(JSON.stringify('canary'.repeat(2000)))],
  ['the key that came in', (request, response) => json(request.headers, 401)(request, response)],
];

test.concurrent.each(faults)('shows nothing of an upstream that answers with %s', async (_name, listener) => {
  await using upstream = await startUpstream(listener);
  await using graph = await openGraphAt({ apimall: upstream.url, diligent: upstream.url }, { maxBytes: 10_000 });
  const text = await seen(graph);
  expect(text).toContain('SOURCE_FAILED');
  expect(text).not.toMatch(/canary|test-key|127\.0\.0\.1|Bearer/i);
  expect(text).not.toContain(new URL(upstream.url).port);
});

test.concurrent.each([
  ['no HTTP', 'canary\r\n\r\n'],
  ['too many headers', rawAnswer('[]', `x-canary: ${'canary'.repeat(4000)}`)],
  ['a wrong length', rawAnswer('canary', 'content-length: canary')],
  ['a body cut off', rawAnswer('["canary', 'content-length: 900')],
])('shows nothing of an upstream that sends %s', async (_name, sent) => {
  await using server = await startRaw(onRequest((socket) => socket.end(sent)));
  await using graph = await openGraphAt({ apimall: server.url, diligent: server.url });
  const text = await seen(graph);
  expect(text).toContain('UNREACHABLE');
  expect(text).not.toMatch(/canary|test-key|127\.0\.0\.1|ECONN|HPE_|UND_ERR|Parse/i);
  expect(text).not.toContain(new URL(server.url).port);
});

test.concurrent('shows no address of an upstream that is not there', async () => {
  const server = await startRaw(() => {});
  await server.stop();
  await using graph = await openGraphAt({ apimall: `${server.url}/canary`, diligent: `${server.url}/canary` });
  const text = await seen(graph);
  expect(text).toContain('UNREACHABLE');
  expect(text).not.toMatch(/canary|127\.0\.0\.1|ECONN/i);
  expect(text).not.toContain(new URL(server.url).port);
});

const callersHeaders = {
  authorization: 'Bearer callers-own',
  cookie: 'session=callers-own',
  'x-api-key': 'callers-own',
  'x-apimall-api-key': 'callers-own',
  'x-diligent-api-key': 'callers-own',
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-host': 'callers-own.example',
  'x-request-id': 'callers-own',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'user-agent': 'callers-own',
  'accept-language': 'tlh',
};

test('sends each provider its own key where it wants it, and nothing of the caller', async () => {
  await using apimall = await startUpstream(json({ success: true, data: [apimallRow()] }));
  await using diligent = await startUpstream(json([diligentRow()]));
  await using graph = await openGraphAt({ apimall: `${apimall.url}/api/v1/`, diligent: diligent.url });
  const { data } = await graph.answer(reportQuery, {}, callersHeaders);
  expect(data.webhooks.complete).toBe(true);
  const common = { accept: 'application/json', 'accept-encoding': 'identity', connection: 'keep-alive' };
  expect(apimall.calls.map(({ path, headers }) => ({ path, headers }))).toEqual([
    {
      path: '/api/v1/webhooks',
      headers: { ...common, host: new URL(apimall.url).host, authorization: 'Bearer test-key' },
    },
  ]);
  expect(diligent.calls.map(({ path, headers }) => ({ path, headers }))).toEqual([
    { path: '/webhooks', headers: { ...common, host: new URL(diligent.url).host, 'x-api-key': 'test-key' } },
  ]);
});

test('asks with GET, without a body, in one piece', async () => {
  await using server = await startRaw(onRequest((socket) => socket.write(rawAnswer('[]'))));
  await using graph = await openGraphAt({ diligent: server.url });
  expect((await graph.query(reportQuery)).webhooks.complete).toBe(true);
  expect(server.received()).toMatch(/^GET \/webhooks HTTP\/1\.1\r\n(?:[\w-]+: [^\r\n]+\r\n)+\r\n$/);
});

test.each([401, 200])(
  'shows no code or request id that repeats the key that was sent, with status %i',
  async (status) => {
    const echo: RequestListener = (request, response) => {
      const key = String(request.headers.authorization).replace('Bearer ', '');
      const body = { success: false, error: { code: key, message: key }, request_id: `req_${key}` };
      json(body, status)(request, response);
    };
    await using upstream = await startUpstream(echo);
    await using graph = await openGraphAt({ apimall: upstream.url });
    const { webhooks } = await graph.query(reportQuery);
    expect(webhooks.sources[0].error).toMatchObject({
      httpStatus: status,
      providerCode: null,
      providerRequestId: null,
    });
    expect(await seen(graph)).not.toContain('test-key');
  },
);
