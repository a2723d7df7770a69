import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { encodeId } from '../src/webhook.ts';
import { change, createApi } from './support/changes.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { hang, json } from './support/upstream.ts';

const url = 'https://hooks.acme.example/diligent';
const events = ['cdd_state_changed'];
const id = encodeId('DiligentWebhook', 'diligent', 'df89eb16-4c6a-439f-b668-7cca0cd786fa');
const limits = { deadlineMs: 2000, attemptTimeoutMs: 60 };
const bare = { webhook_url: url };

/** A source whose list is this, and which answers no write. */
async function openSilent(list: RequestListener) {
  const api = createApi(list, hang);
  const graph = await openGraph({ diligent: api.listener }, limits);
  return { ...graph, sent: api.sent };
}

test.each<[string, RequestListener, string, string | null]>([
  ['is not there', json([]), 'Its list shows no webhook with', null],
  [
    'may be the one there',
    json([diligentRow({ id: 'a' }), diligentRow({ ...bare, events: [] })]),
    'Its list shows one webhook with',
    'a',
  ],
  ['may be one of two', json([diligentRow(), diligentRow({ id: 'a' })]), 'Its list shows 2 webhooks with', null],
  [
    'may be in a part of the list',
    json([diligentRow({ id: 'a' }), {}]),
    'Its list, of which a part is missing, shows one webhook with',
    'a',
  ],
  ['may be in a list that cannot be read', json({}, 403), 'Its list could not be read either.', null],
])('tells of a create without an answer that the webhook %s', async (_what, list, says, externalId) => {
  await using graph = await openSilent(list);
  const { payload } = await change(graph, 'createDiligentWebhook', { url, events }, 'webhook { externalId }');
  const start = 'The provider did not answer in time. Nobody knows whether the webhook was created. ';
  expect(payload.userErrors).toEqual([
    { field: null, code: 'OUTCOME_UNKNOWN', message: expect.stringContaining(start + says) },
  ]);
  expect(payload.webhook).toEqual(externalId === null ? null : { externalId });
  expect(graph.sent.length).toBe(1);
  // Whether it is the new one, nobody knows.
  expect(graph.writes).toMatchObject([{ action: 'create', outcome: 'OUTCOME_UNKNOWN', id: null }]);
});

test.each<[string, RequestListener, string, boolean]>([
  ['is there', json([diligentRow()]), 'Its list shows the webhook now.', true],
  ['is gone', json([]), 'Its list does not show the webhook now.', false],
  [
    'is not in what could be read',
    json([diligentRow({ id: 'a' }), {}]),
    'Its list, of which a part is missing, does not show',
    false,
  ],
  ['is in a list that cannot be read', json({}, 401), 'Its list could not be read either.', false],
])('tells of a change or deletion without an answer that the webhook %s', async (_what, list, says, isThere) => {
  await using graph = await openSilent(list);
  const webhook = isThere ? { id, isActive: true } : null;
  const selection = 'webhook { id ... on DiligentWebhook { isActive } }';
  const changed = await change(graph, 'updateDiligentWebhook', { id, isActive: false }, selection);
  const removed = await change(graph, 'deleteWebhook', { id }, `deletedId ${selection}`);
  expect(removed.payload.deletedId).toBe(null);
  for (const { payload } of [changed, removed]) {
    expect(payload.userErrors).toMatchObject([{ code: 'OUTCOME_UNKNOWN', message: expect.stringContaining(says) }]);
    expect(payload.webhook).toEqual(webhook);
  }
  expect(graph.sent.map(({ method }) => method)).toEqual(['PATCH', 'DELETE']);
  expect(graph.writes).toMatchObject([
    { id, action: 'update' },
    { id, action: 'delete' },
  ]);
});

test('looks at the log where nobody knows whether a delivery is being sent again', async () => {
  const rows = ['2026-05-10T02:00:00.000Z', '2026-05-11T07:15:02.441Z'].map((timestamp, index) => ({
    id: `event-${index}`,
    event_type: 'cdd_state_changed',
    timestamp,
    status_code: 200,
  }));
  const lists: RequestListener = (request, response) =>
    json(request.url?.endsWith('/events') ? rows : [diligentRow()])(request, response);
  await using graph = await openSilent(lists);
  const webhookId = 'df89eb16-4c6a-439f-b668-7cca0cd786fa';
  const delivery = encodeDeliveryId('diligent', webhookId, 'event-0', null);
  const { payload } = await change(graph, 'redeliverWebhookDelivery', { id: delivery }, 'webhook { externalId }');
  const message =
    'The provider did not answer in time. Nobody knows whether the delivery is being sent again. The newest delivery in its log is of 2026-05-11T07:15:02.441Z now.';
  expect(payload.userErrors).toEqual([{ field: null, code: 'OUTCOME_UNKNOWN', message }]);
  expect(payload.webhook).toEqual({ externalId: webhookId });
  expect(graph.sent.map(({ path }) => path)).toEqual([`/webhooks/${webhookId}/events/event-0/redeliver`]);
});

const rows = (count: number) => Array.from({ length: count }, (_, index) => diligentRow({ id: `row-${index}` }));

test.each([
  ['ten webhooks', rows(10), 400, 'LIMIT_REACHED'],
  ['more', rows(12), 403, 'LIMIT_REACHED'],
  ['ten of which some cannot be read', [...rows(7), {}, {}, {}], 409, 'LIMIT_REACHED'],
  ['ten of which none can be read', Array(10).fill({}), 422, 'LIMIT_REACHED'],
  ['nine', rows(9), 400, 'INVALID'],
  ['nine, and may not be asked', rows(9), 403, 'FORBIDDEN'],
  ['ten, and is broken', rows(10), 500, 'SOURCE_FAILED'],
  ['ten, and wants another key', rows(10), 401, 'UNAUTHORIZED'],
])('says why Diligent refuses a webhook where it has %s', async (_what, list, status, code) => {
  const api = createApi(json(list), json({ error: 'canary' }, status));
  await using graph = await openGraph({ diligent: api.listener });
  const { codes, payload } = await change(graph, 'createDiligentWebhook', { url, events });
  expect(codes).toEqual([code]);
  if (code === 'LIMIT_REACHED') {
    const message = `Diligent has room for 10 webhooks, and its list shows ${list.length} now.`;
    expect(payload.userErrors).toEqual([{ field: null, code, message }]);
  }
  expect(graph.writes).toMatchObject([{ outcome: code, httpStatus: status }]);
  // A change makes none, so that there cannot be one too many.
  const changed = await change(graph, 'updateDiligentWebhook', { id, isActive: true });
  expect(changed.codes).not.toContain('LIMIT_REACHED');
});

test('says so of the eleventh webhook in the sandbox, whose list has nine', async () => {
  await using graph = await openGraph({ diligent: 'sandbox' });
  const tenth = await change(graph, 'createDiligentWebhook', { url, events });
  const eleventh = await change(graph, 'createDiligentWebhook', { url, events });
  expect([tenth.codes, eleventh.codes]).toEqual([[], ['LIMIT_REACHED']]);
});

test('knows of no limit at API Mall', async () => {
  const list = Array.from({ length: 30 }, (_, index) => apimallRow({ id: index }));
  const api = createApi(apimallList(...list), json({ success: false, error: { code: 'a' } }, 400));
  await using graph = await openGraph({ apimall: api.listener });
  const { codes } = await change(graph, 'createApiMallWebhook', { url, events });
  expect(codes).toEqual(['INVALID']);
  expect(graph.calls('apimall').length).toBe(1);
});
