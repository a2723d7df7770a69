import { expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { type CreatedStatus, createSandbox } from '../src/providers/diligent/sandbox.ts';
import { encodeId } from '../src/webhook.ts';
import { change, createApi, outcome } from './support/changes.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

const url = 'https://hooks.acme.example/new';
const done = { userErrors: [], warnings: [] };
const byId =
  'query ($id: ID!) { webhook(id: $id) { id url events health ... on DiligentWebhook { isActive hasSecret } } }';

test('a webhook at API Mall is created, shown, deleted and gone', async () => {
  await using graph = await openGraph();
  const input = { url, events: ['job.failed', 'job.completed', 'job.failed'], secretKey: 'canary', apiKeyId: null };
  const created = await change(graph, 'createApiMallWebhook', input, 'webhook { id url events totalSent apiKeyId }');
  const { webhook } = created.payload;
  const report = { source: { key: 'apimall' }, state: 'OK', error: null };
  const row = { id: webhook.id, url, events: ['job.failed', 'job.completed'] };
  expect(created.payload).toEqual({ ...done, report, webhook: { ...row, totalSent: null, apiKeyId: 12 } });
  expect(await graph.query(byId, { id: webhook.id })).toMatchObject({ webhook: { ...row, health: 'IDLE' } });
  const removed = await change(graph, 'deleteWebhook', { id: webhook.id }, 'deletedId webhook { id }');
  expect(removed.payload).toEqual({ ...done, report, deletedId: webhook.id, webhook: null });
  expect(await graph.query(byId, { id: webhook.id })).toEqual({ webhook: null });
  const again = await change(graph, 'deleteWebhook', { id: webhook.id }, 'deletedId');
  expect(again.payload).toMatchObject({
    userErrors: [{ field: ['id'], code: 'NOT_FOUND', message: 'API Mall does not know this webhook.' }],
    report: { state: 'FAILED', error: { code: 'NOT_FOUND', httpStatus: 404, retryable: false } },
    deletedId: null,
  });
  expect(graph.writes).toMatchObject([
    { action: 'create', source: 'apimall', id: webhook.id, outcome: 'DONE', httpStatus: null },
    { action: 'delete', source: 'apimall', id: webhook.id, outcome: 'DONE' },
    { action: 'delete', source: 'apimall', id: webhook.id, outcome: 'NOT_FOUND', httpStatus: 404 },
  ]);
  expect(graph.calls('apimall').map(({ method }) => method)).toEqual(['POST', 'GET', 'DELETE', 'GET', 'DELETE']);
  expect(graph.calls('diligent')).toEqual([]);
});

const every = 'webhook { id url events isActive hasSecret status }';

test('a webhook at Diligent is created, changed in parts, shown, deleted and gone', async () => {
  await using graph = await openGraph();
  const input = { url, events: ['search_completed'], isActive: false, secret: 'canary' };
  const created = await change(graph, 'createDiligentWebhook', input, every);
  const { id } = created.payload.webhook;
  const first = { id, url, events: ['search_completed'], isActive: false, hasSecret: true, status: 'disabled' };
  expect(created.payload).toMatchObject({ ...done, webhook: first });
  const steps = [
    [
      { secret: { keep: true }, isActive: true },
      { isActive: true, status: 'active' },
    ],
    [{ secret: { remove: true } }, { hasSecret: false }],
    [
      { secret: { set: 'another' }, url: `${url}er`, isActive: null },
      { hasSecret: true, url: `${url}er` },
    ],
    [{ events: ['flow_run_failed', 'alert_remediated'] }, { events: ['flow_run_failed', 'alert_remediated'] }],
  ] as const;
  let expected: object = first;
  for (const [wanted, changed] of steps) {
    expected = { ...expected, ...changed };
    const { payload } = await change(graph, 'updateDiligentWebhook', { id, ...wanted }, every);
    expect(payload).toMatchObject({ ...done, webhook: expected });
    const { webhook } = await graph.query(
      `query ($id: ID!) { webhook(id: $id) { ... on DiligentWebhook ${every.slice(8)} } }`,
      { id },
    );
    expect(webhook).toEqual(expected);
  }
  const removed = await change(graph, 'deleteWebhook', { id }, 'deletedId webhook { id }');
  expect(removed.payload).toMatchObject({ ...done, deletedId: id, webhook: null });
  expect(await graph.query(byId, { id })).toEqual({ webhook: null });
  expect(graph.writes.map(({ action, outcome: ended }) => `${action} ${ended}`)).toEqual([
    'create DONE',
    ...steps.map(() => 'update DONE'),
    'delete DONE',
  ]);
});

test.each<CreatedStatus>([200, 201, 204])('takes %i for a create at Diligent that was done', async (status) => {
  const sandbox = createSandbox(() => Date.parse('2026-11-01T12:00:00Z'), status);
  await using graph = await openGraph(
    { diligent: sandbox.listener },
    { findCredentials: () => () => ({ 'x-api-key': sandbox.key }) },
  );
  const { payload } = await change(graph, 'createDiligentWebhook', { url, events: ['search_completed'] }, every);
  expect(payload).toMatchObject({ ...done, webhook: { url, events: ['search_completed'], status: 'active' } });
  const calls = graph.calls('diligent').map(({ method }) => method);
  expect(calls).toEqual(status === 204 ? ['POST', 'GET'] : ['POST']);
  expect(graph.writes).toMatchObject([{ outcome: 'DONE', id: payload.webhook.id }]);
});

const created = { id: 'new', webhook_url: url, events: ['a', 'b'], last_delivery_at: null, last_delivery_status: null };

test.each([
  ['the one that it must be, its events in another order', [diligentRow({ ...created, events: ['b', 'a'] })], 'new'],
  ['none where two may be it', [diligentRow(created), diligentRow({ ...created, id: 'other' })], null],
  ['none where the list has none', [diligentRow()], null],
  ['none that was delivered to', [diligentRow({ ...created, last_delivery_status: 200 })], null],
  ['none of other events', [diligentRow({ ...created, events: ['a'] })], null],
])('shows, after an answer without a webhook, %s', async (_which, rows, externalId) => {
  const api = createApi(json(rows), text('', 204));
  await using graph = await openGraph({ diligent: api.listener });
  const input = { url, events: ['a', 'b'] };
  const { payload } = await change(graph, 'createDiligentWebhook', input, 'webhook { externalId }');
  expect(payload.userErrors).toEqual([]);
  expect(payload.webhook).toEqual(externalId === null ? null : { externalId });
  const warned = payload.warnings.map(({ code }: { code: string }) => code);
  expect(warned).toEqual(['UNKNOWN_EVENT', 'UNKNOWN_EVENT', ...(externalId === null ? ['NOT_IDENTIFIED'] : [])]);
  expect(graph.calls('diligent').map(({ method }) => method)).toEqual(['POST', 'GET']);
  expect(graph.writes).toMatchObject([{ outcome: 'DONE' }]);
});

test('says that it was done where the list cannot be read afterwards', async () => {
  const api = createApi(json({}, 403), text('', 204));
  await using graph = await openGraph({ diligent: api.listener });
  const made = await change(graph, 'createDiligentWebhook', { url, events: ['search_completed'] });
  const message = 'It was created. The answer does not show it, and the list could not be read.';
  expect(made.payload).toMatchObject({
    userErrors: [],
    webhook: null,
    warnings: [{ code: 'NOT_IDENTIFIED', message }],
  });
  const id = encodeId('DiligentWebhook', 'diligent', 'x');
  const changed = await change(graph, 'updateDiligentWebhook', { id, isActive: true });
  expect(changed.payload).toMatchObject({ userErrors: [], webhook: null, warnings: [{ code: 'NOT_IDENTIFIED' }] });
});

test('takes every success that is documented for a change and a deletion', async () => {
  const row = diligentRow({ id: 'a/b?c', is_active: false });
  const api = createApi(json([row]));
  await using graph = await openGraph({ diligent: api.listener });
  const id = encodeId('DiligentWebhook', 'diligent', 'a/b?c');
  for (const answer of [json(row), text('', 204)]) {
    api.writes(answer);
    const changed = await change(graph, 'updateDiligentWebhook', { id, isActive: false });
    expect(changed.payload).toMatchObject({ ...done, webhook: { id } });
  }
  for (const answer of [text('', 204), json({}), text('', 200)]) {
    api.writes(answer);
    const removed = await change(graph, 'deleteWebhook', { id }, 'deletedId');
    expect(removed.payload).toMatchObject({ ...done, deletedId: id });
  }
  expect(api.sent.map(({ method, path, body }) => [method, path, body])).toEqual([
    ...Array(2).fill(['PATCH', '/webhooks/a%2Fb%3Fc', { is_active: false }]),
    ...Array(3).fill(['DELETE', '/webhooks/a%2Fb%3Fc', undefined]),
  ]);
});

test('takes 204 and a body for a deletion at API Mall', async () => {
  const api = createApi(apimallList(apimallRow()));
  await using graph = await openGraph({ apimall: api.listener });
  const id = encodeId('ApiMallWebhook', 'apimall', '8');
  for (const answer of [text('', 204), json({ success: true, data: { id: 8 }, request_id: 'a' }), json({})]) {
    api.writes(answer);
    expect((await change(graph, 'deleteWebhook', { id }, 'deletedId')).payload).toMatchObject({ deletedId: id });
  }
  api.writes(json({ success: true, data: apimallRow({ id: 9, url, events: [] }) }, 201));
  const made = await change(graph, 'createApiMallWebhook', { url, events: [], apiKeyId: 12 }, 'webhook { externalId }');
  expect(made.payload).toMatchObject({
    userErrors: [],
    webhook: { externalId: '9' },
    warnings: [{ code: 'NO_EVENTS' }],
  });
  expect(api.sent.at(-1)?.body).toEqual({ url, events: [], api_key_id: 12 });
});

test('a delivery is sent again, and its webhook and log are read after that', async () => {
  await using graph = await openGraph();
  const id = encodeId('DiligentWebhook', 'diligent', '7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2');
  const log = 'id lastDelivery { at } ... on DiligentWebhook { deliveries(first: 3) { nodes { id at } } }';
  const { webhook: before } = await graph.query(`query ($id: ID!) { webhook(id: $id) { ${log} } }`, { id });
  const [newest, , third] = before.deliveries.nodes;
  const sent = await change(graph, 'redeliverWebhookDelivery', { id: third.id }, `webhook { ${log} }`);
  const { webhook } = sent.payload;
  const [added, next] = webhook.deliveries.nodes;
  expect(sent.payload).toMatchObject({ ...done, webhook: { id, lastDelivery: { at: added.at } } });
  expect([added.id === newest.id, next]).toEqual([false, newest]);
  expect(graph.writes).toMatchObject([{ action: 'redeliver', source: 'diligent', id: third.id, outcome: 'DONE' }]);
  const unknown = encodeDeliveryId('diligent', '7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2', 'nothing', null);
  const { payload: none } = await change(graph, 'redeliverWebhookDelivery', { id: unknown });
  expect(none).toMatchObject({ webhook: null, userErrors: [{ field: ['id'], code: 'NOT_FOUND' }] });
  expect(graph.calls('diligent').map(({ method }) => method)).toEqual(['GET', 'GET', 'POST', 'GET', 'GET', 'POST']);
});

test('changes of one operation are made one after the other, and what is read after one is not older than it', async () => {
  await using graph = await openGraph();
  const { webhooks } = await graph.query('{ webhooks(filter: { source: ["diligent"] }) { nodes { id } } }');
  const id = webhooks.nodes[0].id;
  const report = 'webhook { source { webhooks { totalCount } } isActive }';
  const data = await graph.query(`mutation {
    one: createDiligentWebhook(input: { url: "${url}", events: [] }) { ${report} }
    two: updateDiligentWebhook(input: { id: "${id}", isActive: false }) { ${outcome} ${report} }
    three: deleteWebhook(input: { id: "${id}" }) { ${outcome} deletedId webhook { id } }
    four: createDiligentWebhook(input: { url: "${url}", events: [] }) { ${report} }
  }`);
  const counts = [data.one, data.two, data.four].map(({ webhook }) => webhook.source.webhooks.totalCount);
  expect(counts).toEqual([10, 10, 10]);
  expect(data.two.webhook.isActive).toBe(false);
  expect(data.three).toMatchObject({ deletedId: id });
  const order = graph.calls('diligent').map(({ method }) => method);
  expect(order).toEqual(['GET', 'POST', 'GET', 'PATCH', 'GET', 'DELETE', 'POST', 'GET']);
});
