import { request } from 'node:http';
import { expect, test } from 'vitest';
import { createSandbox } from '../../src/providers/apimall/sandbox.ts';
import { startUpstream } from '../support/upstream.ts';
import { callSandbox } from './calling.ts';

// By the documents alone: nothing of ours reads what the sandbox says here.

const now = '2026-11-01T12:00:00.000Z';
const bearer = { authorization: 'Bearer sk-sandbox-apimall' };
const request_id = expect.stringMatching(/^req_\w{26}$/);
const wanted = { url: 'https://hooks.acme.example/apimall/new', events: ['job.completed', 'job.failed'] };

function open(clock = () => Date.parse(now)) {
  return callSandbox(createSandbox(clock), bearer);
}

function failure(code: string, message: unknown = expect.any(String)) {
  return { success: false, error: { code, message }, request_id };
}

test('a webhook is created, listed without deliveries, and deleted', async () => {
  await using api = await open();
  const before = await api.ask('GET', '/webhooks');
  const made = await api.ask('POST', '/webhooks', wanted);
  const times = { created_at: now, updated_at: now };
  const created = { id: 101, ...wanted, status: 'active', api_key_id: 12 };
  expect(made).toEqual({ status: 200, body: { success: true, data: { ...created, ...times }, request_id } });

  const idle = { total_sent: 0, total_failed: 0, last_sent_at: null, last_error: null };
  const listed = await api.ask('GET', '/webhooks');
  expect(listed.body.data).toEqual([...before.body.data, { ...created, ...idle, ...times }]);

  const gone = await api.ask('DELETE', '/webhooks/101');
  expect(gone).toEqual({ status: 200, body: { success: true, data: { id: 101 }, request_id } });
  expect((await api.ask('GET', '/webhooks')).body.data).toEqual(before.body.data);
  const again = await api.ask('DELETE', '/webhooks/101');
  expect(again).toEqual({ status: 404, body: failure('not_found', 'Webhook not found') });
});

test('ids are not given out twice, and any webhook of the account can be deleted', async () => {
  await using api = await open();
  for (const id of [101, 102, 103]) {
    expect((await api.ask('POST', '/webhooks', wanted)).body.data.id).toBe(id);
    expect((await api.ask('DELETE', `/webhooks/${id}`)).status).toBe(200);
  }
  expect((await api.ask('DELETE', '/webhooks/%38')).body.data).toEqual({ id: 8 });
});

test('a webhook that was created stays idle while the counters of others go on', async () => {
  let time = Date.parse(now);
  await using api = await open(() => time);
  await api.ask('POST', '/webhooks', wanted);
  const earlier = (await api.ask('GET', '/webhooks')).body.data;
  time += 86_400_000;
  const later = (await api.ask('GET', '/webhooks')).body.data;
  expect(later.at(-1)).toEqual(earlier.at(-1));
  expect(later[0].total_sent).toBe(earlier[0].total_sent + Math.floor(86_400_000 / 61_300));
});

test('two sandboxes share nothing', async () => {
  await using one = await open();
  await using other = await open();
  await one.ask('DELETE', '/webhooks/8');
  expect((await other.ask('GET', '/webhooks')).body.data[0].id).toBe(8);
});

test.each([
  ['no events at all', { ...wanted, events: [] }],
  ['events that nobody documents', { ...wanted, events: ['job.cancelled'] }],
  ['the id of the calling key', { ...wanted, api_key_id: 12 }],
  ['a secret', { ...wanted, secret_key: 'hush-4711' }],
  ['an empty secret', { ...wanted, secret_key: '' }],
  ['members that nobody documents', { ...wanted, name: 'New' }],
  ['the same URL as another', { ...wanted, url: 'https://hooks.acme.example/apimall/orders' }],
])('takes a create with %s', async (_name, body) => {
  await using api = await open();
  const { status, body: answer } = await api.ask('POST', '/webhooks', body);
  expect({ status, answer }).toMatchObject({ status: 200, answer: { data: { url: body.url, events: body.events } } });
});

test.each([
  ['no URL', { events: [] }],
  ['a URL that is not https', { ...wanted, url: 'http://hooks.acme.example' }],
  ['a URL that is none', { ...wanted, url: 'https://' }],
  ['a URL that is no text', { ...wanted, url: 5 }],
  ['no events', { url: wanted.url }],
  ['events that are no array', { ...wanted, events: 'job.failed' }],
  ['an event that is no text', { ...wanted, events: ['job.failed', null] }],
  ['a secret that is no text', { ...wanted, secret_key: 4711 }],
  ['the id of another key', { ...wanted, api_key_id: 7 }],
  ['the id of the key as text', { ...wanted, api_key_id: '12' }],
  ['an array', [wanted]],
  ['null', null],
  ['broken JSON', '{"url":'],
  ['no body', undefined],
  ['more than 64 KiB', { ...wanted, secret_key: 'x'.repeat(65_536) }],
])('refuses a create with %s, and makes nothing', async (_name, body) => {
  await using api = await open();
  expect(await api.ask('POST', '/webhooks', body)).toEqual({ status: 400, body: failure('invalid_request') });
  expect((await api.ask('GET', '/webhooks')).body.data).toHaveLength(24);
});

