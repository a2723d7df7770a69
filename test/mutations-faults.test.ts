import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { encodeId } from '../src/webhook.ts';
import { type ChangeField, change, createApi } from './support/changes.ts';
import { onRequest, openGraphAt, rawAnswer, startRaw } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { hang, json, text } from './support/upstream.ts';

const url = 'https://hooks.acme.example/diligent';
const id = encodeId('DiligentWebhook', 'diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa');
const delivery = encodeDeliveryId('diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa', 'b', null);
const apimallId = encodeId('ApiMallWebhook', 'apimall', '8');

/** One of each, so that all four ways of writing at Diligent are tried. */
const changes: readonly (readonly [ChangeField, object])[] = [
  ['createDiligentWebhook', { url, events: ['cdd_state_changed'] }],
  ['updateDiligentWebhook', { id, isActive: false }],
  ['deleteWebhook', { id }],
  ['redeliverWebhookDelivery', { id: delivery }],
];

const statuses: readonly [number, string][] = [
  [400, 'INVALID'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'INVALID'],
  [413, 'INVALID'],
  [415, 'INVALID'],
  [418, 'SOURCE_FAILED'],
  [422, 'INVALID'],
  [429, 'RATE_LIMITED'],
  [302, 'SOURCE_FAILED'],
  [500, 'SOURCE_FAILED'],
  [503, 'SOURCE_FAILED'],
  [202, 'OUTCOME_UNKNOWN'],
  [303, 'OUTCOME_UNKNOWN'],
  [502, 'OUTCOME_UNKNOWN'],
  [504, 'OUTCOME_UNKNOWN'],
];

test.each(statuses)('makes each write once that is answered %i, and says %s', async (status, code) => {
  const answer = json({ error: 'canary', message: 'canary' }, status, { 'retry-after': '0', location: '/canary' });
  const api = createApi(json([diligentRow()]), answer);
  await using graph = await openGraph({ diligent: api.listener });
  for (const [field, input] of changes) {
    const { payload, errors } = await change(graph, field, input);
    // What is not there yet has no id that could be unknown.
    const expected = status === 404 && field === 'createDiligentWebhook' ? 'SOURCE_FAILED' : code;
    expect(payload.userErrors).toMatchObject([{ code: expected, message: expect.stringMatching(/^[A-Z].*\.$/) }]);
    expect(payload.report).toMatchObject({ state: 'FAILED', error: { httpStatus: status } });
    if (code === 'OUTCOME_UNKNOWN') expect(payload.report.error.retryable).toBe(false);
    expect(JSON.stringify([payload, errors])).not.toContain('canary');
    expect(graph.writes.at(-1)).toMatchObject({ outcome: expected, httpStatus: status, source: 'diligent' });
  }
  expect(api.sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'DELETE', 'POST']);
  expect(graph.writes.length).toBe(changes.length);
});

const octets = { 'content-type': 'application/json' };
const faults: readonly [string, RequestListener, string][] = [
  ['is not answered', hang, 'TIMEOUT'],
  ['is cut off', (request) => request.socket.resetAndDestroy(), 'UNREACHABLE'],
  ['is ended', (request) => void request.socket.end(), 'UNREACHABLE'],
  ['is answered in part', (_request, response) => void response.writeHead(200, octets).write('{'), 'TIMEOUT'],
  ['is answered JSON that is cut off', text('{"id":', 200, octets), 'BAD_RESPONSE'],
  ['is answered a page of HTML', text('<!doctype html>', 200, { 'content-type': 'text/html' }), 'BAD_RESPONSE'],
  ['is answered too much', text(' '.repeat(3000), 200, octets), 'TOO_LARGE'],
];

test.each(faults)('says OUTCOME_UNKNOWN where a write %s, and makes it once', async (_how, answer, sourceCode) => {
  const api = createApi(json([diligentRow()]), answer);
  const limits = { deadlineMs: 2000, attemptTimeoutMs: 60, maxBytes: 2000 };
  await using graph = await openGraph({ diligent: api.listener }, limits);
  for (const [field, input] of changes) {
    const { payload } = await change(graph, field, input);
    expect(payload.userErrors).toMatchObject([{ field: null, code: 'OUTCOME_UNKNOWN' }]);
    expect(payload.report).toMatchObject({ state: 'FAILED', error: { code: sourceCode, retryable: false } });
    expect(graph.writes.at(-1)).toMatchObject({ outcome: 'OUTCOME_UNKNOWN' });
  }
  expect(api.sent.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'DELETE', 'POST']);
});

