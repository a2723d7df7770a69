import { describe, expect, test } from 'vitest';
import { ask, withFrontDoor } from './support/abuse.ts';

const door = withFrontDoor();
const none = Number.POSITIVE_INFINITY;
const relaxed = withFrontDoor({
  documentLimits: { tokens: none, aliases: none, directives: none, depth: none, cost: none },
});

/** `count` pieces, one after the other. */
function times(count: number, piece: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => piece(index)).join(' ');
}

function nested(depth: number, opening: string, inner: string, closing: string): string {
  return opening.repeat(depth) + inner + closing.repeat(depth);
}

const aliases = (count: number) => `{ ${times(count, (index) => `a${index}: __typename`)} }`;
const rounds = (depth: number) => nested(depth, '{ webhooks(first: 1) { nodes { source ', '{ key }', ' } } }');
const deep = (depth: number) => `{ webhookSources ${rounds(depth)} }`;
const inline = (parts: number, fields: number) =>
  `{ ${times(parts, () => `... on Query { ${times(fields, () => '__typename')} }`)} }`;
const laughs = (count: number, each: number) =>
  `{ ...f0 } ${times(count, (index) => `fragment f${index} on Query { ${times(each, () => `...f${index + 1}`)} }`)} fragment f${count} on Query { __typename }`;
const inFilter = (literal: string) => `{ webhooks(filter: ${literal}) { totalCount } }`;
const mebibyte = 'a'.repeat(1_048_576);

const [parse, validation, cost, input] = [
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'COST_LIMIT_EXCEEDED',
  'BAD_USER_INPUT',
];
const tokens = /more that 2000 tokens/;
/** How deep the parser gets before it ends depends on whether it was compiled by then: it meets one limit or the other. */
const deepOrMany = /nested too deeply|more that 2000 tokens/;
const size = /at most 131072 bytes/;

const refused: readonly [string, string, number, string, RegExp][] = [
  ['100 aliases', aliases(100), 400, cost, /^100 aliases are too many: at most 90\.$/],
  ['1000 aliases', aliases(1000), 400, parse, tokens],
  ['10 000 aliases', `{ ${times(10_000, (index) => `a${index}:id`)} }`, 400, parse, tokens],
  ['10 000 aliases of length', `{ ${times(10_000, (index) => `a${index}: __typename`)} }`, 413, input, size],
  ['1900 duplicate fields', `{ ${times(1900, () => '__typename')} }`, 400, cost, /same name/],
  ['30 000 duplicate fields', `{ ${times(30_000, () => 'id')} }`, 400, parse, tokens],
  ['depth 14', deep(4), 400, cost, /^A depth of 14 is too much: at most 12\.$/],
  ['depth 20', deep(6), 400, cost, /^A depth of 20 is too much/],
  ['depth 200', deep(66), 400, cost, /^A depth of 200 is too much/],
  ['depth 2000', deep(666), 400, parse, tokens],
  ['depth 20 000', nested(20_000, '{a', '', '}'), 400, parse, tokens],
  ['lists 900 deep', inFilter(`{source: ${nested(900, '[', '', ']')}}`), 400, validation, /String cannot represent/],
  ['lists 20 000 deep', inFilter(`{source: ${nested(20_000, '[', '', ']')}}`), 400, `${cost} or ${parse}`, deepOrMany],
  ['objects 400 deep', inFilter(nested(400, '{a:', '1', '}')), 400, validation, /"a" is not defined/],
  ['objects 20 000 deep', inFilter(nested(20_000, '{a:', '1', '}')), 400, parse, tokens],
  ['a type 900 deep', `query($a: ${nested(900, '[', 'Int', ']')}) { __typename }`, 400, validation, /never used/],
  ['200 overlapping fragments of 100 fields', inline(200, 100), 413, input, size],
  ['20 overlapping fragments of 90 fields', inline(20, 90), 400, cost, /same name/],
  [
    'circular fragments',
    '{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }',
    400,
    validation,
    /within itself via/,
  ],
  ['a fragment in itself', '{ ...a } fragment a on Query { ...a }', 400, validation, /within itself/],
  ['a chain of 3000 fragments', laughs(3000, 1), 400, parse, tokens],
  ['a chain of 5000 fragments', laughs(5000, 1), 413, input, size],
  ['2^25 laughs', laughs(25, 2), 400, cost, /^A cost of 33554432 is too much: at most 150000\./],
  ['2^100 laughs', laughs(100, 2), 400, cost, /^A cost of 1\.26\d+e\+30 is too much/],
  [
    '51 directives',
    `{ __typename ${times(51, () => '@skip(if: false)')} }`,
    400,
    cost,
    /^51 directives are too many: at most 50\.$/,
  ],
  ['20 000 directives', `{ __typename ${times(20_000, () => '@a')} }`, 400, parse, tokens],
  ['5000 operations', times(5000, (index) => `query q${index} { id }`), 400, parse, tokens],
  ['20 000 unknown fields', `{ ${times(20_000, () => 'zz')} }`, 400, parse, tokens],
  ['10 000 variables', `query(${times(10_000, (index) => `$v${index}:Int`)}) { id }`, 400, parse, tokens],
  ['5000 variables', `query(${times(5000, (index) => `$v${index}:Int`)}) { id }`, 400, parse, tokens],
  ['a name of 1 MiB', `{ ${mebibyte} }`, 413, input, size],
  ['a comment of 1 MiB', `#${mebibyte}\n{ __typename }`, 413, input, size],
  ['a string of 1 MiB', inFilter(`{urlContains: "${mebibyte}"}`), 413, input, size],
  ['a block string of 1 MiB', inFilter(`{urlContains: """${mebibyte}"""}`), 413, input, size],
  [
    '200 aliased readings of the schema',
    `{ ${times(200, (index) => `a${index}: __schema { types { name } }`)} }`,
    400,
    cost,
    /^200 aliases/,
  ],
];

