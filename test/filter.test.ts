import { expect, test } from 'vitest';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const rows = {
  apimall: apimallList(
    apimallRow({
      id: 1,
      url: 'https://Hooks.Acme.example/a',
      events: ['job.completed', 'job.failed'],
      last_sent_at: '2026-05-01T00:00:00Z',
    }),
    apimallRow({ id: 2, url: 'https://crm.acme.example/b', status: 'paused', last_sent_at: '2026-05-02T00:00:00Z' }),
    apimallRow({ id: 3, url: 'amqp://hooks.acme.example', total_sent: 0, total_failed: 0, last_sent_at: null }),
    apimallRow({ id: 4, url: 'https://x.example/ACME', status: 'quarantined', last_sent_at: '2026-05-03T00:00:00Z' }),
  ),
  diligent: json([
    diligentRow({
      id: 'd1',
      webhook_url: 'https://hooks.acme.example/d',
      last_delivery_at: '2026-05-02T02:00:00+02:00',
    }),
    diligentRow({
      id: 'd2',
      webhook_url: 'https://y.example/d',
      status: 'failing',
      last_delivery_status: 500,
      last_delivery_at: '2026-05-04T00:00:00Z',
    }),
  ]),
};
const everything = ['1', '2', '3', '4', 'd1', 'd2'];
/** Those with a last delivery. */
const timed = ['1', '2', '4', 'd1', 'd2'];

async function match(filter: object | null): Promise<string[]> {
  await using graph = await openGraph(rows);
  const document = 'query F($filter: WebhookFilter) { webhooks(filter: $filter) { totalCount nodes { externalId } } }';
  const { webhooks } = await graph.query(document, { filter });
  expect(webhooks.totalCount).toBe(webhooks.nodes.length);
  return webhooks.nodes.map(({ externalId }: { externalId: string }) => externalId).sort();
}

test.each<[string, object | null, string[]]>([
  ['no filter', null, everything],
  ['an empty filter', {}, everything],
  [
    'conditions that are null',
    {
      provider: null,
      source: null,
      health: null,
      enabled: null,
      event: null,
      host: null,
      urlContains: null,
      lastDeliveryAfter: null,
      lastDeliveryBefore: null,
    },
    everything,
  ],
  ['one provider', { provider: ['API_MALL'] }, ['1', '2', '3', '4']],
  ['one source', { source: ['diligent'] }, ['d1', 'd2']],
  ['one verdict', { health: ['FAILING'] }, ['d2']],
  ['several verdicts', { health: ['DISABLED', 'IDLE'] }, ['2', '3']],
  ['enabled', { enabled: true }, ['1', '3', 'd1', 'd2']],
  ['not enabled', { enabled: false }, ['2']],
  ['an event', { event: ['job.failed'] }, ['1']],
  ['one of several events', { event: ['job.failed', 'cdd_state_changed'] }, ['1', 'd1', 'd2']],
  ['an event in another case', { event: ['JOB.FAILED'] }, []],
  ['a host', { host: ['hooks.acme.example'] }, ['1', 'd1']],
  ['a host in another case', { host: ['HOOKS.acme.EXAMPLE'] }, ['1', 'd1']],
  ['a part of a host', { host: ['acme.example'] }, []],
  ['a part of the URL in any case', { urlContains: 'aCmE' }, ['1', '2', '3', '4', 'd1']],
  ['an empty part of the URL', { urlContains: '' }, everything],
  ['after a time, inclusive', { lastDeliveryAfter: '2026-05-02T00:00:00Z' }, ['2', '4', 'd1', 'd2']],
  ['before a time, exclusive', { lastDeliveryBefore: '2026-05-02T00:00:00Z' }, ['1']],
  ['a time with an offset', { lastDeliveryAfter: '2026-05-03T02:00:00+02:00' }, ['4', 'd2']],
  ['a time before the year 10000 that is after it in UTC', { lastDeliveryBefore: '9999-12-31T23:59:59-05:00' }, timed],
  ['such a time from the other side', { lastDeliveryAfter: '9999-12-31T23:59:59-05:00' }, []],
  ['a time after the year 0 that is before it in UTC', { lastDeliveryAfter: '0000-01-01T00:00:00+05:00' }, timed],
  [
    'between two times',
    { lastDeliveryAfter: '2026-05-02T00:00:00Z', lastDeliveryBefore: '2026-05-03T00:00:00Z' },
    ['2', 'd1'],
  ],
  ['several conditions at once', { urlContains: 'acme', enabled: true, provider: ['API_MALL'] }, ['1', '3']],
  ...['health', 'event', 'host', 'provider', 'source'].map(
    (name) => [`an empty list for ${name}`, { [name]: [] }, []] as [string, object, string[]],
  ),
])('matches %s', async (_name, filter, ids) => {
  expect(await match(filter)).toEqual(ids);
});

