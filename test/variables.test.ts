import {
  buildSchema,
  type GraphQLScalarType,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { InputError } from '../src/errors.ts';
import { findWrongVariables } from '../src/variables.ts';
import { attack, jsonType, post, withFrontDoor } from './support/abuse.ts';

const canary = 's3cret-canary';
const schema = buildSchema(`
  type Query { create(input: CreateInput!): Int }
  scalar Secret
  enum Kind { FIRST SECOND }
  input CreateInput { url: String! events: [String!]! kind: Kind! retries: Int enabled: Boolean secret: SecretChange! inner: [[CreateInput]] }
  input SecretChange @oneOf { set: Secret keep: Boolean }
`);

const Secret = schema.getType('Secret') as GraphQLScalarType;
Secret.parseValue = (value) => {
  if (typeof value !== 'string') throw new InputError('A secret must be text.');
  return value;
};

/** An input that is in order, with the canary wherever there may be text. */
const whole = { url: canary, events: [canary, canary], kind: 'FIRST', secret: { set: canary } };
const nested = { ...whole, inner: [[whole], [whole, null]] };

function operationOf(document: string): OperationDefinitionNode {
  const [operation] = parse(document).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('No operation');
  return operation;
}

const create = operationOf('query ($input: CreateInput!, $n: Int) { create(input: $input) }');

function find(variables: Readonly<Record<string, unknown>>, options = { most: 5, hideSuggestions: false }) {
  return findWrongVariables(schema, create, variables, options).map(({ message }) => message);
}

/** What graphql-js itself says. */
function findPlainly(variables: Readonly<Record<string, unknown>>) {
  const { errors = [] } = getVariableValues(schema, create.variableDefinitions ?? [], variables);
  return errors.map(({ message }) => message);
}

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ['nothing', {}, 'Variable "$input" of required type "CreateInput!" was not provided.'],
  ['null', { input: null }, 'Variable "$input" is wrong: Expected non-nullable type "CreateInput!" not to be null.'],
  ['text', { input: canary }, 'Variable "$input" is wrong: Expected type "CreateInput" to be an object.'],
  ['a list', { input: [whole] }, 'Variable "$input" is wrong: Expected type "CreateInput" to be an object.'],
  [
    'a typing error beside it',
    { input: { ...nested, ulr: canary } },
    'Variable "$input" is wrong: Field "ulr" is not defined by type "CreateInput". Did you mean "url"?',
  ],
  [
    'a typing error deep in it',
    { input: { ...nested, inner: [[], [whole, { ...whole, typo: { canary } }]] } },
    'Variable "$input" is wrong at "input.inner[1][1]": Field "typo" is not defined by type "CreateInput".',
  ],
  [
    'a field too few',
    { input: { ...whole, url: undefined } },
    'Variable "$input" is wrong: Field "url" of required type "String!" was not provided.',
  ],
  [
    'an object for text',
    { input: { ...nested, url: { canary } } },
    'Variable "$input" is wrong at "input.url": Expected type "String".',
  ],
  [
    'a list for text',
    { input: { ...nested, events: [canary, [canary]] } },
    'Variable "$input" is wrong at "input.events[1]": Expected type "String".',
  ],
  [
    'text for a number',
    { input: { ...nested, retries: canary } },
    'Variable "$input" is wrong at "input.retries": Expected type "Int".',
  ],
  [
    'text for a boolean',
    { input: { ...nested, enabled: canary } },
    'Variable "$input" is wrong at "input.enabled": Expected type "Boolean".',
  ],
  [
    'text for a value of an enum',
    { input: { ...nested, kind: canary } },
    'Variable "$input" is wrong at "input.kind": Expected a value of the enum "Kind".',
  ],
  [
    'almost a value of an enum',
    { input: { ...nested, kind: 'FIRSTT' } },
    'Variable "$input" is wrong at "input.kind": Expected a value of the enum "Kind". Did you mean the enum value "FIRST"?',
  ],
  [
    'an object for a value of an enum',
    { input: { ...nested, kind: { canary } } },
    'Variable "$input" is wrong at "input.kind": Expected a value of the enum "Kind".',
  ],
  [
    'what a scalar of ours refuses in its own words',
    { input: { ...nested, secret: { set: [canary] } } },
    'Variable "$input" is wrong at "input.secret.set": Expected type "Secret". A secret must be text.',
  ],
  [
    'two of what only one may be',
    { input: { ...nested, secret: { set: canary, keep: true } } },
    'Variable "$input" is wrong at "input.secret": Exactly one key must be specified for OneOf type "SecretChange".',
  ],
  [
    'text that reads like a message',
    { input: { ...nested, kind: `${canary} Did you mean the enum value "${canary}"?` } },
    'Variable "$input" is wrong at "input.kind": Expected a value of the enum "Kind".',
  ],
  ['another variable', { input: nested, n: canary }, 'Variable "$n" is wrong: Expected type "Int".'],
])('says what is wrong with %s, and where, without a value', (_what, variables, message) => {
  expect(find(variables)).toEqual([message]);
  expect(findPlainly(variables)).toHaveLength(1);
});

