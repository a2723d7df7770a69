import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { compileQuery } from '../src/compile.ts';
import { encodeDeliveryId } from '../src/delivery.ts';
import { documentLimits } from '../src/limits.ts';
import { schema } from '../src/schema/index.ts';
import { plainScalars } from '../src/schema/scalars.ts';
import { noObserver } from '../src/upstream/observer.ts';
import { askAgain } from './support/again.ts';
import { attemptAt, deliveryRow, diligentWith, manyWebhooks, webhookId } from './support/deliveries.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

const log = json([attemptAt(2, 'b', 503), attemptAt(1, 'a')]);
const ofDiligent = (fields: string, first = 30) =>
  `{ webhooks(first: ${first}) { nodes { ... on DiligentWebhook { ${fields} } } } }`;

function logCalls(graph: Graph): string[] {
  return graph.calls('diligent').flatMap(({ path }) => (path.endsWith('/events') ? [path] : []));
}

test('reads one log once for a request, however often and by whatever path it is asked for', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log) });
  const { webhooks } = await graph.query('{ webhooks { nodes { id } } }');
  const [{ id }] = webhooks.nodes;
  const fields = `failureSummary { attempts } more: failureSummary { attempts } deliveries(first: 1) { nodes { id } }
    failed: deliveries(first: 2, filter: { succeeded: false }) { totalCount }`;
  const data = await graph.query(
    `query ($id: ID!) { webhook(id: $id) { ...F } nodes(ids: [$id, $id]) { ...F } webhooks(first: 2) { nodes { ...F } edges { node { ...F } } } }
    fragment F on DiligentWebhook { ${fields} }`,
    { id },
  );
  expect(data.webhook).toMatchObject({ failureSummary: { attempts: 2 }, failed: { totalCount: 1 } });
  expect(logCalls(graph)).toEqual([`/webhooks/${webhookId}/events`]);
  // The next request reads it anew.
  await graph.query(ofDiligent('failureSummary { attempts }'));
  expect(logCalls(graph)).toHaveLength(2);
});

test('reads no log where none is asked for', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log) });
  await graph.query(
    'query Q($no: Boolean = false) { webhooks { nodes { health ... on DiligentWebhook { deliveries @include(if: $no) { totalCount } } } } }',
  );
  expect(logCalls(graph)).toEqual([]);
});

/** Counts how many logs are being read at once. */
function createGauge() {
  const gauge = { now: 0, most: 0 };
  const listener: RequestListener = async (request, response) => {
    gauge.now += 1;
    gauge.most = Math.max(gauge.most, gauge.now);
    await sleep(15);
    gauge.now -= 1;
    log(request, response);
  };
  return { gauge, listener };
}

test('reads four logs at once and not more for a request, and several requests more', async () => {
  const { gauge, listener } = createGauge();
  await using graph = await openGraph(
    { diligent: diligentWith(listener, ...manyWebhooks(9)) },
    { shareInFlight: false },
  );
  const ask = () => graph.query(ofDiligent('failureSummary { attempts }'));
  await ask();
  expect(gauge.most).toBe(4);
  await Promise.all([ask(), ask(), ask()]);
  expect(gauge.most).toBeGreaterThan(4);
});

test('reads 20 logs for a request and refuses more', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log, ...manyWebhooks(22)) });
  const { data, errors } = await graph.answer(
    ofDiligent('failureSummary { attempts } deliveries(first: 1) { totalCount }'),
  );
  const shown = data.webhooks.nodes.filter(({ failureSummary }: { failureSummary: unknown }) => failureSummary);
  expect(shown).toHaveLength(20);
  expect(logCalls(graph)).toHaveLength(20);
  expect(new Set(errors?.map(({ extensions, message }) => `${extensions.code} ${message}`))).toEqual(
    new Set(['BAD_USER_INPUT deliveries: at most 20 webhooks at once. Ask for smaller pages of webhooks.']),
  );
  expect(errors).toHaveLength(4);
});

test('keeps nothing of a log, but makes nothing again of a list that says what it said', async () => {
  let unchanged = 0;
  const observe = () => ({ ...noObserver, unchanged: () => (unchanged += 1) });
  await using graph = await openGraph({ diligent: diligentWith(log) }, { observe });
  for (let times = 0; times < 3; times++) await graph.query(ofDiligent('id'));
  const before = unchanged;
  expect(before).toBeGreaterThan(0);
  for (let times = 0; times < 3; times++) await graph.query(ofDiligent('deliveries(first: 1) { nodes { id } }'));
  // The list, each time.
  expect(unchanged).toBe(before + 3);
  expect(logCalls(graph)).toHaveLength(3);
});

