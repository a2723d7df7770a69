import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createGraphiqlOptions } from '../src/graphiql.ts';
import { documentLimits } from '../src/limits.ts';
import { encodeId } from '../src/webhook.ts';
import { ask, withFrontDoor } from './support/abuse.ts';

const door = withFrontDoor();
const none = Number.POSITIVE_INFINITY;
const relaxed = withFrontDoor({
  documentLimits: { tokens: none, aliases: none, directives: none, depth: none, cost: none },
});
/** Refuses everything, and says what it would have cost. */
const meter = withFrontDoor({ documentLimits: { ...documentLimits, cost: 0 } });

async function costOf(document: string, variables: unknown = {}): Promise<number> {
  const { messages } = await ask(meter, document, variables);
  return Number(/^A cost of (\S+) is too much/.exec(messages[0] ?? '')?.[1]);
}

const plainFields =
  'id url host externalId provider events enabled status health healthReason secretConfigured createdAt updatedAt';
const everySource = 'source { id key name provider capabilities }';
const everyRow = `__typename ${plainFields} ${everySource} lastDelivery { at succeeded httpStatus error } ... on ApiMallWebhook { apiKeyId totalSent totalFailed successRate lastSentAt lastError } ... on DiligentWebhook { isActive hasSecret lastDeliveryAt lastDeliveryStatus }`;
const everyField = `totalCount complete pageInfo { hasNextPage hasPreviousPage startCursor endCursor } healthCounts { health count } sources { ${everySource} state error { code message retryable httpStatus retryAfterMs providerCode providerRequestId } itemCount rejectedCount fetchedAt durationMs }`;
const id = encodeId('ApiMallWebhook', 'apimall', '8');
const lists = (count: number, list: string) => Array.from({ length: count }, (_, n) => `a${n}: ${list}`).join(' ');
const rowsOfRows = (first: string) => `{ source { webhooks${first} { nodes { id } } } }`;

test.each<[string, string, unknown]>([
  [
    'a page of 1000 with all plain fields',
    `{ webhooks(first: 1000) { totalCount complete nodes { ${plainFields} } } }`,
    {},
  ],
  [
    'a page of 1000 with all plain fields, by its edges',
    `{ webhooks(first: 1000) { edges { cursor node { ${plainFields} } } } }`,
    {},
  ],
  ['a page of 1000 by a variable', `query($n: Int) { webhooks(first: $n) { nodes { ${plainFields} } } }`, { n: 1000 }],
  [
    'a page of 1000 with every field of every type, by its nodes and by its edges',
    `{ webhooks(first: 1000) { ${everyField} nodes { ${everyRow} } edges { cursor node { ${everyRow} } } } }`,
    {},
  ],
  ['every source with its webhooks', `{ webhookSources { name webhooks(first: 1000) { nodes { id url } } } }`, {}],
  ['900 ids', `query($ids: [ID!]!) { nodes(ids: $ids) { id } }`, { ids: Array(900).fill(id) }],
])('answers %s', async (_name, document, variables) => {
  const { status, messages } = await ask(door, document, variables);
  expect([status, messages]).toEqual([200, []]);
  await door.check();
});

