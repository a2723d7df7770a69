import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { apimall } from '../../src/providers/apimall/index.ts';
import { createSandbox, type ListForm } from '../../src/providers/apimall/sandbox.ts';
import { bytes } from '../support/faults.ts';
import { openGraph } from '../support/graph.ts';
import { apimallList, apimallRow, without } from '../support/rows.ts';
import { everyField, logTypes } from './every-field.ts';
import { readList } from './reading.ts';

const whole = { state: 'OK', rejectedCount: 0, error: null };

/** The only row of a list, which must be whole. */
async function readRow(fields: Record<string, unknown>) {
  const { rows, report } = await readList('apimall', apimallList(apimallRow(fields)));
  expect(report).toMatchObject({ ...whole, itemCount: 1 });
  return rows[0];
}

test('asks for /webhooks with the key as a bearer token', async () => {
  const { calls } = await readList('apimall', apimallList());
  expect(calls).toMatchObject([{ path: '/webhooks', headers: { authorization: 'Bearer test-key' } }]);
});

test('reads an empty list whole', async () => {
  const { rows, report } = await readList('apimall', apimallList());
  expect({ rows, report }).toMatchObject({ rows: [], report: { ...whole, itemCount: 0 } });
});

/** All that the sandbox shows in this form of its list, and what it was asked for. */
async function readSandbox(form: ListForm) {
  const sandbox = createSandbox(() => Date.parse('2026-11-01T12:00:00Z'), form);
  const listener: RequestListener = (request, response) => {
    request.url = sandbox.path + request.url;
    return sandbox.listener(request, response);
  };
  await using graph = await openGraph({ apimall: listener }, { passthrough: true });
  const document = `{ webhooks { complete nodes ${everyField('Webhook', 'WebhookSource', ...logTypes)} } }`;
  const { data } = await graph.answer(document, {}, { [apimall.credentialHeader]: sandbox.key });
  return { webhooks: data.webhooks, paths: graph.calls('apimall').map(({ path }) => path) };
}

test('its sandbox gives the same webhooks as one array and in pages', async () => {
  const array = await readSandbox('array');
  const page = await readSandbox('page');
  expect(array.webhooks.complete).toBe(true);
  expect(page.webhooks).toEqual(array.webhooks);
  expect([array.paths, page.paths]).toEqual([['/webhooks'], ['/webhooks', '/webhooks?page=2&limit=20']]);
});

test.each([
  [8, '8'],
  ['8', '8'],
  [0, '0'],
  [Number.MAX_SAFE_INTEGER, '9007199254740991'],
  ['9007199254740993', '9007199254740993'],
])('reads the id %j as the text %s', async (id, externalId) => {
  expect(await readRow({ id })).toMatchObject({ externalId });
});

const counters = (total_sent: unknown, total_failed: unknown) => ({ total_sent, total_failed });

test.each([
  ['both counters null', counters(null, null), { totalSent: null, totalFailed: null, successRate: null }],
  ['one counter missing', counters(5, undefined), { totalSent: 5, totalFailed: null, successRate: null }],
  ['both counters 0', counters(0, 0), { totalSent: 0, totalFailed: 0, successRate: null }],
  ['both counters there', counters(3, 1), { totalSent: 3, totalFailed: 1, successRate: 0.75 }],
  ['the largest exact integer', counters(2 ** 53 - 1, 0), { totalSent: 2 ** 53 - 1, totalFailed: 0, successRate: 1 }],
  ['a counter above 2^53', counters(2 ** 53, 0), { totalSent: null, totalFailed: 0, successRate: null }],
  ['negative counters', counters(-5, -1), { totalSent: null, totalFailed: null, successRate: null }],
  ['a counter with a fraction', counters(1.5, 1), { totalSent: null, totalFailed: 1, successRate: null }],
  ['a counter as text', counters('5', 1), { totalSent: null, totalFailed: 1, successRate: null }],
  ['a key id that is null', { api_key_id: null }, { apiKeyId: null }],
  ['no key id', { api_key_id: undefined }, { apiKeyId: null }],
  ['a key id above 2^53', { api_key_id: 2 ** 60 }, { apiKeyId: null }],
  ['a key id as text', { api_key_id: '12' }, { apiKeyId: null }],
])('reads %s', async (_name, fields, expected) => {
  expect(await readRow(fields)).toMatchObject(expected);
});

test.each([
  ['2026-03-12T08:58:00.000Z', '2026-03-12T08:58:00.000Z'],
  ['2026-03-12T08:58:00Z', '2026-03-12T08:58:00.000Z'],
  ['2026-03-12T10:58:00.1239+02:00', '2026-03-12T08:58:00.123Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2099-12-31T23:59:59Z', '2099-12-31T23:59:59.000Z'],
  ['2026-02-29T00:00:00Z', null],
  ['2026-03-12T25:00:00Z', null],
  ['2026-03-12T08:58:00', null],
  ['2026-03-12', null],
  ['12 March 2026', null],
  ['9999-12-31T23:59:59-01:00', null],
  ['0000-01-01T00:00:00+01:00', null],
  ['', null],
  [1_773_305_880_000, null],
  [true, null],
  [{}, null],
  [null, null],
  [undefined, null],
])('reads the time %j as %j and keeps the row', async (time, expected) => {
  const times = await readRow({ created_at: time, updated_at: time, last_sent_at: time });
  expect(times).toMatchObject({ createdAt: expected, updatedAt: expected, lastSentAt: expected });
  expect(times.lastDelivery).toMatchObject({ at: expected });
});

