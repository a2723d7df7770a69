import { expect, test } from 'vitest';
import {
  type Attack,
  attack,
  chunks,
  expectRefused,
  expectSafe,
  good,
  head,
  host,
  jsonType,
  query,
  withFrontDoor,
} from './support/abuse.ts';

const door = withFrontDoor();

const methods: readonly [string, () => Attack, number][] = [
  ...['PUT', 'DELETE', 'PATCH', 'TRACE', 'QUERY', 'BREW'].map((method): [string, () => Attack, number] => [
    `method ${method}`,
    () => head(`${method} /graphql`, host),
    405,
  ]),
  ['method DELETE on /health', () => head('DELETE /health', host), 405],
  ['CONNECT', () => head('CONNECT upstream.test:443', 'host: upstream.test:443'), 405],
  ['the first bytes of TLS', () => Buffer.from('16030100a5010000a10303', 'hex'), 405],
  [
    'an upgrade to h2c',
    () => head('GET /graphql', host, 'connection: Upgrade, HTTP2-Settings', 'upgrade: h2c', 'http2-settings: AAMA'),
    400,
  ],
  [
    'an upgrade to a web socket',
    () => head('GET /graphql', host, 'connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13'),
    400,
  ],
];

const framing: readonly [string, () => Attack, number][] = [
  ['the first bytes of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['HTTP/0.9', () => 'GET /graphql\r\n\r\n', 400],
  [
    'both framings',
    () =>
      `${head('POST /graphql', host, jsonType, 'content-length: 4', 'transfer-encoding: chunked')}0\r\n\r\n${head('GET /health', host)}`,
    400,
  ],
  ['two lengths', () => head('POST /graphql', host, jsonType, 'content-length: 26', 'content-length: 27') + query, 400],
  [
    'one length twice',
    () => head('POST /graphql', host, jsonType, 'content-length: 26', 'content-length: 26') + query,
    400,
  ],
  ['a list of lengths', () => head('POST /graphql', host, jsonType, 'content-length: 26, 26') + query, 400],
  ['a negative length', () => head('POST /graphql', host, jsonType, 'content-length: -1') + query, 400],
  ['a length with a sign', () => head('POST /graphql', host, jsonType, 'content-length: +26') + query, 400],
  [
    'a length of 20 digits',
    () => head('POST /graphql', host, jsonType, 'content-length: 99999999999999999999') + query,
    400,
  ],
  ['a space before a colon', () => head('POST /graphql', host, jsonType, 'content-length : 26') + query, 400],
  ...['xchunked', 'chunked, identity', 'gzip, chunked', '\x0bchunked', 'identity', '"chunked"'].map(
    (coding): [string, () => Attack, number] => [
      `transfer encoding ${JSON.stringify(coding)}`,
      () => `${head('POST /graphql', host, jsonType, `transfer-encoding: ${coding}`)}1a\r\n${query}\r\n0\r\n\r\n`,
      400,
    ],
  ),
  [
    'a transfer encoding twice',
    () =>
      `${head('POST /graphql', host, jsonType, 'transfer-encoding: chunked', 'transfer-encoding: chunked')}0\r\n\r\n`,
    400,
  ],
  [
    'bare LF in the head',
    () => head('POST /graphql', host, jsonType, 'content-length: 26').replaceAll('\r\n', '\n') + query,
    400,
  ],
  ['bare LF in chunks', () => `${chunks()}1a\n${query}\n0\n\n`, 400],
  ['bare CR in a header', () => head('GET /health', host, 'x-any: a\rb'), 400],
  ['a folded header', () => head('GET /health', host, 'x-any: a', ' b'), 400],
  ['a chunk size of 17 digits', () => chunks('1ffffffffffffffff', query, '0', '', ''), 400],
  ['a negative chunk size', () => chunks('-1', query, '0', '', ''), 400],
  ['20 000 bytes of chunk extension', () => chunks(`1a;a=${'b'.repeat(20_000)}`, query, '0', '', ''), 413],
];

test.each([...methods, ...framing])('refuses %s, and goes on', async (_name, bytes, status) => {
  await expectRefused(door, bytes(), status);
});

test.each([
  ['HEAD on /graphql', head('HEAD /graphql', host, 'connection: close'), 405],
  ['HEAD on /health', head('HEAD /health', host, 'connection: close'), 200],
])('answers %s without a body', async (_name, bytes, status) => {
  const reply = await attack(door.url, bytes);
  expect(reply.text).toMatch(new RegExp(`^HTTP/1.1 ${status} [^{]*\r\n\r\n$`));
});

test.each([
  ['a short one', '1a;a=b'],
  ['one after a size with leading zeros', '0000000000000001a;a=b'],
])('takes a chunk extension, as node:http cannot refuse it: %s', async (_name, size) => {
  const reply = await attack(door.url, chunks(size, query, '0', '', ''));
  expect(reply.answers.map(({ body }) => body)).toEqual(['{"data":{"__typename":"Query"}}']);
});

test('answers 10 000 chunks of one byte, each with an extension, while others are served', async () => {
  const reply = await attack(door.url, chunks('1;a=b\r\nx\r\n'.repeat(10_000), '0', '', ''));
  expectSafe(reply);
  expect(reply.answers.map(({ status }) => status)).toEqual([400]);
  await door.check();
});

test('answers 200 pipelined requests in their order', async () => {
  const requests = Array.from({ length: 200 }, (_, index) => good(`{ a${index}: __typename }`));
  const { answers } = await attack(door.url, Buffer.concat(requests), 200);
  expect(answers.map(({ body }) => body)).toEqual(requests.map((_, index) => `{"data":{"a${index}":"Query"}}`));
  await door.check();
});

test('asks for the body where a client expects to be told', async () => {
  const reply = await attack(door.url, good(undefined, 'expect: 100-continue'));
  expect(reply.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('never answers a request with the refusal of what follows it', async () => {
  const asked = good('{ webhooks { totalCount } }');
  const { answers, closed } = await attack(door.url, Buffer.concat([asked, Buffer.from('no HTTP\r\n\r\n')]), 2);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(closed).toBe(true);
  await door.check();
});
