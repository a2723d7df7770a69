import { expect, test } from 'vitest';
import {
  type Attack,
  attack,
  expectRefused,
  expectSafe,
  good,
  head,
  host,
  jsonType,
  post,
  query,
  refusalOf,
  withFrontDoor,
} from './support/abuse.ts';

const door = withFrontDoor();

const targets: readonly [string, () => Attack, number][] = [
  ...[
    '',
    'a b',
    'a/b',
    'a@b',
    'a:x',
    'a:70000',
    '[::1',
    '[::::]',
    'a\\b',
    'a,b',
    '%00',
    'a?b',
    'a#b',
    '..',
    '\xe4',
    '999.999.999.999',
    '127.0.0.1:4000@evil.test',
  ].map((name): [string, () => Attack, number] => [
    `host ${JSON.stringify(name)}`,
    () => head('GET /graphql?query={__typename}', `host: ${name}`),
    400,
  ]),
  ['no host', () => head('GET /graphql?query={__typename}'), 400],
  ['two hosts', () => head('GET /graphql?query={__typename}', host, host), 400],
  ['an absolute address', () => head('GET http://evil.test/graphql?query={__typename}', host), 400],
  ['OPTIONS *', () => head('OPTIONS *', host), 400],
  ['//host', () => head('GET //evil.test/graphql?query={__typename}', host), 400],
  ['an address of 60 000 bytes', () => head(`GET /graphql?query=${'a'.repeat(60_000)}`, host), 431],
  ['an address with a NUL', () => head('GET /\0', host), 400],
  ['an address with bare UTF-8', () => head('GET /graphql?query=\xc3\xa4', host), 400],
  ['a bad escape in the path', () => head('GET /%zz', host), 404],
  ...['variables', 'extensions'].map((name): [string, () => Attack, number] => [
    `${name} in the address that are no JSON`,
    () => head(`GET /graphql?query={__typename}&${name}=%7B`, host),
    400,
  ]),
  ...['/graphql/../../etc/passwd', '/x/../graphql', '/..%2f..%2fetc/passwd', '/\\evil.test/graphql', '/graphql;x'].map(
    (path): [string, () => Attack, number] => [`path ${path}`, () => head(`GET ${path}`, host), 404],
  ),
];

const headers: readonly [string, () => Attack, number][] = [
  ['a header of 32 KiB', () => head('GET /health', host, `x-any: ${'a'.repeat(32_768)}`), 431],
  [
    '3000 headers',
    () => head('GET /health', host, ...Array.from({ length: 3000 }, (_, index) => `x-${index}: 1`)),
    431,
  ],
  ['101 headers', () => head('GET /health', host, ...Array.from({ length: 100 }, (_, index) => `x-${index}: 1`)), 431],
  ['NUL in a request id', () => head('GET /health', host, 'x-request-id: a\0b'), 400],
  ['ESC in a request id', () => head('GET /health', host, 'x-request-id: a\x1bb'), 400],
  ['DEL in a request id', () => head('GET /health', host, 'x-request-id: a\x7fb'), 400],
  ['another expectation', () => post(query, jsonType, 'expect: the-unexpected'), 417],
];

test.each([...targets, ...headers])('refuses %s, and goes on', async (_name, bytes, status) => {
  await expectRefused(door, bytes(), status);
});

test.each([
  ['a bad escape in the query', head('GET /graphql?query=%ff%zz', host)],
  ['a syntax error', good('{')],
])('answers %s as GraphQL does', async (_name, bytes) => {
  const reply = await attack(door.url, bytes);
  expectSafe(reply);
  expect(reply.answers.map(refusalOf)).toEqual([expect.objectContaining({ code: 'GRAPHQL_PARSE_FAILED' })]);
});

test.each(['a'.repeat(65), 'a b', 'a;b', '"a"', '{{7*7}}', '../a', ''])('replaces the request id %j', async (id) => {
  const { answers } = await attack(door.url, good(undefined, `x-request-id: ${id}`));
  expect(answers[0]?.headers['x-request-id']).toMatch(/^[\da-f]{32}$/);
});

test('keeps a request id that is in order, in refusals too', async () => {
  for (const bytes of [good(undefined, 'x-request-id: a.B_9-'), head('GET /x', host, 'x-request-id: a.B_9-')]) {
    const { answers } = await attack(door.url, bytes);
    expect(answers[0]?.headers['x-request-id']).toBe('a.B_9-');
  }
});

test.each([
  ['a page', head('GET /graphql', host, 'accept: text/html', 'connection: close')],
  ['/health', head('GET /health', host)],
  ['/ready', head('GET /ready', host)],
  ['an answer', good()],
  ['a preflight', head('OPTIONS /graphql', host)],
  ['what is not there', head('GET /', host)],
])('gives %s the headers that all answers have', async (_name, bytes) => {
  expectSafe(await attack(door.url, bytes));
});
