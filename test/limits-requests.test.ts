import { getIntrospectionQuery } from 'graphql';
import { expect, test } from 'vitest';
import { ask, attack, expectSafe, head, host, jsonType, post, refusalOf, withFrontDoor } from './support/abuse.ts';

const door = withFrontDoor();
const open = withFrontDoor({ introspection: true });
const filtered = 'query Q($f: WebhookFilter) { webhooks(filter: $f) { totalCount } }';
const prototype = Object.getOwnPropertyNames(Object.prototype);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

test.each([
  [
    'lists 20 000 deep',
    `{"f":{"source":${nested(20_000)}}}`,
    1,
    /^Variable "\$f" is wrong at "f\.source\[0\]": Expected type "String"\.$/,
  ],
  ['lists 50 000 deep', `{"f":${nested(50_000)}}`, 1, /Expected type "WebhookFilter" to be an object/],
  ['objects 20 000 deep', `{"f":${objects(20_000)}}`, 1, /"a" is not defined/],
  ['30 000 values of an enum that it does not have', `{"f":{"health":[${Array(30_000).fill(0)}]}}`, 5, /WebhookHealth/],
  [
    '10 000 fields that are not there',
    `{"f":{${Array.from({ length: 10_000 }, (_, index) => `"k${index}":1`)}}}`,
    5,
    /is not defined/,
  ],
  ['a key of 100 000 letters', `{"f":{"${'a'.repeat(100_000)}":1}}`, 1, /Field "a{200,300}…$/],
])('refuses in variables %s', async (_name, variables, count, message) => {
  const { status, codes, messages } = await ask(door, filtered, variables);
  expect([status, codes]).toEqual([400, Array(count).fill('BAD_USER_INPUT')]);
  expect(messages[0]).toMatch(message);
  expect(messages[0]?.length).toBeLessThan(300);
  await door.check();
});

test.each([
  ['ids', 'query($v: [ID!] = ["x"]) { nodes(ids: $v) { id } COSTLY }'],
  ['representations', 'query($v: [_Any!] = []) { _entities(representations: $v) { __typename } COSTLY }'],
])('weighs what is asked beside %s that are null against their default', async (_name, query) => {
  const costly = 'webhooks(first: 1000) { nodes { source { webhooks(first: 1000) { nodes { id } } } } }';
  const before = door.graph.calls('apimall').length;
  const answer = await ask(door, query.replace('COSTLY', costly), { v: null });
  expect(answer).toMatchObject({ status: 400, codes: ['BAD_USER_INPUT'] });
  expect(answer.data).toBeUndefined();
  expect(door.graph.calls('apimall')).toHaveLength(before);
  await door.check();
});

test.each([
  [
    'an id whose source has 60 000 letters, 600 times',
    `query($v: ID!) { nodes(ids: [${'$v '.repeat(600)}]) { id } }`,
    Buffer.from(`DiligentWebhook:${'a'.repeat(60_000)}:x`).toString('base64url'),
  ],
  [
    'a source of 60 000 letters in 80 filters',
    `query($v: String!) { ${Array.from({ length: 80 }, (_, n) => `a${n}: webhooks(filter: { source: [$v] }) { complete }`)} }`,
    'a'.repeat(60_000),
  ],
])('repeats no more than a little of %s', async (_name, query, v) => {
  const { data, messages } = await ask(door, query, { v });
  expect(data).toBeDefined();
  expect(messages.length).toBeGreaterThanOrEqual(80);
  expect(Math.max(...messages.map(({ length }) => length))).toBeLessThan(300);
  await door.check();
});

test.each([
  ['that nobody uses, 50 000 deep', `{"x":${nested(50_000)}}`],
  [
    'that are named as what every object has',
    '{"__proto__":{"enabled":true},"constructor":{"prototype":{"enabled":true}},"toString":1}',
  ],
])('takes variables %s', async (_name, variables) => {
  expect(await ask(door, filtered, variables)).toMatchObject({ status: 200, data: { webhooks: { totalCount: 33 } } });
  await door.check();
});

test('refuses variables 100 000 deep by their size', async () => {
  const { status, messages } = await ask(door, filtered, `{"x":${nested(100_000)}}`);
  expect([status, messages]).toEqual([413, ['The body must be at most 131072 bytes.']]);
  await door.check();
});

test.each([
  ['a batch of one', '[{"query":"{ __typename }"}]', /^Batching is not supported\.$/],
  ['a batch of 10', `[${Array(10).fill('{"query":"{ __typename }"}')}]`, /^Batching is not supported\.$/],
  ['a batch of 4500', `[${Array(4500).fill('{"query":"{ __typename }"}')}]`, /^Batching is not supported\.$/],
  ['an empty batch', '[]', /^Batching is not supported\.$/],
  ['the key __proto__', '{"query":"{ __typename }","__proto__":{"x":1}}', /Unexpected parameter "__proto__"/],
  [
    'the key constructor',
    '{"query":"{ __typename }","constructor":{"prototype":{"x":1}}}',
    /Unexpected parameter "constructor"/,
  ],
  ['a query in __proto__', '{"__proto__":{"query":"{ __typename }"}}', /__proto__/],
  [
    'an operation named __proto__ that is not there',
    '{"query":"{ __typename }","operationName":"__proto__"}',
    /what operation/,
  ],
  [
    'an operation named constructor that is not there',
    '{"query":"{ __typename }","operationName":"constructor"}',
    /what operation/,
  ],
  ['a query that is an object', '{"query":{"kind":"Document"}}', /to be a string/],
  ['a query that is a list, beside an id', '{"query":["{ __typename }"],"documentId":"a"}', /to be a string/],
  ['extensions that are a list', '{"query":"{ __typename }","extensions":[]}', /"extensions"/],
  [
    '400 operations without a choice',
    JSON.stringify({ query: Array.from({ length: 390 }, (_, index) => `query q${index}{a}`).join(' ') }),
    /./,
  ],
])('refuses %s', async (_name, body, message) => {
  const reply = await attack(door.url, post(body, jsonType, 'accept: application/graphql-response+json'));
  expectSafe(reply);
  expect(reply.answers.map(refusalOf)).toEqual([
    expect.objectContaining({ status: 400, message: expect.stringMatching(message) }),
  ]);
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
  await door.check();
});

test('answers aliases and variables that are named as what every object has', async () => {
  const aliases = await ask(door, '{ __proto__: __typename constructor: __typename hasOwnProperty: __typename }');
  expect(aliases.status).toBe(200);
  expect(Object.entries(aliases.data)).toEqual([
    ['__proto__', 'Query'],
    ['constructor', 'Query'],
    ['hasOwnProperty', 'Query'],
  ]);
  const document =
    'query($constructor: Int, $toString: Int) { webhooks(first: $constructor, last: $toString) { nodes { id } } }';
  const variables = await ask(door, document, '{"constructor":5}');
  expect(variables.data.webhooks.nodes).toHaveLength(5);
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
});

test.each([
  ['a field', '{ __proto__ constructor toString }', {}],
  ['a fragment', '{ ...__proto__ ...toString }', {}],
  ['a type', '{ ... on __proto__ { a } ... on constructor { b } }', {}],
  ['a directive', '{ __typename @__proto__ @constructor }', {}],
  ['an argument', '{ webhooks(__proto__: 1, constructor: 2) { totalCount } }', {}],
  ['a field of an input', '{ webhooks(filter: { __proto__: 1, constructor: 1 }) { totalCount } }', {}],
  ['a value of an enum', '{ webhooks(filter: { health: [constructor, __proto__] }) { totalCount } }', {}],
  ['a value of an enum in variables', filtered, '{"f":{"health":["__proto__","constructor"]}}'],
  ['a field of an input in variables', filtered, '{"f":{"__proto__":{"enabled":true}}}'],
])('does not find %s in what every object has', async (_name, document, variables) => {
  const { status, data } = await ask(door, document, variables);
  expect([status, data]).toEqual([400, undefined]);
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
});

test('refuses a variable named __proto__, which graphql-js would lose', async () => {
  const document = 'query($__proto__: Int) { webhooks(first: $__proto__) { nodes { id } } }';
  for (const variables of ['{"__proto__":5}', '{}']) {
    const { status, codes, messages } = await ask(door, document, variables);
    expect([status, codes, messages]).toEqual([400, ['BAD_USER_INPUT'], ['A variable cannot be named "$__proto__".']]);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
});

test('finds no source in what every object has', async () => {
  const { codes, data } = await ask(door, '{ webhooks(filter: { source: ["__proto__"] }) { totalCount } }');
  expect([codes, data]).toEqual([['BAD_USER_INPUT'], { webhooks: null }]);
});

test('refuses a mutation by GET with 405', async () => {
  const { answers } = await attack(door.url, head('GET /graphql?query=mutation{__typename}', host));
  expect(answers.map(({ status, headers }) => [status, headers.allow])).toEqual([[405, 'POST']]);
});

test('has a clean error for subscriptions, of which there are none', async () => {
  const document = 'subscription { __typename }';
  const byPost = await ask(door, document);
  expect(byPost.codes).toEqual(['BAD_USER_INPUT']);
  const byGet = await attack(door.url, head(`GET /graphql?query=${encodeURIComponent(document)}`, host));
  expectSafe(byGet);
  expect(byGet.answers.map(refusalOf)).toMatchObject([{ code: 'BAD_USER_INPUT' }]);
});

const schemaDeep = (depth: number) =>
  `{ __schema { types { ${'fields { type { '.repeat(depth)} name ${'} }'.repeat(depth)} } } }`;

test.each([
  ['the schema', '{ __schema { queryType { name } } }'],
  ['a type', '{ __type(name: "Query") { name } }'],
  ['the schema through a fragment', '{ ...a } fragment a on Query { __schema { types { name } } }'],
  ['the schema as gateways ask for it', 'query __ApolloGetServiceDefinition__ { _service { sdl } }'],
  ['the same under another name', '{ ...a } fragment a on Query { service: _service { text: sdl } }'],
  ['the schema 100 deep', schemaDeep(100)],
  ['what GraphiQL asks', getIntrospectionQuery()],
])('hides %s where introspection is off', async (_name, document) => {
  const { status, codes, messages } = await ask(door, document);
  expect([status, new Set(codes)]).toEqual([400, new Set(['GRAPHQL_VALIDATION_FAILED'])]);
  expect(messages.join()).toMatch(/introspection/i);
  await door.check();
});

test('lets the schema be read where introspection is on, but not in circles', async () => {
  const everything = getIntrospectionQuery({
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
    oneOf: true,
  });
  expect((await ask(open, everything)).messages).toEqual([]);
  for (const depth of [10, 100]) {
    const { status, messages } = await ask(open, schemaDeep(depth));
    expect(status).toBe(400);
    expect(messages.join()).toContain('Maximum introspection depth exceeded');
  }
});

test.each([
  ['__schema { types', '}'],
  ['__type(name: "Webhook") { ofType', '}'],
])('answers no more than ten aliases beside { %s }', async (begin, end) => {
  const aliased = (count: number) =>
    `{ ${begin} { ${Array.from({ length: count }, (_, index) => `a${index}: name`)} } ${end} }`;
  expect((await ask(open, aliased(10))).messages).toEqual([]);
  const { status, codes, messages } = await ask(open, aliased(11));
  expect([status, codes]).toEqual([400, ['COST_LIMIT_EXCEEDED']]);
  expect(messages).toEqual(['11 aliases beside `__schema` or `__type` are too many: at most 10.']);
});

const misspelt: readonly [string, string, string][] = [
  ['a field', '{ webhookz { totalCount } }', '{}'],
  ['a field of a webhook', '{ webhooks { nodes { idd } } }', '{}'],
  ['an argument', '{ webhooks(frist: 1) { totalCount } }', '{}'],
  ['a value of an enum', '{ webhooks(filter: { health: [FALING] }) { totalCount } }', '{}'],
  ['a field of an input', '{ webhooks(filter: { helth: [FAILING] }) { totalCount } }', '{}'],
  ['a type', '{ ... on Qury { __typename } }', '{}'],
  ['the type of a variable', 'query($f: WebhookFiltr) { webhooks(filter: $f) { totalCount } }', '{}'],
  ['a directive', '{ __typename @skp(if: true) }', '{}'],
  ['the argument of a directive', '{ __typename @skip(iff: true) }', '{}'],
  ['a field in variables', filtered, '{"f":{"helth":["FAILING"]}}'],
  ['a value of an enum in variables', filtered, '{"f":{"health":["FALING"]}}'],
  [
    'the field of an order in variables',
    'query($o: WebhookOrder) { webhooks(orderBy: $o) { totalCount } }',
    '{"o":{"feld":"URL"}}',
  ],
];

test.each(misspelt)('does not say how %s is spelt where introspection is off', async (_name, document, variables) => {
  const { status, messages } = await ask(door, document, variables);
  expect(status).toBe(400);
  expect(messages.join()).not.toMatch(/did you mean|"health"|"field"|urlContains/i);
});

test.each(misspelt)('says how %s is spelt where introspection is on', async (name, document, variables) => {
  const { status, messages } = await ask(open, document, variables);
  expect(status).toBe(400);
  // graphql-js has no word for directives.
  if (name !== 'a directive') expect(messages.join()).toMatch(/did you mean/i);
});
