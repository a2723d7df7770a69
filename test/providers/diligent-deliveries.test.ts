import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { decodeId } from '../../src/webhook.ts';
import { deliveryRow, diligentWith, webhookId } from '../support/deliveries.ts';
import { bytes } from '../support/faults.ts';
import { openGraph } from '../support/graph.ts';
import { diligentRow, without } from '../support/rows.ts';
import { json } from '../support/upstream.ts';
import { everyField } from './every-field.ts';

const document = `{ webhooks(first: 1) { nodes { ... on DiligentWebhook { deliveries {
  nodes ${everyField('WebhookDelivery')}
  sources { state itemCount rejectedCount error { code message } }
} } } } }`;

async function readWith(log: RequestListener, webhook: object = diligentRow()) {
  await using graph = await openGraph({ diligent: diligentWith(log, webhook) }, { deliveryPayloads: true });
  const { webhooks } = await graph.query(document);
  const [{ deliveries }] = webhooks.nodes;
  return {
    deliveries: deliveries.nodes,
    report: deliveries.sources[0],
    paths: graph.calls('diligent').map((it) => it.path),
  };
}

/** What is shown of a log of these rows. */
async function read(...rows: readonly unknown[]) {
  return await readWith(json(rows));
}

/** What is shown of a row with these members. */
async function readOne(fields: Record<string, unknown>) {
  const { deliveries, report } = await read(deliveryRow(fields));
  expect(report).toEqual({ state: 'OK', itemCount: 1, rejectedCount: 0, error: null });
  return deliveries[0];
}

test('reads a row as in the schema', async () => {
  const { deliveries, paths } = await read(deliveryRow());
  const [{ id, ...shown }] = deliveries;
  expect(shown).toEqual({
    externalId: '9c0f2a44-0a5e-4b0a-8d0c-6b8b2f2f7d10',
    event: 'cdd_state_changed',
    at: '2026-07-31T02:51:34.155Z',
    httpStatus: 200,
    statusClass: 'SUCCESSFUL',
    succeeded: true,
    request: {
      headers: [
        { name: 'Content-Type', value: 'application/json' },
        { name: 'X-Event-Id', value: '9c0f2a44-0a5e-4b0a-8d0c-6b8b2f2f7d10' },
      ],
      body: '{"id":"cdd-1","state":"COMPLETED"}',
      truncated: false,
    },
    response: { headers: [{ name: 'content-type', value: 'text/plain' }], body: 'OK', truncated: false },
  });
  expect(decodeId(id)).toMatchObject({ typename: 'WebhookDelivery', source: 'diligent' });
  expect(paths).toEqual(['/webhooks', `/webhooks/${webhookId}/events`]);
});

test('needs nothing of a row but its id', async () => {
  const { deliveries, report } = await read({ id: 'bare' });
  const nothing = { event: null, at: null, httpStatus: null, succeeded: null, request: null, response: null };
  expect(deliveries).toEqual([{ id: expect.any(String), externalId: 'bare', statusClass: 'UNKNOWN', ...nothing }]);
  expect(report.state).toBe('OK');
});

test('counts rows without an id, and those that say that they are of another webhook', async () => {
  const rows = [without(deliveryRow(), 'id'), deliveryRow({ id: '' }), deliveryRow({ id: {} }), 7, null, 'text', []];
  const { deliveries, report } = await read(...rows, deliveryRow({ id: 'x', webhook_id: 'another' }), deliveryRow());
  expect(deliveries).toHaveLength(1);
  expect(report).toEqual({
    state: 'PARTIAL',
    itemCount: 1,
    rejectedCount: 8,
    error: { code: 'BAD_RESPONSE', message: '8 of 9 rows could not be read, or came twice.' },
  });
});

test.each([[undefined], [null], [''], [{}], [{ toString: 1 }], [[]]])(
  'takes %j for `webhook_id` as not said',
  async (webhook_id) => {
    expect(await readOne({ webhook_id })).toMatchObject({ event: 'cdd_state_changed' });
  },
);

test.each<[unknown, number | null, string, boolean | null]>([
  [undefined, null, 'UNKNOWN', null],
  [null, null, 'UNKNOWN', null],
  ['200', null, 'UNKNOWN', null],
  [200.5, null, 'UNKNOWN', null],
  [4_294_967_296, null, 'UNKNOWN', null],
  [0, 0, 'UNKNOWN', false],
  [-200, -200, 'UNKNOWN', false],
  [100, 100, 'INFORMATIONAL', false],
  [199, 199, 'INFORMATIONAL', false],
  [204, 204, 'SUCCESSFUL', true],
  [299, 299, 'SUCCESSFUL', true],
  [302, 302, 'REDIRECTION', false],
  [404, 404, 'CLIENT_ERROR', false],
  [503, 503, 'SERVER_ERROR', false],
  [600, 600, 'UNKNOWN', false],
])('shows the status %j as %j, %s, succeeded: %j', async (status_code, httpStatus, statusClass, succeeded) => {
  expect(await readOne({ status_code })).toMatchObject({ httpStatus, statusClass, succeeded });
});

test.each<[unknown, string | null]>([
  ['2023-11-07T05:31:56Z', '2023-11-07T05:31:56.000Z'],
  ['2026-07-31T02:51:34.155+02:00', '2026-07-31T00:51:34.155Z'],
  ['yesterday', null],
  [1_790_000_000, null],
  [null, null],
])('shows the time %j as %j', async (timestamp, at) => {
  expect(await readOne({ timestamp })).toMatchObject({ at });
});