test('answers from what the log says now, however often the same is asked', async () => {
  const said = { rows: [deliveryRow()] };
  await using graph = await openGraph({ diligent: diligentWith((...both) => json(said.rows)(...both)) });
  const query = ofDiligent('failureSummary { attempts } deliveries(first: 5) { nodes { externalId } complete }');
  for (let count = 1; count <= 6; count++) {
    said.rows = Array.from({ length: count }, (_, index) => attemptAt(index, `m${index}`));
    const { text, bytes } = await askAgain(graph, query);
    expect(bytes).toBeNull();
    const [{ failureSummary, deliveries }] = JSON.parse(text).data.webhooks.nodes;
    expect([failureSummary.attempts, deliveries.nodes.length]).toEqual([count, Math.min(count, 5)]);
  }
});

test.each([
  ['deliveries { totalCount }', false],
  ['failureSummary { attempts }', false],
  ['lastDeliveryStatus', true],
])('knows before it runs a query with `%s` whether it can be compiled', (field, expected) => {
  const document = parse(ofDiligent(field));
  const operation = getOperationAST(document);
  expect(operation && compileQuery(schema, { document, operation, variables: {} }, plainScalars) !== null).toBe(
    expected,
  );
});

const plain = 'id externalId event at httpStatus statusClass succeeded';
const messages = 'request { headers { name value } body } response { headers { name value } body truncated }';
const whyFails = `failureSummary { attempts consecutiveFailures firstFailedAt reachesBeyondLog lastSucceededAt lastFailedAt statusClasses { statusClass count } }
  deliveries(first: 5) { nodes { ${plain} ${messages} } totalCount complete sources { state error { code } } pageInfo { hasNextPage endCursor } }`;

/** What a query costs. */
async function costOf(query: string): Promise<number> {
  const limits = { documentLimits: { ...documentLimits, cost: 0 }, deliveryPayloads: true };
  await using graph = await openGraph({ diligent: diligentWith(log) }, limits);
  const { errors } = await graph.answer(query);
  return Number(/^A cost of (\d+) /.exec(errors?.[0]?.message ?? '')?.[1]);
}

test('costs what a call for each webhook does, and bodies more than words', async () => {
  expect(await costOf(ofDiligent(whyFails, 20))).toBeLessThan(documentLimits.cost / 2);
  expect(await costOf(ofDiligent('failureSummary { attempts }', 1000))).toBeGreaterThan(3 * documentLimits.cost);
  expect(await costOf(ofDiligent('deliveries(first: 1) { totalCount }', 1000))).toBeGreaterThan(
    3 * documentLimits.cost,
  );
  const rows = (fields: string) => costOf(ofDiligent(`deliveries(first: 100) { nodes { ${fields} } }`, 1));
  expect((await rows('id request { body }')) - (await rows('id'))).toBeGreaterThanOrEqual(100 * 20);
});

test('refuses the logs of a thousand webhooks before any call', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log) });
  const { errors } = await graph.answer(ofDiligent('failureSummary { attempts }', 1000));
  expect(errors).toMatchObject([{ extensions: { code: 'COST_LIMIT_EXCEEDED' } }]);
  expect(graph.calls('diligent')).toEqual([]);
});

test('says of the id of a delivery what it is, where one of something else is wanted', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log) });
  const id = encodeDeliveryId('diligent', webhookId, 'a', null);
  const { data, errors } = await graph.answer(
    'query ($id: ID!) { webhook(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id } _entities(representations: [{ __typename: "Webhook", id: $id }]) { __typename } }',
    { id },
  );
  expect(data).toEqual({ webhook: null, node: null, nodes: [null], _entities: [null] });
  const codes = errors?.map(({ message, extensions }) => [extensions.code, message.replace(/^\w+: /, '')]) ?? [];
  const sentence = 'this is the id of a delivery, which only its webhook shows: select its deliveries.';
  expect(codes.slice(0, 3)).toEqual(Array(3).fill(['BAD_USER_INPUT', sentence]));
  expect(codes[3]).toEqual(['BAD_USER_INPUT', 'this is the id of WebhookDelivery, not of Webhook.']);
});