const refused: readonly [string, string, unknown][] = [
  ['1000 webhooks for each of 1000', `{ webhooks(first: 1000) { nodes ${rowsOfRows('(first: 1000)')} } }`, {}],
  ['as many from the end', `{ webhooks(last: 1000) { nodes ${rowsOfRows('(last: 1000)')} } }`, {}],
  [
    'as many by their edges',
    '{ webhooks(first: 1000) { edges { node { source { webhooks(first: 1000) { edges { cursor } } } } } } }',
    {},
  ],
  ['as many by sources', `{ webhookSources { webhooks(first: 1000) { nodes ${rowsOfRows('(first: 1000)')} } } }`, {}],
  [
    'as many by a variable',
    `query($n: Int) { webhooks(first: $n) { nodes ${rowsOfRows('(first: $n)')} } }`,
    { n: 1000 },
  ],
  [
    'as many by the default of a variable',
    `query($n: Int = 1000) { webhooks(first: $n) { nodes ${rowsOfRows('(first: $n)')} } }`,
    {},
  ],
  [
    'as many through fragments',
    `{ webhooks(first: 1000) { nodes { ...a } } } fragment a on Webhook ${rowsOfRows('(first: 1000)')}`,
    {},
  ],
  [
    'as many through a fragment on a type of one provider',
    `{ webhooks(first: 1000) { nodes { ... on ApiMallWebhook ${rowsOfRows('(first: 1000)')} } } }`,
    {},
  ],
  [
    '100 of 100 of 100 without a page size',
    `{ webhooks { nodes { source { webhooks { nodes ${rowsOfRows('')} } } } } }`,
    {},
  ],
  [
    '1000 webhooks for each of 900 ids',
    'query($ids: [ID!]!) { nodes(ids: $ids) { ... on WebhookSource { webhooks(first: 1000) { nodes { id } } } } }',
    { ids: Array(900).fill(id) },
  ],
  [
    '1000 webhooks for each of 900 ids in the document',
    `{ nodes(ids: [${Array(900).fill(`"${id}"`)}]) { ... on WebhookSource { webhooks(first: 1000) { nodes { id } } } } }`,
    {},
  ],
  [
    '1000 lists, however small',
    '{ webhooks(first: 1000) { nodes { source { webhooks(first: 1) { totalCount } } } } }',
    {},
  ],
  ['25 lists of 1000 with one field', `{ ${lists(25, 'webhooks(first: 1000) { nodes { url } }')} }`, {}],
  ['80 pages of 1000', `{ ${lists(80, 'webhooks(first: 1000) { nodes { id url status } }')} }`, {}],
];

test.each(refused)('refuses %s, says which limit, and asks nobody', async (_name, document, variables) => {
  const before = door.graph.calls('apimall').length;
  const answer = await ask(door, document, variables);
  const message = /^A cost of \d+ is too much: at most 150000\. Ask for smaller pages or fewer fields\.$/;
  expect(answer).toMatchObject({
    status: 400,
    codes: ['COST_LIMIT_EXCEEDED'],
    messages: [expect.stringMatching(message)],
  });
  expect(answer.data).toBeUndefined();
  expect(door.graph.calls('apimall')).toHaveLength(before);
  await door.check();
});

test.each(refused.slice(0, 3))('would answer %s without the limit', async (_name, document, variables) => {
  const { status, data } = await ask(relaxed, document, variables);
  expect([status, typeof data]).toEqual([200, 'object']);
});

test('counts the rows that a page may have, 100 if it does not say, and each id', async () => {
  const page = (first: string) => costOf(`{ webhooks${first} { nodes { id url } } }`);
  const one = await page('(first: 1)');
  // A row is worth five fields, and has two.
  expect((await page('(first: 11)')) - one).toBe(70);
  expect(await page('')).toBe(await page('(first: 100)'));
  expect(await costOf('query($n: Int) { webhooks(first: $n) { nodes { id url } } }', { n: 50 })).toBe(
    await page('(first: 50)'),
  );
  expect(await costOf('query($n: Int) { webhooks(last: $n) { nodes { id url } } }', { n: 50 })).toBe(
    await page('(last: 50)'),
  );
  // A size that is refused later costs what the largest does.
  expect(await page('(first: 2147483647)')).toBe(await page('(first: 1000)'));
  const ids = (count: number) =>
    costOf('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array(count).fill(id) });
  expect((await ids(101)) - (await ids(1))).toBe(100);
});

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const nameOf = (document: string) => /^(?:query|mutation) (\w+)/m.exec(document)?.[1];
const own: readonly [string, string, unknown][] = [
  ...[...readme.matchAll(/^```graphql\n(.*?)^```/gms)].map(([, document = '']): [string, string, unknown] => [
    `the README's ${nameOf(document)}`,
    document,
    { id },
  ]),
  ...(createGraphiqlOptions({ needsToken: false, writes: true }).defaultTabs ?? []).map(
    ({ query, variables }): [string, string, unknown] => [
      `GraphiQL's ${nameOf(query ?? '')}`,
      query ?? '',
      variables ?? {},
    ],
  ),
];

test('knows the queries of the README and of GraphiQL', () => {
  expect(own).toHaveLength(5 + 4 + 10);
});

test.each(own)('%s costs at most a tenth of what is allowed', async (name, document, variables) => {
  const cost = await costOf(document, variables);
  process.stdout.write(`${name}: cost ${cost} of ${documentLimits.cost}\n`);
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThanOrEqual(documentLimits.cost / 10);
  expect((await ask(door, document, variables)).messages).toEqual([]);
});