test('finds nothing wrong where graphql-js does not', () => {
  expect([find({ input: nested }), findPlainly({ input: nested })]).toEqual([[], []]);
});

test('leaves out what else is wrong where it is much', () => {
  const messages = find({ input: { ...whole, events: Array(1000).fill({ canary }) } });
  expect(messages).toHaveLength(5);
  expect(messages[4]).toBe('Too much is wrong with the variables: the rest is left out.');
});

test('does not say how it is spelt where that is hidden', () => {
  const options = { most: 5, hideSuggestions: true };
  const wrong = [
    { input: { ...whole, kind: 'FIRSTT' } },
    { input: { ...whole, ulr: '' } },
    { input: { ...whole, kind: `${canary} Did you mean the enum value "${canary}"?` } },
  ];
  for (const variables of wrong) expect(find(variables, options).join()).not.toMatch(/did you mean|canary/i);
});

test('graphql-js would repeat the secret beside a typing error', () => {
  expect(findPlainly({ input: { ...whole, typo: 1 } }).join()).toContain(canary);
});

describe('through the front door', () => {
  const door = withFrontDoor({ introspection: true });
  const query = 'query Q($f: WebhookFilter, $i: ID!) { webhooks(filter: $f) { totalCount } webhook(id: $i) { id } }';
  const filter = { source: [canary], event: [canary], host: [canary], urlContains: canary };
  const body = (variables: unknown, asked = query) => JSON.stringify({ query: asked, variables });
  const literal = `query Q($h: String = "x") { webhooks(filter: { source: [$h], urlContains: "${canary}" }) { totalCount } }`;

  test.each([
    ['a field that is not there', body({ i: 'x', f: { ...filter, typo: canary } })],
    ['text for a boolean', body({ i: 'x', f: { ...filter, enabled: canary } })],
    ['text for values of an enum', body({ i: 'x', f: { ...filter, health: [canary], provider: canary } })],
    ['text for a time', body({ i: 'x', f: { ...filter, lastDeliveryAfter: canary } })],
    ['an object for a time', body({ i: 'x', f: { ...filter, lastDeliveryAfter: { canary } } })],
    ['an object for text', body({ i: 'x', f: { ...filter, urlContains: { a: [canary] } } })],
    ['a list for an id', body({ i: [canary], f: filter })],
    ['text for an object', body({ i: 'x', f: canary })],
    ['text for all variables', body(canary)],
    ['a null beside it in the document', body({ h: null }, literal)],
    ['a comma too few', body({ i: 'x', f: filter }).replace('",', '"')],
    ['an end too soon', body({ i: 'x', f: filter }).slice(0, -2)],
  ])('no answer repeats variables with %s', async (_what, bytes) => {
    const { answers, text } = await attack(
      door.url,
      post(bytes, jsonType, 'accept: application/graphql-response+json'),
    );
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(text).not.toContain(canary);
    expect(text).toContain('BAD_USER_INPUT');
  });

  test.each([
    ['text for an object', `{ webhooks(filter: "${canary}") { totalCount } }`],
    ['text for a list of objects', `{ webhooks(orderBy: ["${canary}"]) { totalCount } }`],
    ['an object for text', `{ webhooks(filter: { urlContains: { set: "${canary}" } }) { totalCount } }`],
    ['text for a number', `{ webhooks(first: "${canary}") { totalCount } }`],
    ['text for a boolean', `{ webhooks(filter: { enabled: "${canary}" }) { totalCount } }`],
    ['text for a value of an enum', `{ webhooks(filter: { health: "${canary}" }) { totalCount } }`],
    ['a list for an id', `{ webhook(id: ["${canary}"]) { id } }`],
    ['an object for an id', `{ webhook(id: { a: "${canary}" }) { id } }`],
    [
      'text beside a typing error',
      `{ webhooks(filter: { urlContains: "${canary}", typo: "${canary}" }) { totalCount } }`,
    ],
    ['text where a name belongs', `{ webhooks(filter: { "${canary}": true }) { totalCount } }`],
    ['text that is one too much', `{ webhooks(filter: { urlContains: "a" "${canary}" }) { totalCount } }`],
    ['text of lines that is one too much', `{ webhooks(filter: { urlContains: "a" """${canary}""" }) { totalCount } }`],
    ['text that has no end', `{ webhooks(filter: { urlContains: "${canary} }) { totalCount } }`],
  ])('no answer repeats a document with %s', async (_what, document) => {
    const bytes = post(body({}, document), jsonType, 'accept: application/graphql-response+json');
    const { answers, text } = await attack(door.url, bytes);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(text).not.toContain(canary);
    expect(text).toMatch(/GRAPHQL_(VALIDATION|PARSE)_FAILED/);
  });
});