test.each([
  ['makes nothing for a caller that left before its body ended', true, 24],
  ['makes a webhook of the same body where it ends', false, 25],
])('%s', async (_name, leaves, count) => {
  const { listener, path } = createSandbox(() => Date.parse(now));
  await using upstream = await startUpstream(listener);
  const headers = { ...bearer, 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  const call = request(`${upstream.url}${path}/webhooks`, { method: 'POST', headers });
  call.on('error', () => {}).on('response', (response) => response.resume());
  await new Promise((sent) => call.write(JSON.stringify(wanted), sent));
  await expect.poll(() => upstream.calls.length).toBe(1);
  if (leaves) call.destroy();
  else call.end();
  expect(await upstream.calls[0]?.ended).toBe(leaves ? 'left' : 'answered');
  const listed = await fetch(`${upstream.url}${path}/webhooks`, { headers: bearer });
  expect((await listed.json()).data).toHaveLength(count);
});

test('refuses a body that is not said to be JSON', async () => {
  await using api = await open();
  const create = (type: string) => api.ask('POST', '/webhooks', wanted, { 'content-type': type });
  expect(await create('text/plain')).toEqual({ status: 400, body: failure('invalid_request') });
  expect((await create('application/json; charset=utf-8')).status).toBe(200);
});

test.each([
  ['DELETE', '/webhooks/7', 404, 'not_found', 'Webhook not found'],
  ['DELETE', '/webhooks/-8', 404, 'not_found', 'Webhook not found'],
  ['DELETE', '/webhooks/eight', 400, 'invalid_request', 'id must be an integer'],
  ['DELETE', '/webhooks/8.5', 400, 'invalid_request', 'id must be an integer'],
  ['DELETE', '/webhooks/8/events', 404, 'not_found', 'Resource not found'],
  ['DELETE', '/webhooks/%zz', 404, 'not_found', 'Resource not found'],
  ['DELETE', '/webhooks', 404, 'not_found', 'Resource not found'],
  ['GET', '/webhooks/8', 404, 'not_found', 'Resource not found'],
  ['PATCH', '/webhooks/8', 404, 'not_found', 'Resource not found'],
  ['PUT', '/webhooks', 404, 'not_found', 'Resource not found'],
  ['GET', '/keys', 404, 'not_found', 'Resource not found'],
  ['GET', '', 404, 'not_found', 'Resource not found'],
])('answers %s %s with %i %s: %s', async (method, path, status, code, message) => {
  await using api = await open();
  expect(await api.ask(method, path)).toEqual({ status, body: failure(code, message) });
  expect((await api.ask('GET', '/webhooks')).body.data).toHaveLength(24);
});

test.each([
  ['GET', '/webhooks'],
  ['POST', '/webhooks'],
  ['DELETE', '/webhooks/8'],
  ['GET', '/nowhere'],
])('answers %s %s with 401 where the key is wrong, and changes nothing', async (method, path) => {
  await using api = await open();
  const body = method === 'POST' ? wanted : undefined;
  const answer = await api.ask(method, path, body, { authorization: 'Bearer sk-other' });
  expect(answer).toEqual({ status: 401, body: failure('unauthorized', 'Unauthorized') });
  expect((await api.ask('GET', '/webhooks')).body.data).toHaveLength(24);
});

test('no answer has the secret, and each has a request id of its own', async () => {
  await using api = await open();
  const secret_key = 'hush-4711';
  await api.ask('POST', '/webhooks', { ...wanted, secret_key });
  await api.ask('POST', '/webhooks', { ...wanted, url: 'http://x.example', secret_key });
  await api.ask('POST', '/webhooks', `{"secret_key":"${secret_key}`);
  await api.ask('GET', '/webhooks');
  await api.ask('DELETE', '/webhooks/101');
  expect(api.heard()).not.toContain(secret_key);
  expect(api.heard()).toContain(wanted.url);
  const ids = api.heard().match(/req_\w+/g);
  expect([ids?.length, new Set(ids).size]).toEqual([5, 5]);
});