test.each(refused)('refuses %s with one error that says why', async (_name, document, status, code, message) => {
  const answer = await ask(door, document);
  expect(answer).toMatchObject({
    status,
    codes: [expect.stringMatching(code.replace(' or ', '|'))],
    messages: [expect.stringMatching(message)],
  });
  await door.check();
});

test.each([
  ['20 directives of a kind', `{ __typename ${times(20, () => '@include(if: true)')} }`],
  ['50 unknown directives', `{ __typename ${times(50, () => '@a')} }`],
  ['1900 unknown fields', `{ ${times(1900, (index) => `z${index}`)} }`],
  ['400 unused variables', `query(${times(400, (index) => `$v${index}: Int`)}) { __typename }`],
  ['200 unknown fragments', `{ ${times(200, (index) => `...f${index}`)} }`],
  ['ten aliased readings of the schema', `{ ${times(10, (index) => `a${index}: __schema { types { name } }`)} }`],
])('stops at five errors for %s', async (_name, document) => {
  const { status, codes } = await ask(door, document);
  expect(status).toBe(400);
  expect(codes).toHaveLength(5);
  expect(new Set(codes)).toEqual(new Set(['GRAPHQL_VALIDATION_FAILED']));
  await door.check();
});

test.each([
  ['90 aliases', aliases(90)],
  ['50 directives', `{ ${times(50, (index) => `a${index}: __typename @include(if: true)`)} }`],
  ['depth 11', deep(3)],
  ['a chain of 200 fragments', laughs(200, 1)],
  ['a comment of 100 000 letters', `#${'a'.repeat(100_000)}\n{ __typename }`],
])('answers %s', async (_name, document) => {
  const { status, messages } = await ask(door, document);
  expect([status, messages]).toEqual([200, []]);
  await door.check();
});

describe('without the limits', () => {
  test.each([
    ['100 aliases', aliases(100)],
    ['1000 aliases', aliases(1000)],
    ['depth 14', deep(4)],
    ['depth 20', deep(6)],
    ['2^25 laughs', laughs(25, 2)],
    ['51 directives', `{ ${times(51, (index) => `a${index}: __typename @include(if: true)`)} }`],
    ['a chain of 500 fragments', laughs(500, 1)],
  ])('%s would be answered', async (_name, document) => {
    expect(await ask(door, document)).toMatchObject({ status: 400, data: undefined });
    const { status, data, messages } = await ask(relaxed, document);
    expect([status, typeof data, messages]).toEqual([200, 'object', []]);
  });

  test('10 000 duplicate fields would be parsed and compared before they are refused', async () => {
    const { codes } = await ask(relaxed, `{ ${times(10_000, () => '__typename')} }`);
    expect(codes).toEqual(['COST_LIMIT_EXCEEDED']);
  });
});
