import { expect, test } from 'vitest';
import { type CreatedStatus, createSandbox } from '../../src/providers/diligent/sandbox.ts';
import { callSandbox } from './calling.ts';

// By the documents alone: nothing of ours reads what the sandbox says here. Its log has a file of its own.

const now = '2026-11-01T12:00:00.000Z';
const apiKey = { 'x-api-key': 'sandbox-diligent' };
const webhook_url = 'https://hooks.acme.example/diligent/new';
const healthy = '/webhooks/df89eb16-4c6a-439f-b668-7cca0cd786fa';
const failing = '/webhooks/7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2';
const unknown = '/webhooks/00000000-0000-4000-8000-000000000000';
const uuid = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/);

function open(created?: CreatedStatus) {
  return callSandbox(
    createSandbox(() => Date.parse(now), created),
    apiKey,
  );
}

test('a webhook is created, read, changed and deleted', async () => {
  await using api = await open();
  const before = (await api.ask('GET', '/webhooks')).body;
  const made = await api.ask('POST', '/webhooks', {
    webhook_url,
    secret: 'hush-4711',
    events: ['cdd_state_changed', 'alert_remediated'],
  });
  const { id } = made.body;
  const fresh = {
    id: uuid,
    webhook_url,
    is_active: true,
    has_secret: true,
    status: 'active',
    last_delivery_at: null,
    last_delivery_status: null,
    events: ['cdd_state_changed', 'alert_remediated'],
  };
  expect(made).toEqual({ status: 200, body: fresh });
  expect(await api.ask('GET', `/webhooks/${id}`)).toEqual(made);
  expect((await api.ask('GET', '/webhooks')).body).toEqual([...before, made.body]);
  expect(await api.ask('GET', `/webhooks/${id}/events`)).toEqual({ status: 200, body: [] });

  const change = { is_active: false, events: ['search_completed'] };
  const changed = await api.ask('PATCH', `/webhooks/${id}`, change);
  expect(changed).toEqual({ status: 200, body: { ...fresh, ...change, status: 'disabled' } });
  expect(await api.ask('GET', `/webhooks/${id}`)).toEqual(changed);

  expect(await api.ask('DELETE', `/webhooks/${id}`)).toEqual({ status: 204, body: undefined });
  expect((await api.ask('GET', '/webhooks')).body).toEqual(before);
  expect(await api.ask('DELETE', `/webhooks/${id}`)).toEqual({ status: 404, body: undefined });
});

test('a webhook of which only the URL is said is active, without a secret, and receives nothing', async () => {
  await using api = await open();
  const { body } = await api.ask('POST', '/webhooks', { webhook_url });
  expect(body).toMatchObject({ is_active: true, has_secret: false, status: 'active', events: [] });
});

test.each([200, 201] as const)('a create can succeed with %i and the webhook', async (status) => {
  await using api = await open(status);
  const made = await api.ask('POST', '/webhooks', { webhook_url });
  expect(made).toMatchObject({ status, body: { id: uuid, webhook_url } });
});

test('a create can succeed with 204 and no word of the webhook, which is in the list', async () => {
  await using api = await open(204);
  expect(await api.ask('POST', '/webhooks', { webhook_url })).toEqual({ status: 204, body: undefined });
  expect((await api.ask('GET', '/webhooks')).body.at(-1)).toMatchObject({ id: uuid, webhook_url });
});

test('an update leaves the secret where it says nothing, removes it by empty text, and replaces it by other text', async () => {
  await using api = await open();
  const has = async (change: object) => (await api.ask('PATCH', healthy, change)).body.has_secret;
  expect(await has({ is_active: true })).toBe(true);
  expect(await has({ secret: '' })).toBe(false);
  expect(await has({})).toBe(false);
  expect(await has({ secret: 'hush-4711' })).toBe(true);
});

test('an update changes what it names and nothing else', async () => {
  await using api = await open();
  const { body } = await api.ask('GET', healthy);
  for (const change of [{ webhook_url }, { events: [] }, { is_active: false, status: 'disabled' }, {}]) {
    Object.assign(body, change);
    expect((await api.ask('PATCH', healthy, change)).body).toEqual(body);
  }
});