test.each([[''], [null], [5], [['a']]])('shows the event %j as null', async (event_type) => {
  expect(await readOne({ event_type })).toMatchObject({ event: null });
});

test.each<[string, unknown, string | null]>([
  ['an object', { a: [1] }, '{"a":[1]}'],
  ['an array', [1, 'b'], '[1,"b"]'],
  ['JSON text, as it is', '{ "a": 1 }', '{ "a": 1 }'],
  ['text that is no JSON', '<html>', '<html>'],
  ['empty text', '', ''],
  ['a number', 0, '0'],
  ['a flag', false, 'false'],
  ['null', null, null],
  ['nothing', undefined, null],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
  ['an object with half a character', { a: '\ud800' }, '{"a":"\ufffd"}'],
])('shows %s of a payload or a body as text', async (_name, value, body) => {
  const shown = await readOne({ request: { payload: value }, response: { body: value } });
  expect(shown).toMatchObject({
    request: { headers: [], body, truncated: false },
    response: { headers: [], body, truncated: false },
  });
});

test.each([[null], [undefined], ['text'], [5], [[]]])('shows %j for a side of a delivery as null', async (side) => {
  expect(await readOne({ request: side, response: side })).toMatchObject({ request: null, response: null });
});

test('cuts a body after 16384 characters, says so, and leaves no half of one', async () => {
  const request = { payload: 'a'.repeat(16_384) };
  const response = { body: `${'b'.repeat(16_383)}\u{1f600}` };
  const shown = await readOne({ request, response });
  expect(shown.request).toEqual({ headers: [], body: request.payload, truncated: false });
  expect(shown.response).toEqual({ headers: [], body: `${'b'.repeat(16_383)}\ufffd`, truncated: true });
});

test('shows a body that is nested as deeply as JSON can say', async () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const { deliveries } = await readWith(bytes(`[{"id":"deep","request":{"payload":${deep}}}]`));
  expect(deliveries).toMatchObject([{ externalId: 'deep', request: { truncated: true } }]);
});

test('shows values of headers that are no text, and leaves out those that are none', async () => {
  const headers = {
    a: 'x',
    b: 5,
    c: true,
    d: ['x', 1, null, ['y']],
    e: null,
    f: { 'x-signature': 'canary' },
    'no name': 'x',
    '': 'x',
  };
  const { request } = await readOne({ request: { headers } });
  expect(request.headers).toEqual([
    { name: 'a', value: 'x' },
    { name: 'b', value: '5' },
    { name: 'c', value: 'true' },
    { name: 'd', value: 'x, 1' },
  ]);
});

test.each([[[{ name: 'X-Signature', value: 'canary' }]], ['X-Signature: canary'], [null], [5]])(
  'shows no header where they are %j',
  async (headers) => {
    expect(await readOne({ request: { headers } })).toMatchObject({ request: { headers: [] } });
  },
);

test('tells two attempts of one event apart by their times, and counts what came twice', async () => {
  const again = deliveryRow({ timestamp: '2026-07-31T03:00:00.000Z' });
  const { deliveries, report } = await read(again, deliveryRow(), deliveryRow());
  expect(new Set(deliveries.map(({ externalId }: { externalId: string }) => externalId)).size).toBe(1);
  expect(new Set(deliveries.map(({ id }: { id: string }) => id)).size).toBe(2);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 2, rejectedCount: 1 });
});

test.each([
  ['a/b?c#d', '/webhooks/a%2Fb%3Fc%23d/events'],
  ['../x', '/webhooks/..%2Fx/events'],
  ['%2e%2e', '/webhooks/%252e%252e/events'],
  ['ü \r\n', '/webhooks/%C3%BC%20%0D%0A/events'],
])('asks for the log of a webhook with the id %j in one part of the path', async (id, path) => {
  const { paths, deliveries } = await readWith(json([deliveryRow({ webhook_id: id })]), diligentRow({ id }));
  expect(paths).toEqual(['/webhooks', path]);
  expect(deliveries).toHaveLength(1);
});

test.each(['.', '..'])('asks for no log of a webhook with the id %j, which would be another address', async (id) => {
  const { paths, report } = await readWith(json([deliveryRow()]), diligentRow({ id }));
  expect(paths).toEqual(['/webhooks']);
  expect(report).toMatchObject({ state: 'FAILED', error: { code: 'NOT_FOUND' } });
});

test.each([{}, null, 'text', 5, { items: [] }])('cannot read a log that is %j', async (body) => {
  expect((await readWith(json(body))).report).toMatchObject({ state: 'FAILED', error: { code: 'BAD_RESPONSE' } });
});

test('reads an empty log, as of a webhook to which nothing was sent', async () => {
  expect(await read()).toMatchObject({ deliveries: [], report: { state: 'OK', error: null, itemCount: 0 } });
});

test('leaves out what is older than 5000 deliveries, and says so', async () => {
  const rows = Array.from({ length: 5001 }, (_, index) => deliveryRow({ id: `e${index}` }));
  const { deliveries, report } = await read(...rows);
  expect(deliveries).toHaveLength(100);
  expect(report).toEqual({
    state: 'PARTIAL',
    itemCount: 5000,
    rejectedCount: 0,
    error: { code: 'TOO_LARGE', message: 'The log has more than 5000 deliveries: older ones are left out.' },
  });
});
