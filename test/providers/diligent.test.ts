import { expect, test } from 'vitest';
import { encodeId } from '../../src/webhook.ts';
import { bytes } from '../support/faults.ts';
import { openGraph } from '../support/graph.ts';
import { diligentRow, without } from '../support/rows.ts';
import { json } from '../support/upstream.ts';
import { readList } from './reading.ts';

const whole = { state: 'OK', rejectedCount: 0, error: null };
const row = diligentRow();
const id = 'df89eb16-4c6a-439f-b668-7cca0cd786fa';
const other = diligentRow({ id: 'other' });

/** The only row of a list, which must be whole. */
async function readRow(fields: Record<string, unknown>) {
  const { rows, report } = await readList('diligent', json([diligentRow(fields)]));
  expect(report).toMatchObject({ ...whole, itemCount: 1 });
  return rows[0];
}

test('asks for /webhooks once, with the key in X-API-KEY and no other credential', async () => {
  const { calls } = await readList('diligent', json([]));
  expect(calls).toMatchObject([{ path: '/webhooks', headers: { 'x-api-key': 'test-key' } }]);
  expect(calls[0]?.headers).not.toHaveProperty('authorization');
});

test('reads an empty list whole', async () => {
  const { rows, report } = await readList('diligent', json([]));
  expect({ rows, report }).toMatchObject({ rows: [], report: { ...whole, itemCount: 0 } });
});

test.each([
  ['a UUID', id, id],
  ['any text', 'wh:a/b c~ü', 'wh:a/b c~ü'],
  ['text with line breaks', '\na\nb\n', '\na\nb\n'],
  ['a number', 42, '42'],
  ['the largest exact integer', Number.MAX_SAFE_INTEGER, '9007199254740991'],
])('reads an id that is %s as text, and finds the row again by it', async (_name, given, externalId) => {
  await using graph = await openGraph({ diligent: json([diligentRow({ id: given }), other]) });
  const document = 'query ($id: ID!) { webhook(id: $id) { externalId } webhooks { nodes { externalId } } }';
  const found = await graph.query(document, { id: encodeId('DiligentWebhook', 'diligent', externalId) });
  expect(found.webhook).toEqual({ externalId });
  expect(found.webhooks.nodes).toContainEqual({ externalId });
});

test.each([
  ['is_active', { enabled: true, isActive: null }],
  ['has_secret', { hasSecret: null, secretConfigured: null }],
  ['status', { status: null, enabled: true, health: 'HEALTHY' }],
  ['last_delivery_at', { lastDeliveryAt: null, lastDelivery: { at: null, httpStatus: 200, succeeded: true } }],
  ['last_delivery_status', { lastDeliveryStatus: null, lastDelivery: { httpStatus: null, succeeded: null } }],
])('reads a row without %s whole', async (name, expected) => {
  expect(await readRow({ [name]: undefined })).toMatchObject(expected);
});

test.each([
  ['is_active', 'yes', { isActive: null }],
  ['is_active', 1, { isActive: null }],
  ['is_active', null, { isActive: null }],
  ['has_secret', 'true', { hasSecret: null, secretConfigured: null }],
  ['has_secret', null, { hasSecret: null, secretConfigured: null }],
  ['has_secret', false, { hasSecret: false, secretConfigured: false }],
  ['has_secret', true, { hasSecret: true, secretConfigured: true }],
  ['status', 5, { status: null }],
  ['status', '', { status: null }],
  ['status', 'Throttled!', { status: 'Throttled!', enabled: true, health: 'UNKNOWN' }],
  ['last_delivery_status', '200', { lastDeliveryStatus: null }],
  ['last_delivery_status', 200.5, { lastDeliveryStatus: null }],
  ['last_delivery_status', 2 ** 31, { lastDeliveryStatus: null }],
  ['last_delivery_status', 2 ** 60, { lastDeliveryStatus: null }],
  ['last_delivery_status', 2 ** 31 - 1, { lastDeliveryStatus: 2 ** 31 - 1 }],
])('reads %s: %j', async (name, value, expected) => {
  expect(await readRow({ [name]: value })).toMatchObject(expected);
});

test.each([
  ['2026-03-12T08:58:00Z', '2026-03-12T08:58:00.000Z'],
  ['2026-03-12T10:58:00.1239+02:00', '2026-03-12T08:58:00.123Z'],
  ['2026-02-30T08:58:00Z', null],
  ['2099-12-31T23:59:59Z', '2099-12-31T23:59:59.000Z'],
  ['yesterday', null],
  ['0000-01-01T00:00:00+01:00', null],
  [1_773_305_880, null],
])('reads the time %j as %j and keeps the row', async (last_delivery_at, at) => {
  expect(await readRow({ last_delivery_at })).toMatchObject({ lastDeliveryAt: at, lastDelivery: { at } });
});