test('members and words that nobody documents are let through, and the former change nothing', async () => {
  await using api = await open();
  const body = { webhook_url, events: ['sanctions_list_refreshed'], id: 'mine', status: 'failing', has_secret: true };
  const made = await api.ask('POST', '/webhooks', body);
  expect(made.body).toMatchObject({ id: uuid, status: 'active', has_secret: false, events: body.events });
});

test('rows of the oldest shapes show of a change what was sent', async () => {
  await using api = await open();
  const rows = (await api.ask('GET', '/webhooks')).body;
  const { id, ...row } = rows.find((one: object) => !('is_active' in one));
  expect(row).toEqual({ webhook_url: expect.any(String), events: ['alert_remediated'] });
  const { body } = await api.ask('PATCH', `/webhooks/${id}`, { is_active: false });
  expect(body).toEqual({ id, ...row, is_active: false });
});

test('there are ten webhooks at most, until one is deleted', async () => {
  await using api = await open();
  const create = async () => (await api.ask('POST', '/webhooks', { webhook_url })).status;
  expect([await create(), await create()]).toEqual([200, 400]);
  expect((await api.ask('GET', '/webhooks')).body).toHaveLength(10);
  await api.ask('DELETE', healthy);
  expect([await create(), await create()]).toEqual([200, 400]);
  const ids = (await api.ask('GET', '/webhooks')).body.map(({ id }: { id: string }) => id);
  expect(new Set(ids).size).toBe(10);
});

test('two sandboxes share nothing', async () => {
  await using one = await open();
  await using other = await open();
  await one.ask('DELETE', healthy);
  await one.ask('PATCH', failing, { events: [] });
  expect((await other.ask('GET', healthy)).status).toBe(200);
  expect((await other.ask('GET', failing)).body.events).not.toEqual([]);
});

const https = 'Must be a URL that begins with https://';

function wrong(path: unknown[], expected: string, received: string) {
  const message = received === 'undefined' ? 'Required' : `Expected ${expected}, received ${received}`;
  return { code: 'invalid_type', expected, received, path, message };
}

/** The issues of the shared schema, which say less than those of zod. */
function short(path: unknown[], message: string, code = 'invalid_type') {
  return { path, message, code };
}

test.each([
  ['no URL', {}, { error: [wrong(['webhook_url'], 'string', 'undefined')] }],
  ['a URL that is null', { webhook_url: null }, { error: [wrong(['webhook_url'], 'string', 'null')] }],
  [
    'two members of a wrong type',
    { webhook_url: 5, is_active: 'yes' },
    { error: [wrong(['webhook_url'], 'string', 'number'), wrong(['is_active'], 'boolean', 'string')] },
  ],
  ['a URL of http', { webhook_url: 'http://x.example' }, { errors: [short(['webhook_url'], https, 'invalid_string')] }],
  ['a URL that is none', { webhook_url: 'https://' }, { errors: [short(['webhook_url'], https, 'invalid_string')] }],
  ['an array', [], [{ errors: [short([], 'Expected object, received array')] }]],
  ['null', null, [{ errors: [short([], 'Expected object, received null')] }]],
  [
    'events that are no texts',
    { webhook_url, events: ['cdd_state_changed', 5, null] },
    {
      error: 'Validation failed',
      details: [
        { field: 'events.1', message: 'Expected string, received number' },
        { field: 'events.2', message: 'Expected string, received null' },
      ],
    },
  ],
  [
    'events that are no array',
    { webhook_url, events: 'all' },
    { error: 'Validation failed', details: [{ field: 'events', message: 'Expected array, received string' }] },
  ],
  [
    'a secret that is null',
    { webhook_url, secret: null },
    {
      error: 'Bad Request',
      errors: [short(['secret'], 'Expected string, received null')],
      message: 'Expected string, received null',
    },
  ],
  ['broken JSON', '{"webhook_url":', { message: 'The request body is not valid JSON' }],
  ['no body', undefined, { message: 'The request body is not valid JSON' }],
  ['64 KiB of text', { webhook_url, secret: 'x'.repeat(65_536) }, { message: 'The request body is too large' }],
])('refuses a create with %s in a shape of its own', async (_name, sent, body) => {
  await using api = await open();
  expect(await api.ask('POST', '/webhooks', sent)).toEqual({ status: 400, body });
  expect((await api.ask('GET', '/webhooks')).body).toHaveLength(9);
});

