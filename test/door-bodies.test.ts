import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { largestBody } from '../src/door/checks.ts';
import {
  type Attack,
  attack,
  chunks,
  expectRefused,
  good,
  head,
  host,
  jsonType,
  post,
  query,
  withFrontDoor,
} from './support/abuse.ts';

const door = withFrontDoor();
const mebibyte = 1_048_576;
const bomb = gzipSync(Buffer.alloc(50 * mebibyte));

/** Filler in pieces, so that what is sent is never held as a whole. */
function* filler(size: number): Generator<Buffer> {
  const piece = Buffer.alloc(65_536, 97);
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
}

function* declared(length: number, sent = length): Generator<string | Buffer> {
  yield head('POST /graphql', host, jsonType, `content-length: ${length}`);
  yield* filler(sent);
}

function* chunked(size: number): Generator<string | Buffer> {
  yield head('POST /graphql', host, jsonType, 'transfer-encoding: chunked');
  for (const piece of filler(size)) yield Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')]);
  yield '0\r\n\r\n';
}

const bodies: readonly [string, () => Attack, number][] = [
  ['malformed JSON', () => post('{"query":', jsonType), 400],
  ['an empty body', () => post('', jsonType), 400],
  ['null', () => post('null', jsonType), 400],
  ['text', () => post('"{ __typename }"', jsonType), 400],
  ['a number', () => post('5', jsonType), 400],
  ['30 000 nested lists', () => post('['.repeat(30_000) + ']'.repeat(30_000), jsonType), 400],
  ['invalid UTF-8', () => post(Buffer.from('{"query":"{ __typename } #\xff"}', 'latin1'), jsonType), 400],
  [
    'an encoded surrogate',
    () => post(Buffer.from('{"query":"{ __typename } #\xed\xa0\x80"}', 'latin1'), jsonType),
    400,
  ],
  ['UTF-16', () => post(Buffer.from(query, 'utf16le'), jsonType), 400],
  ['UTF-16 with its mark', () => post(Buffer.from(`\ufeff${query}`, 'utf16le'), jsonType), 400],
  ['50 MiB with their length', () => declared(50 * mebibyte), 413],
  ['50 MiB in chunks', () => chunked(50 * mebibyte), 413],
  ['a length of 1 GiB that never comes', () => declared(1024 * mebibyte, 65_536), 413],
  ['one byte too many', () => post(query.padEnd(largestBody + 1), jsonType), 413],
  ['gzip', () => post(bomb, jsonType, 'content-encoding: gzip'), 415],
  ['a content coding that nobody knows', () => post(query, jsonType, 'content-encoding: x'), 415],
];

const types: readonly [string, () => Attack, number][] = [
  'text/plain',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/graphql',
  'application/jsonx',
  'application/json, text/plain',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'text/json',
].map((type) => [`content type ${type}`, () => post(query, `content-type: ${type}`), 415]);

test.each([...bodies, ...types])('refuses %s, and goes on', async (_name, bytes, status) => {
  await expectRefused(door, bytes(), status);
});

test.each<[string, () => Attack, number]>([
  ['no content type', () => post(query), 415],
  [
    'both framings',
    () => `${head('POST /graphql', host, jsonType, 'content-length: 4', 'transfer-encoding: chunked')}0\r\n\r\n`,
    400,
  ],
  ['a body that is too large', () => declared(mebibyte), 413],
])('ends the connection after %s, with what follows it unread', async (_name, bytes, status) => {
  const first = bytes();
  const pieces = typeof first === 'string' || Buffer.isBuffer(first) ? [first] : [...first];
  const reply = await attack(door.url, [...pieces, good()], 2);
  expect(reply.answers.map((answer) => answer.status)).toEqual([status]);
  expect(reply.closed).toBe(true);
});

test('takes a body of the largest size, in chunks too', async () => {
  const body = query.padEnd(largestBody);
  const inChunks = chunks(
    ...[body.slice(0, 65_536), body.slice(65_536)].flatMap((part) => ['10000', part]),
    '0',
    '',
    '',
  );
  for (const bytes of [post(body, jsonType), inChunks]) {
    expect((await attack(door.url, bytes)).answers.map(({ status }) => status)).toEqual([200]);
  }
});

test.each([
  ['50 MiB with their length', () => declared(50 * mebibyte)],
  ['50 MiB in chunks', () => chunked(50 * mebibyte)],
])('refuses %s before they are read', async (_name, bytes) => {
  const { sent } = await attack(door.url, bytes());
  expect(sent).toBeLessThan(20 * mebibyte);
});
