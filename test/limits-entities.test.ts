import { expect, test } from 'vitest';
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

const source = { __typename: 'WebhookSource', id: encodeId('WebhookSource', 'apimall') };
const webhook = { __typename: 'Webhook', id: encodeId('ApiMallWebhook', 'apimall', '8') };
const literal = `{ __typename: "WebhookSource", id: "${source.id}" }`;
const thousand = '... on WebhookSource { webhooks(first: 1000) { nodes { id } } }';
const entities = (selection: string) =>
  `query($r: [_Any!]!) { _entities(representations: $r) { __typename ${selection} } }`;

const refused: readonly [string, string, unknown][] = [
  ['1000 webhooks for each of 900 representations', entities(thousand), { r: Array(900).fill(source) }],
  [
    '1000 webhooks for each of 230 representations in the document',
    `{ _entities(representations: [${Array(230).fill(literal)}]) { ${thousand} } }`,
    {},
  ],
  [
    '1000 webhooks for each of 230 representations by the default of a variable',
    `query($r: [_Any!]! = [${Array(230).fill(literal)}]) { _entities(representations: $r) { ${thousand} } }`,
    {},
  ],
  [
    '1000 webhooks for each of 900 representations in the document, each a variable',
    `query($r: _Any!) { _entities(representations: [${Array(900).fill('$r')}]) { ${thousand} } }`,
    { r: source },
  ],
  [
    '1000 webhooks for each of 210 representations whose ids are a variable',
    `query($id: ID!) { _entities(representations: [${Array(210).fill('{ __typename: "WebhookSource", id: $id }')}]) { ${thousand} } }`,
    { id: source.id },
  ],
  [
    'a page by a variable for each of 900 representations',
    `query($r: [_Any!]!, $n: Int) { _entities(representations: $r) { ... on WebhookSource { webhooks(first: $n) { nodes { id } } } } }`,
    { r: Array(900).fill(source), n: 1000 },
  ],
  [
    'as many through the source of a webhook and a fragment',
    `query($r: [_Any!]!) { _entities(representations: $r) { ...a } }
      fragment a on Webhook { source { webhooks(first: 1000) { edges { cursor } } } }`,
    { r: Array(900).fill(webhook) },
  ],
  [
    'as many in the second of two lists',
    `query($r: [_Any!]!, $one: [_Any!]!) {
      one: _entities(representations: $one) { __typename }
      more: _entities(representations: $r) { ${thousand} }
    }`,
    { r: Array(900).fill(source), one: [source] },
  ],
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

test.each(refused.slice(1, 3))('would answer %s without the limit', async (_name, document, variables) => {
  const { status, data } = await ask(relaxed, document, variables);
  expect([status, data._entities.length]).toEqual([200, 230]);
});

test('counts each representation, wherever it stands', async () => {
  const fields = '... on Webhook { id url }';
  const counted = (count: number) => costOf(entities(fields), { r: Array(count).fill(webhook) });
  // One is its `__typename` and both fields.
  expect((await counted(101)) - (await counted(1))).toBe(300);
  const inDocument = `{ _entities(representations: [${Array(101).fill(literal)}]) { __typename ${fields} } }`;
  expect(await costOf(inDocument)).toBe(await counted(101));
  // None costs no less than one.
  expect(await counted(0)).toBe(await counted(1));
});

test('answers a thousand representations with all that a webhook has', async () => {
  const own = [
    ['ApiMallWebhook', 'apiKeyId totalSent totalFailed successRate lastSentAt lastError'],
    ['DiligentWebhook', 'isActive hasSecret lastDeliveryAt lastDeliveryStatus'],
  ].map(([type, fields]) => `... on ${type} { ${fields} }`);
  const document = entities(`... on Webhook {
    id url host externalId provider events enabled status health healthReason secretConfigured createdAt updatedAt
    lastDelivery { at succeeded httpStatus error } source { id key name provider capabilities } ${own.join(' ')}
  }`);
  const variables = { r: Array(1000).fill(webhook) };
  const { status, messages, data } = await ask(door, document, variables);
  expect([status, messages, data._entities.length]).toEqual([200, [], 1000]);
  const cost = await costOf(document, variables);
  process.stdout.write(`a thousand whole webhooks by representations: cost ${cost} of ${documentLimits.cost}\n`);
  expect(cost).toBeLessThanOrEqual(documentLimits.cost / 2);
});