const noise: readonly [string, (socket: Socket) => void, string][] = [
  ['greets as SSH', (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n'), 'OUTCOME_UNKNOWN'],
  ['answers with noise', onRequest((socket) => socket.write(Buffer.alloc(512, 0xa7))), 'OUTCOME_UNKNOWN'],
  ['ends amid the body', onRequest((socket) => socket.end(rawAnswer('[]', 'content-length: 900'))), 'OUTCOME_UNKNOWN'],
];

test.each(noise)('makes a write once at what %s', async (_how, greet, code) => {
  await using server = await startRaw(greet);
  await using graph = await openGraphAt({ diligent: server.url }, { deadlineMs: 500, attemptTimeoutMs: 100 });
  const { codes } = await change(graph, 'createDiligentWebhook', { url });
  expect(codes).toEqual([code]);
  expect(server.received().match(/POST \/webhooks/g)?.length).toBe(1);
});

test('says SOURCE_FAILED where nothing can have arrived', async () => {
  await using graph = await openGraph({ diligent: hang });
  await graph.upstreams.diligent?.stop();
  const { payload } = await change(graph, 'createDiligentWebhook', { url });
  expect(payload.userErrors).toMatchObject([{ field: null, code: 'SOURCE_FAILED' }]);
  expect(payload.report.error).toMatchObject({ code: 'UNREACHABLE', retryable: true });
});

test('sends each write over a connection of its own, which nothing else is sent over', async () => {
  const ports: [string, number | undefined][] = [];
  const api = createApi(json([diligentRow()]), json(diligentRow()));
  await using graph = await openGraph({
    diligent: (request, response) => {
      ports.push([request.method ?? '', request.socket.remotePort]);
      return api.listener(request, response);
    },
  });
  for (let times = 0; times < 3; times++) {
    await graph.query('{ webhooks { totalCount } }');
    await change(graph, 'updateDiligentWebhook', { id, isActive: true });
  }
  const of = (method: string) => ports.filter(([name]) => name === method).map(([, port]) => port);
  const writes = of('PATCH');
  expect(writes.length).toBe(3);
  expect(new Set(writes).size).toBe(3);
  expect(of('GET').filter((port) => writes.includes(port))).toEqual([]);
  // Reads, to compare, share one.
  expect(new Set(of('GET')).size).toBe(1);
});

test('meets no connection that is closed as it sends, which reads do', async () => {
  const used = new WeakSet<Socket>();
  const row = JSON.stringify(diligentRow());
  const asked = { GET: 0, PATCH: 0 };
  await using server = await startRaw((socket) =>
    socket.on('data', (chunk) => {
      const [, method] = /^(GET|PATCH) /.exec(chunk.toString()) ?? [];
      if (!method) return;
      asked[method as keyof typeof asked] += 1;
      if (used.has(socket)) return socket.resetAndDestroy();
      used.add(socket);
      return socket.write(rawAnswer(method === 'GET' ? `[${row}]` : row));
    }),
  );
  await using graph = await openGraphAt({ diligent: server.url });
  for (let times = 0; times < 8; times++) {
    expect((await change(graph, 'updateDiligentWebhook', { id, isActive: true })).codes).toEqual([]);
    expect(await graph.query('{ webhooks { complete } }')).toEqual({ webhooks: { complete: true } });
  }
  expect(asked.PATCH).toBe(8);
  expect(asked.GET).toBeGreaterThan(8);
});

test.each([
  [{ error: [{ code: 'invalid_type', path: ['is_active'], message: 'canary' }] }, [['isActive']]],
  [{ errors: [{ path: ['webhook_url'], message: 'canary', code: 'a' }] }, [['url']]],
  [
    [{ errors: [{ path: ['webhook_url'] }] }, { path: ['secret'] }],
    [['url'], ['secret']],
  ],
  [{ error: 'canary', details: [{ field: 'events.0' }, { field: 'events.1', message: 'canary' }] }, [['events']]],
  [{ error: 'canary', errors: [{ path: 'body.webhook_url' }], message: 'canary' }, [['url']]],
  [{ error: [{ path: ['events', 0] }, { path: ['canary'] }] }, [['events']]],
  [{ error: [{ path: ['__proto__'] }, { path: [] }, null, 5, { path: [{}] }] }, [null]],
  [{ error: 'canary' }, [null]],
  [{ message: 'canary' }, [null]],
  [null, [null]],
])('finds what Diligent objects to in %j', async (body, fields) => {
  const api = createApi(json([]), json(body, 400));
  await using graph = await openGraph({ diligent: api.listener });
  const { payload } = await change(graph, 'updateDiligentWebhook', { id, url, isActive: true });
  const found = payload.userErrors.map(({ field, code }: { field: unknown; code: string }) => [field, code]);
  expect(found).toEqual(fields.map((field) => [field, 'INVALID']));
  expect(JSON.stringify(payload)).not.toContain('canary');
});

test.each([
  ['unauthorized', 'UNAUTHORIZED', 'UNAUTHORIZED'],
  ['not_found', 'NOT_FOUND', 'NOT_FOUND'],
  ['invalid_request', 'SOURCE_FAILED', 'UPSTREAM_ERROR'],
  [undefined, 'SOURCE_FAILED', 'UPSTREAM_ERROR'],
])('goes by the code %s of a failure at API Mall that is answered 200', async (word, code, sourceCode) => {
  const failure = { success: false, error: { code: word, message: 'canary' }, request_id: 'req_1' };
  const api = createApi(apimallList(apimallRow()), json(failure));
  await using graph = await openGraph({ apimall: api.listener });
  const { payload } = await change(graph, 'deleteWebhook', { id: apimallId }, 'deletedId');
  expect(payload).toMatchObject({ deletedId: null, userErrors: [{ code }] });
  const error = { code: sourceCode, httpStatus: 200, providerCode: word ?? null, providerRequestId: 'req_1' };
  expect(payload.report.error).toMatchObject(error);
  expect(graph.writes).toMatchObject([{ outcome: code, httpStatus: 200, providerRequestId: 'req_1' }]);
  const made = await change(graph, 'createApiMallWebhook', { url, events: [] });
  expect(made.codes).toEqual([code === 'NOT_FOUND' ? 'SOURCE_FAILED' : code]);
});