test.each([
  ['https://CRM.Acme.example:8443/Hook', 'crm.acme.example'],
  ['javascript:alert(1)', null],
  ['https://crm.acme.example/\r\nx-injected: 1', null],
  ['<string>', null],
])('keeps the URL %j as registered, with the host %j', async (url, host) => {
  expect(await readRow({ webhook_url: url })).toMatchObject({ url, host });
});

test('spells half a character, which no UTF-8 can hold, as the replacement character', async () => {
  const half = { id: 'a\ud800', webhook_url: 'https://x.example/\udc00', events: ['\ud83d'], status: '\ud800x' };
  expect(await readRow(half)).toMatchObject({
    externalId: 'a\ufffd',
    url: 'https://x.example/\ufffd',
    events: ['\ufffd'],
    status: '\ufffdx',
  });
});

test('keeps events that it does not know, in their order, and takes an empty list of events', async () => {
  const events = ['search_completed', 'sanctions_list_refreshed', 'search_completed'];
  expect(await readRow({ events })).toMatchObject({ events });
  expect(await readRow({ events: [] })).toMatchObject({ events: [] });
});

test('says nothing of times of registration and change, which Diligent does not tell', async () => {
  const row = await readRow({ created_at: '2026-03-12T08:58:00Z', updated_at: '2026-03-12T08:58:00Z' });
  expect(row).toMatchObject({ createdAt: null, updatedAt: null });
});

test('ignores members that it does not know, a secret above all', async () => {
  const { rows, text } = await readList('diligent', json([diligentRow({ secret: 'hush-4711', description: 'x' })]));
  expect(rows).toEqual([await readRow({})]);
  expect(text).not.toContain('hush-4711');
});

test('takes nothing from a member that is called __proto__', async () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const inherited = '{"webhook_url":"https://evil.example","is_active":false,"polluted":true}';
  const plain = JSON.stringify(without(row, 'is_active')).replace('{', `{"__proto__":${inherited},"constructor":{},`);
  const urlLess = JSON.stringify(without(other, 'webhook_url')).replace('{', `{"__proto__":${inherited},`);
  const { rows, report } = await readList('diligent', bytes(`[${plain},${urlLess}]`));
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1 });
  expect(rows[0]).toMatchObject({ externalId: id, url: 'https://hooks.acme.example/diligent', isActive: null });
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect({}).not.toHaveProperty('polluted');
});

test.each([
  ['no id', without(row, 'id')],
  ['the id null', diligentRow({ id: null })],
  ['an empty id', diligentRow({ id: '' })],
  ['an id above 2^53', diligentRow({ id: 2 ** 53 })],
  ['an id with a fraction', diligentRow({ id: 8.5 })],
  ['a flag for an id', diligentRow({ id: true })],
  ['no webhook_url', without(row, 'webhook_url')],
  ['the webhook_url null', diligentRow({ webhook_url: null })],
  ['a url under another name', { ...without(row, 'webhook_url'), url: 'https://hooks.acme.example/' }],
  ['no events', without(row, 'events')],
  ['the events null', diligentRow({ events: null })],
  ['an event that is no text', diligentRow({ events: [{ name: 'search_completed' }] })],
  ['nothing at all', {}],
])('rejects a row that has %s, and no other', async (_name, bad) => {
  const { rows, report } = await readList('diligent', json([bad, other]));
  expect(rows).toMatchObject([{ externalId: 'other', health: 'HEALTHY' }]);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1 });
  expect(report.error).toMatchObject({
    code: 'BAD_RESPONSE',
    message: '1 of 2 rows could not be read, or came twice.',
  });
});

test.each([[null], [5], ['text'], [false], [[]], [[row]]])('rejects %j in the place of a row', async (bad) => {
  const { rows, report } = await readList('diligent', json([bad, row]));
  expect(rows).toMatchObject([{ externalId: id }]);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1 });
});

test('keeps the first of rows that have the same id, which is case-sensitive', async () => {
  const list = [row, diligentRow({ webhook_url: 'https://second.example/' }), diligentRow({ id: id.toUpperCase() })];
  const { rows, report } = await readList('diligent', json(list));
  expect(rows).toHaveLength(2);
  expect(rows.map(({ url }) => url)).not.toContain('https://second.example/');
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 2, rejectedCount: 1 });
  expect(report.error.message).toBe('1 of 3 rows could not be read, or came twice.');
});

test('fails where all rows are rejected, and counts them', async () => {
  const { rows, report } = await readList('diligent', json([without(row, 'id'), {}]));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', itemCount: 0, rejectedCount: 2, fetchedAt: null });
  expect(report.error).toMatchObject({
    code: 'BAD_RESPONSE',
    message: '2 of 2 rows could not be read, or came twice.',
  });
});