test.each([
  ['https://HOOKS.Acme.example:8443/Path?Q=1#F', 'hooks.acme.example'],
  ['http://10.0.0.1/hook', '10.0.0.1'],
  ['https://user:password@hooks.acme.example/', 'hooks.acme.example'],
  ['https://[2001:DB8::1]/hook', '[2001:db8::1]'],
  ['javascript:alert(1)', null],
  ['https://hooks.acme.example/\r\nx-injected: 1', null],
  ['https://hooks.acme\t.example/', null],
  ['amqp://broker.acme.example/jobs', null],
  ['file:///etc/passwd', null],
  ['hooks.acme.example/hook', null],
  ['https://', null],
])('keeps the URL %j as registered, with the host %j', async (url, host) => {
  expect(await readRow({ url })).toMatchObject({ url, host });
});

test('keeps words that it does not know, in their order', async () => {
  const events = ['job.completed', 'job.cancelled', 'Größe.geändert', '', 'job.completed'];
  const row = await readRow({ status: 'Quarantined!', events });
  expect(row).toMatchObject({ status: 'Quarantined!', enabled: null, events });
});

test.each([
  ['missing', undefined],
  ['null', null],
  ['empty', ''],
  ['not text', 5],
])('has no status where it is %s', async (_name, status) => {
  expect(await readRow({ status })).toMatchObject({ status: null, enabled: null });
});

test('says nothing of a secret', async () => {
  const { rows, text } = await readList(
    'apimall',
    apimallList(apimallRow({ has_secret: true, secret_key: 'hush-4711' })),
  );
  expect(rows[0].secretConfigured).toBeNull();
  expect(text).not.toContain('hush-4711');
});

test.each([
  ['short text as it is', 'HTTP 503', 'HTTP 503'],
  ['1000 characters as they are', 'x'.repeat(1000), 'x'.repeat(1000)],
  ['only the first 1000 of more characters', `${'x'.repeat(1000)}y`, 'x'.repeat(1000)],
  ['an object as JSON', { code: 503, message: 'Bad' }, '{"code":503,"message":"Bad"}'],
  ['only the first 1000 characters of a large object', ['x'.repeat(2000)], `["${'x'.repeat(998)}`],
  ['a number as text', 503, '503'],
])('shows, of the last error, %s', async (_name, last_error, expected) => {
  const { lastError, lastDelivery, health } = await readRow({ last_error });
  expect({ lastError, health }).toEqual({ lastError: expected, health: 'FAILING' });
  expect(lastDelivery).toMatchObject({ error: expected, succeeded: false });
});

test('cuts the last error without leaving half of a character that strict readers of JSON refuse', async () => {
  const { lastError } = await readRow({ last_error: `${'x'.repeat(999)}😀` });
  expect(lastError.isWellFormed()).toBe(true);
  expect(lastError.slice(0, 999)).toBe('x'.repeat(999));
});

test('survives a last error that is nested too deeply to be written as JSON', async () => {
  const depth = 100_000;
  const deep = `${'{"0":'.repeat(depth)}null${'}'.repeat(depth)}`;
  const row = JSON.stringify(apimallRow({ last_error: 'DEEP' })).replace('"DEEP"', deep);
  const { rows, report } = await readList('apimall', bytes(`{"success":true,"data":[${row}]}`));
  expect(report).toMatchObject({ ...whole, itemCount: 1 });
  expect(rows[0]).toMatchObject({ health: 'FAILING', lastError: expect.any(String) });
});

test('ignores members that it does not know', async () => {
  const plain = await readRow({});
  const adorned = await readRow({
    region: 'eu',
    health: 'HEALTHY',
    __typename: 'Query',
    host: 'evil.example',
    nested: {},
  });
  expect(adorned).toEqual(plain);
});

test('takes nothing from a member that is called __proto__', async () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const inherited = '{"url":"https://evil.example","status":"paused","polluted":true}';
  const row = JSON.stringify(without(apimallRow(), 'status')).replace(
    '{',
    `{"__proto__":${inherited},"constructor":{},`,
  );
  const urlLess = JSON.stringify(without(apimallRow({ id: 9 }), 'url')).replace('{', `{"__proto__":${inherited},`);
  const { rows, report } = await readList(
    'apimall',
    bytes(`{"__proto__":{"success":false},"success":true,"data":[${row},${urlLess}]}`),
  );
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1 });
  expect(rows[0]).toMatchObject({ externalId: '8', url: 'https://hooks.acme.example/apimall', status: null });
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect({}).not.toHaveProperty('polluted');
});
