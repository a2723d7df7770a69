import { expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { encodeId } from '../src/webhook.ts';
import { knowTokens } from './support/callers.ts';
import { type ChangeField, change, createApi, mutationOf } from './support/changes.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { json, text } from './support/upstream.ts';

const url = 'https://hooks.acme.example/new';
const ids = {
  apimall: encodeId('ApiMallWebhook', 'apimall', '8'),
  diligent: encodeId('DiligentWebhook', 'diligent', 'a'),
  delivery: encodeDeliveryId('diligent', 'a', 'b', null),
};
const changes: readonly (readonly [ChangeField, object, object])[] = [
  ['createApiMallWebhook', { url, events: [] }, { source: 'apimall', id: null }],
  ['createDiligentWebhook', { url: 'wrong' }, { source: 'diligent', id: null }],
  ['updateDiligentWebhook', { id: ids.diligent, isActive: true }, { source: 'diligent', id: ids.diligent }],
  ['deleteWebhook', { id: ids.apimall }, { source: 'apimall', id: ids.apimall }],
  ['redeliverWebhookDelivery', { id: ids.delivery }, { source: 'diligent', id: ids.delivery }],
  ['deleteWebhook', { id: 'canary' }, { source: null, id: null }],
];

test('changes nothing where writes are off, says so first, and tells of each try', async () => {
  await using graph = await openGraph(undefined, { writes: false });
  for (const [field, input, told] of changes) {
    const { payload } = await change(graph, field, input);
    const message = 'Webhooks cannot be changed here. WRITES=on would let them be.';
    const userErrors = [{ field: null, code: 'WRITES_DISABLED', message }];
    expect(payload).toEqual({ userErrors, warnings: [], report: null, webhook: null });
    expect(graph.writes.at(-1)).toMatchObject({ outcome: 'WRITES_DISABLED', durationMs: null, ...told });
  }
  expect(graph.writes.length).toBe(changes.length);
  expect([graph.calls('apimall'), graph.calls('diligent')]).toEqual([[], []]);
});

test.each([
  ['on', 'LIST CREATE DELETE', 'LIST CREATE UPDATE DELETE DELIVERIES REDELIVER'],
  ['off', 'LIST', 'LIST DELIVERIES'],
])('shows as capabilities what can be done where writes are %s', async (writes, ...expected) => {
  await using graph = await openGraph(undefined, { writes: writes === 'on' });
  const { webhookSources } = await graph.query('{ webhookSources { capabilities } }');
  expect(webhookSources).toEqual(expected.map((names) => ({ capabilities: names.split(' ') })));
});

test('says of a provider that is not served that there is none', async () => {
  await using graph = await openGraph({ apimall: 'sandbox' });
  const { payload } = await change(graph, 'createDiligentWebhook', { url });
  const userErrors = [{ field: null, code: 'SOURCE_FAILED', message: 'There is no such source here.' }];
  expect(payload).toEqual({ userErrors, warnings: [], report: null, webhook: null });
  expect(graph.writes).toMatchObject([{ source: null, outcome: 'SOURCE_FAILED' }]);
});

test('makes each caller change what its own key is for, and nobody anything without one', async () => {
  const api = createApi(json([diligentRow()]), json(diligentRow()));
  await using graph = await openGraph({ diligent: api.listener }, { passthrough: true });
  const ask = (headers: Record<string, string>) =>
    change(graph, 'createDiligentWebhook', { url, events: ['search_completed'] }, 'webhook { id }', headers);
  expect((await ask({ 'x-diligent-api-key': 'key-of-a' })).codes).toEqual([]);
  expect((await ask({ 'x-diligent-api-key': 'key-of-b' })).codes).toEqual([]);
  expect(api.sent.map(({ headers }) => headers['x-api-key'])).toEqual(['key-of-a', 'key-of-b']);
  for (const [headers, code] of [
    [{}, 'NOT_CONFIGURED'],
    [{ 'x-diligent-api-key': 'a b' }, 'BAD_CREDENTIAL'],
  ] as const) {
    const { payload } = await ask(headers);
    expect(payload).toMatchObject({ userErrors: [{ code: 'SOURCE_FAILED' }], report: { error: { code } } });
  }
  expect(graph.calls('diligent').length).toBe(2);
});

const authentication = knowTokens({
  hg_reader: 'reader webhooks:read webhooks:payloads',
  hg_writer: 'writer webhooks:write',
});

test('lets nobody change anything without the scope for it, and no GET', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication });
  const query = mutationOf('createApiMallWebhook');
  const variables = { input: { url, events: ['job.failed'] } };
  const ask = async (token: string, method = 'POST') => {
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const response = await fetch(`${server.url}/graphql${method === 'GET' ? `?${search}` : ''}`, {
      method,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'x-apollo-operation-name': 'a' },
      ...(method === 'POST' && { body: JSON.stringify({ query, variables }) }),
    });
    return { status: response.status, ...(await response.json()) };
  };
  expect(await ask('hg_reader')).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  expect(await ask('hg_writer', 'GET')).toMatchObject({ status: 405 });
  expect([graph.calls('apimall'), graph.writes]).toEqual([[], []]);
  expect(await ask('hg_writer')).toMatchObject({ status: 200, data: { createApiMallWebhook: { userErrors: [] } } });
  expect(graph.calls('apimall').length).toBe(1);
});

test.each([
  [30, 1],
  [31, 0],
])('takes %i changes in one operation: %i', async (count, isTaken) => {
  const api = createApi(apimallList(apimallRow()), text('', 204));
  await using graph = await openGraph({ apimall: api.listener });
  const fields = Array.from({ length: count }, (_, index) => {
    const all = 'userErrors { field message code } warnings { code } report { state error { code } } deletedId';
    return `d${index}: deleteWebhook(input: { id: "${ids.apimall}" }) { ${all} }`;
  });
  const { errors } = await graph.answer(`mutation { ${fields.join(' ')} }`);
  expect(errors?.map(({ extensions }) => extensions.code)).toEqual(isTaken ? undefined : ['COST_LIMIT_EXCEEDED']);
  expect([api.sent.length, graph.writes.length]).toEqual(isTaken ? [count, count] : [0, 0]);
});