test('looks through lists of conditions no more than once, however long', async () => {
  const events = Array.from({ length: 100 }, (_, number) => `job.${number}`);
  const many = Array.from({ length: 400 }, (_, id) => apimallRow({ id, url: `https://h${id}.example`, events }));
  await using graph = await openGraph({ apimall: apimallList(...many) });
  const words = Array.from({ length: 15_000 }, (_, number) => number.toString(36));
  const document = 'query F($filter: WebhookFilter) { webhooks(filter: $filter) { totalCount } }';
  const ask = async (filter: object) => {
    const before = process.threadCpuUsage();
    expect((await graph.query(document, { filter })).webhooks.totalCount).toBe(0);
    const { user } = process.threadCpuUsage(before);
    return user;
  };
  await ask({ event: words });
  // To compare each of 600 million pairs would take more than a second.
  expect(await ask({ event: words })).toBeLessThan(500_000);
  expect(await ask({ host: words })).toBeLessThan(500_000);
});

test('counts what matches on all pages, not what is on the page', async () => {
  await using graph = await openGraph(rows);
  const { webhooks } = await graph.query(
    '{ webhooks(first: 1, filter: { urlContains: "acme" }) { totalCount nodes { id } healthCounts { health count } } }',
  );
  expect(webhooks.nodes).toHaveLength(1);
  expect(webhooks.totalCount).toBe(5);
  expect(webhooks.healthCounts).toEqual([
    { health: 'FAILING', count: 0 },
    { health: 'UNKNOWN', count: 1 },
    { health: 'IDLE', count: 1 },
    { health: 'DISABLED', count: 1 },
    { health: 'HEALTHY', count: 2 },
  ]);
});

test('applies below a source as well, where it can leave that source out', async () => {
  await using graph = await openGraph(rows);
  const { webhookSources } = await graph.query(
    '{ webhookSources { webhooks(filter: { provider: [DILIGENT], health: [HEALTHY] }) { totalCount complete } } }',
  );
  expect(webhookSources.map(({ webhooks }: { webhooks: object }) => webhooks)).toEqual([
    { totalCount: 0, complete: true },
    { totalCount: 1, complete: true },
  ]);
  expect(graph.calls('apimall')).toEqual([]);
});

test.each([
  [
    '{ webhooks(filter: { source: ["diligent", "stripe"] }) { totalCount } }',
    'no source "stripe" here. There are: apimall, diligent.',
    'BAD_USER_INPUT',
  ],
  [
    '{ webhooks(filter: { health: [BROKEN] }) { totalCount } }',
    'Value "BROKEN" does not exist in "WebhookHealth" enum.',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  [
    '{ webhooks(filter: { provider: [STRIPE] }) { totalCount } }',
    'Value "STRIPE" does not exist in "WebhookProvider" enum.',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['{ webhooks(filter: { lastDeliveryAfter: "yesterday" }) { totalCount } }', 'yesterday', 'GRAPHQL_VALIDATION_FAILED'],
  [
    '{ webhooks(filter: { state: "x" }) { totalCount } }',
    'Field "state" is not defined by type "WebhookFilter".',
    'GRAPHQL_VALIDATION_FAILED',
  ],
])('refuses %s', async (document, message, code) => {
  await using graph = await openGraph(rows);
  const { errors } = await graph.answer(document);
  expect(errors).toMatchObject([{ message: expect.stringContaining(message), extensions: { code } }]);
  expect([...graph.calls('apimall'), ...graph.calls('diligent')]).toEqual([]);
});

test.each<[string, object]>([
  ['query Q($id: ID = "x") { webhook(id: $id) { id } }', { id: null }],
  ['query Q($h: WebhookHealth = IDLE) { webhooks(filter: { health: [$h] }) { totalCount } }', { h: null }],
  ['query Q($s: String = "apimall") { webhooks(filter: { source: [$s] }) { totalCount } }', { s: null }],
  ['query Q($y: Boolean = true) { webhooks { complete @include(if: $y) } }', { y: null }],
])('refuses a null where none may be as BAD_USER_INPUT: %s', async (document, variables) => {
  await using graph = await openGraph(rows);
  const { errors } = await graph.answer(document, variables);
  expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'BAD_USER_INPUT' }]);
});

test.each([
  [{ health: ['BROKEN'] }, 'at "filter.health[0]": Expected a value of the enum "WebhookHealth".'],
  [{ provider: ['STRIPE'] }, 'at "filter.provider[0]": Expected a value of the enum "WebhookProvider".'],
  [{ enabled: 'yes' }, 'at "filter.enabled": Expected type "Boolean".'],
  [{ lastDeliveryBefore: '2026-13-01T00:00:00Z' }, 'at "filter.lastDeliveryBefore": Expected type "DateTime".'],
])('refuses the variable %o as BAD_USER_INPUT', async (filter, message) => {
  await using graph = await openGraph(rows);
  const { errors } = await graph.answer(
    'query F($filter: WebhookFilter) { webhooks(filter: $filter) { totalCount } }',
    { filter },
  );
  expect(errors).toMatchObject([{ message: expect.stringContaining(message), extensions: { code: 'BAD_USER_INPUT' } }]);
});