test('refuses the eleventh webhook with a text', async () => {
  await using api = await open();
  await api.ask('POST', '/webhooks', { webhook_url });
  const body = { error: 'A customer can have at most 10 webhooks' };
  expect(await api.ask('POST', '/webhooks', { webhook_url })).toEqual({ status: 400, body });
});

test.each([
  ['a URL of http', { webhook_url: 'http://x.example' }],
  ['a flag that is text', { is_active: 'no' }],
  ['a secret that is a number', { secret: 4711 }],
  ['events that are null', { events: null }],
  ['one member right and one wrong', { is_active: false, events: [5] }],
  ['broken JSON', '{'],
])('refuses an update with %s as it does a create, and changes nothing', async (_name, change) => {
  await using api = await open();
  const before = await api.ask('GET', healthy);
  const create = typeof change === 'string' ? change : { webhook_url, ...change };
  const answer = await api.ask('PATCH', healthy, change);
  expect(answer).toEqual(await api.ask('POST', '/webhooks', create));
  expect(answer.status).toBe(400);
  expect(await api.ask('GET', healthy)).toEqual(before);
});

const nothing = { message: 'Not found' };

test.each([
  ['GET', unknown, undefined],
  ['PATCH', unknown, undefined],
  ['DELETE', unknown, undefined],
  ['GET', `${unknown}/events`, { error: 'Webhook not found' }],
  ['POST', `${unknown}/events/x/redeliver`, undefined],
  ['POST', `${healthy}/events/x/redeliver`, undefined],
  ['PUT', healthy, nothing],
  ['DELETE', '/webhooks', nothing],
  ['POST', `${healthy}/events`, nothing],
  ['GET', `${healthy}/events/x`, nothing],
  ['GET', `${healthy}/events/x/redeliver`, nothing],
  ['POST', `${healthy}/events/x/redeliver/y`, nothing],
  ['GET', `${healthy}/secret`, nothing],
  ['GET', '/webhooks/%zz', nothing],
  ['GET', '/', nothing],
])('answers %s %s with 404', async (method, path, body) => {
  await using api = await open();
  expect(await api.ask(method, path, method === 'PATCH' ? {} : undefined)).toEqual({ status: 404, body });
});

test.each([
  ['GET', '/webhooks'],
  ['POST', '/webhooks'],
  ['GET', healthy],
  ['PATCH', healthy],
  ['DELETE', healthy],
  ['GET', `${healthy}/events`],
  ['POST', `${healthy}/events/x/redeliver`],
])('answers %s %s with 401 where the key is wrong', async (method, path) => {
  await using api = await open();
  const answer = await api.ask(method, path, undefined, { 'x-api-key': 'sandbox-other' });
  expect(answer).toEqual({ status: 401, body: { error: 'Unauthorized' } });
  expect((await api.ask('GET', healthy)).status).toBe(200);
});

test('no answer has a secret', async () => {
  await using api = await open();
  const secret = 'hush-4711';
  const { body } = await api.ask('POST', '/webhooks', { webhook_url, secret });
  await api.ask('PATCH', `/webhooks/${body.id}`, { secret });
  await api.ask('PATCH', `/webhooks/${body.id}`, { secret, events: secret });
  await api.ask('POST', '/webhooks', { secret });
  await api.ask('POST', '/webhooks', { webhook_url, secret: [secret] });
  await api.ask('POST', '/webhooks', `{"secret":"${secret}`);
  await api.ask('PATCH', healthy, { secret });
  for (const path of ['/webhooks', `/webhooks/${body.id}`, healthy, `${healthy}/events`]) await api.ask('GET', path);
  expect(api.heard()).not.toContain(secret);
  expect(api.heard()).not.toContain('sandbox-signing-secret');
  expect(api.heard()).toContain('X-Signature');
});
