import { afterAll, beforeEach, expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { encodeId } from '../src/webhook.ts';
import { type ChangeField, change, createApi } from './support/changes.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const url = 'https://hooks.acme.example/new';
const apimall = createApi(apimallList(apimallRow()), json({ success: true, data: apimallRow() }));
const diligent = createApi(json([diligentRow()]), json(diligentRow()));
const graph: Graph = await openGraph({ apimall: apimall.listener, diligent: diligent.listener });
afterAll(() => graph[Symbol.asyncDispose]());

let before: number[] = [];
const counts = () => [graph.calls('apimall').length, graph.calls('diligent').length, graph.writes.length];
beforeEach(() => {
  before = counts();
});
/** Calls and ended writes since the test began. */
const since = () => counts().map((count, index) => count - (before[index] ?? 0));

const ids = {
  apimall: encodeId('ApiMallWebhook', 'apimall', '8'),
  diligent: encodeId('DiligentWebhook', 'diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa'),
  source: encodeId('WebhookSource', 'diligent'),
  delivery: encodeDeliveryId('diligent', 'a', 'b', null),
  foreign: encodeDeliveryId('apimall', '8', 'b', null),
};

const urls: readonly [string, string][] = [
  ['', 'https'],
  ['http://hooks.acme.example', 'https'],
  ['HTTPS://hooks.acme.example', 'https'],
  [' https://hooks.acme.example', 'https'],
  ['https://', 'URL'],
  ['https://[', 'URL'],
  ['https://hooks.acme.example:99999', 'URL'],
  ['https://hooks.acme.example/a b', 'spaces'],
  ['https://hooks.acme.example/a\u00a0b', 'spaces'],
  ['https://hooks.acme.example/a\tb', 'spaces'],
  ['https://hooks.acme.example/a\r\nx: b', 'spaces'],
  ['https://hooks.acme.example/\u0000', 'spaces'],
  ['https://hooks.acme.example/\ud800', 'spaces'],
  [`https://hooks.acme.example/${'a'.repeat(2048)}`, '2048'],
];

test.each(urls)('takes %j for no URL of a webhook, in every mutation, and makes no call', async (wrong, word) => {
  const tried = [
    await change(graph, 'createApiMallWebhook', { url: wrong, events: ['job.failed'] }),
    await change(graph, 'createDiligentWebhook', { url: wrong, events: ['search_completed'] }),
    await change(graph, 'updateDiligentWebhook', { id: ids.diligent, url: wrong }),
  ];
  for (const { payload } of tried) {
    const error = { field: ['url'], code: 'INVALID', message: expect.stringContaining(word) };
    expect(payload).toEqual({ userErrors: [error], warnings: [], report: null, webhook: null });
    if (wrong.length > 30) expect(payload.userErrors[0].message).not.toContain('acme');
  }
  expect(since()).toEqual([0, 0, 3]);
});

const wrongEvents = ['', 'x'.repeat(201), 'line\nbreak', '\ud800'];

test('names all mistakes at once, each with its field, and warns beside them', async () => {
  const events = ['search_completed', ...wrongEvents, 'canary'];
  const input = { id: ids.diligent, url: 'http://a', events, secret: { keep: false } };
  const { payload } = await change(graph, 'updateDiligentWebhook', input);
  expect(payload.userErrors.map(({ field, code }: { field: string[]; code: string }) => [...field, code])).toEqual([
    ['url', 'INVALID'],
    ...wrongEvents.map(() => ['events', 'INVALID']),
    ['secret', 'keep', 'INVALID'],
  ]);
  expect(payload.warnings.at(-1)).toMatchObject({ code: 'UNKNOWN_EVENT', message: expect.stringContaining('canary') });
  expect(since()).toEqual([0, 0, 1]);
  expect(graph.writes.at(-1)).toEqual({
    action: 'update',
    source: 'diligent',
    id: ids.diligent,
    outcome: 'INVALID',
    httpStatus: null,
    providerRequestId: null,
    durationMs: null,
  });
});

test('takes a hundred events and no more', async () => {
  const events = Array.from({ length: 101 }, (_, index) => `event.${index}`);
  const tooMany = await change(graph, 'createApiMallWebhook', { url, events });
  expect(tooMany.payload.userErrors).toMatchObject([{ field: ['events'], code: 'INVALID' }]);
  const { payload } = await change(graph, 'createApiMallWebhook', { url, events: events.slice(1) });
  expect([payload.userErrors, payload.warnings.length]).toEqual([[], 100]);
});

test.each<[string, ChangeField, object, readonly string[]]>([
  [
    'an event that API Mall does not document',
    'createApiMallWebhook',
    { url, events: ['job.started', 'job.failed'] },
    ['UNKNOWN_EVENT'],
  ],
  ['none at API Mall', 'createApiMallWebhook', { url, events: [] }, ['NO_EVENTS']],
  [
    'an event that Diligent does not document',
    'createDiligentWebhook',
    { url, events: ['job.failed', 'job.failed'] },
    ['UNKNOWN_EVENT'],
  ],
  ['none at Diligent', 'createDiligentWebhook', { url, events: [] }, ['NO_EVENTS']],
  ['none, as nothing is said of them', 'createDiligentWebhook', { url }, ['NO_EVENTS']],
  ['none, as null is said of them', 'createDiligentWebhook', { url, events: null }, ['NO_EVENTS']],
  ['none in place of those that there were', 'updateDiligentWebhook', { id: ids.diligent, events: [] }, ['NO_EVENTS']],
  ['nothing where events are not touched', 'updateDiligentWebhook', { id: ids.diligent, isActive: false }, []],
])('makes a change that it warns of: %s', async (_what, field, input, codes) => {
  const { payload } = await change(graph, field, input);
  expect(payload.userErrors).toEqual([]);
  expect(payload.warnings.map(({ code }: { code: string }) => code)).toEqual(codes);
  for (const warning of payload.warnings) expect(warning).toMatchObject({ field: ['events'] });
  expect(since()).toEqual([...(field === 'createApiMallWebhook' ? [1, 0] : [0, 1]), 1]);
});

test('sends what was passed and nothing else, an event that came twice once', async () => {
  const bodies = async (field: ChangeField, input: object) => {
    await change(graph, field, input);
    return (field === 'createApiMallWebhook' ? apimall : diligent).sent.at(-1)?.body;
  };
  const events = ['b', 'a', 'b'];
  expect(await bodies('createApiMallWebhook', { url, events })).toEqual({ url, events: ['b', 'a'] });
  expect(await bodies('createApiMallWebhook', { url, events, secretKey: 's', apiKeyId: 12 })).toEqual({
    url,
    events: ['b', 'a'],
    secret_key: 's',
    api_key_id: 12,
  });
  expect(await bodies('createDiligentWebhook', { url, secret: null, isActive: null })).toEqual({ webhook_url: url });
  const all = { url, events, isActive: false, secret: 's' };
  const sent = { webhook_url: url, events: ['b', 'a'], is_active: false, secret: 's' };
  expect(await bodies('createDiligentWebhook', all)).toEqual(sent);
  expect(await bodies('updateDiligentWebhook', { ...all, id: ids.diligent, secret: { set: 's' } })).toEqual(sent);
  const id = ids.diligent;
  expect(await bodies('updateDiligentWebhook', { id, secret: { remove: true } })).toEqual({ secret: '' });
  expect(await bodies('updateDiligentWebhook', { id, secret: { keep: true }, events: [] })).toEqual({ events: [] });
});

test.each([{}, { url: null, events: null, isActive: null, secret: null }, { secret: { keep: true } }])(
  'takes %j for no change, and makes no call',
  async (input) => {
    const { payload } = await change(graph, 'updateDiligentWebhook', { id: ids.diligent, ...input });
    expect(payload.userErrors).toMatchObject([{ field: null, code: 'INVALID' }]);
    expect(since()).toEqual([0, 0, 1]);
  },
);

const webhookIn = (text: string) => encodeId('DiligentWebhook', 'diligent', text);
const deliveryIn = (webhook: string, event: string) => encodeDeliveryId('diligent', webhook, event, null);
const onWebhooks = ['updateDiligentWebhook', 'deleteWebhook'] as const;
const onDeliveries = ['redeliverWebhookDelivery'] as const;
const all = [...onWebhooks, ...onDeliveries];

test.each<[string, string, readonly ChangeField[], string]>([
  ['text that is none', 'canary', all, 'INVALID'],
  ['nothing', '', all, 'INVALID'],
  ['much text that is none', 'canary'.repeat(5000), all, 'INVALID'],
  ['that of something that is no type', encodeId('Nothing', 'diligent', 'a'), all, 'INVALID'],
  ['that of a source', ids.source, all, 'INVALID'],
  ['that of no number at API Mall', encodeId('ApiMallWebhook', 'apimall', '1.5'), all, 'INVALID'],
  ['that of a delivery that has no event', encodeId('WebhookDelivery', 'diligent', 'a'), all, 'INVALID'],
  ['that of a delivery', ids.delivery, onWebhooks, 'INVALID'],
  ['that of a webhook', ids.diligent, onDeliveries, 'INVALID'],
  ['a place', webhookIn('.'), onWebhooks, 'INVALID'],
  ['a way up', webhookIn('..'), onWebhooks, 'INVALID'],
  ['a place below a webhook', deliveryIn('a', '.'), onDeliveries, 'INVALID'],
  ['a way up from a webhook', deliveryIn('a', '..'), onDeliveries, 'INVALID'],
  ['a way up to all webhooks', deliveryIn('..', 'a'), onDeliveries, 'INVALID'],
  ['longer than that of any provider', webhookIn('x'.repeat(501)), onWebhooks, 'INVALID'],
  ['that of a source that is not here', encodeId('DiligentWebhook', 'other', 'a'), all, 'SOURCE_FAILED'],
  ['that of a delivery of a source that is not here', encodeDeliveryId('other', 'a', 'b', null), all, 'SOURCE_FAILED'],
  ['that of a webhook at API Mall', ids.apimall, ['updateDiligentWebhook', ...onDeliveries], 'UNSUPPORTED_BY_PROVIDER'],
  ['that of a delivery at API Mall', ids.foreign, onDeliveries, 'UNSUPPORTED_BY_PROVIDER'],
])('makes no call for an id that is %s', async (_what, id, fields, code) => {
  for (const field of fields) {
    const { payload } = await change(graph, field, {
      id,
      ...(field === 'updateDiligentWebhook' && { isActive: true }),
    });
    expect(payload).toMatchObject({ report: null, webhook: null, userErrors: [{ field: ['id'], code }] });
    expect(payload.userErrors[0].message.length).toBeLessThan(250);
    if (code === 'UNSUPPORTED_BY_PROVIDER') expect(payload.userErrors[0].message).toMatch(/^API Mall cannot /);
    expect(graph.writes.at(-1)).toMatchObject({ outcome: code, id: id.startsWith('canary') || id === '' ? null : id });
  }
  expect(since()).toEqual([0, 0, fields.length]);
});

test.each([
  [{ secretKey: '' }, 400],
  [{ secretKey: 'x'.repeat(1025) }, 400],
  [{ secretKey: 12 }, 400],
  [{ secretKey: ['canary'] }, 400],
  [{ secretKey: 'x'.repeat(1024) }, 200],
])('takes a secret of 1 to 1024 characters, and not %j', async (secret, status) => {
  const { payload, errors } = await change(graph, 'createApiMallWebhook', { url, events: [], ...secret });
  if (status === 200) expect(payload.userErrors).toEqual([]);
  else {
    const message = expect.stringContaining(
      'at "input.secretKey": Expected type "WebhookSecret". A secret must be text',
    );
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(JSON.stringify(errors)).not.toMatch(/canary|xxx/);
  }
  expect(since()).toEqual(status === 200 ? [1, 0, 1] : [0, 0, 0]);
});

test.each(['""', '12', 'null, keep: true', `"${'x'.repeat(1025)}"`, 'CANARY', '["canary"]'])(
  'says what is wrong with the secret %s in a document, and does not repeat it',
  async (literal) => {
    const input = `{ id: "${ids.diligent}", secret: { set: ${literal} } }`;
    const { errors } = await graph.answer(
      `mutation { updateDiligentWebhook(input: ${input}) { userErrors { code } } }`,
    );
    expect(errors?.length).toBeGreaterThan(0);
    if (!literal.startsWith('null'))
      expect(errors?.[0]?.message).toMatch(/^Expected value of type "WebhookSecret"\. A secret must be text/);
    expect(JSON.stringify(errors)).not.toMatch(/canary|xxx/i);
    expect(since()).toEqual([0, 0, 0]);
  },
);

test('takes one wish for a secret, and no two', async () => {
  const input = { id: ids.diligent, secret: { keep: true, set: 'canary' } };
  const { errors } = await change(graph, 'updateDiligentWebhook', input);
  expect(errors?.[0]).toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } });
  const both = await change(graph, 'updateDiligentWebhook', {
    id: ids.diligent,
    isActive: true,
    secret: { remove: false },
  });
  expect(both.payload.userErrors).toMatchObject([{ field: ['secret', 'remove'], code: 'INVALID' }]);
  expect(since()).toEqual([0, 0, 1]);
});
