import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { schema } from '../src/schema/index.ts';
import { attack, expectSafe, good, head, host, jsonType, post, refusalOf, withFrontDoor } from './support/abuse.ts';

const door = withFrontDoor({}, { corsOrigins: ['https://app.test'] });
const evil = 'origin: https://evil.test';
const costly = '{ webhooks { totalCount } }';
const asJson = JSON.stringify({ query: costly });
const asForm = `query=${encodeURIComponent(costly)}`;
const asParts = `--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${asJson}\r\n--x--\r\n`;
const target = `GET /graphql?${asForm}`;

/** What a page of another site can make a browser send without asking first. */
const simpleRequests: readonly [string, Buffer | string, number][] = [
  ['a form', post(asForm, evil, 'content-type: application/x-www-form-urlencoded'), 415],
  ['a form without an origin', post(asForm, 'content-type: application/x-www-form-urlencoded'), 415],
  ['a form in parts', post(asParts, evil, 'content-type: multipart/form-data; boundary=x'), 415],
  ['a form of plain text', post(asJson, evil, 'content-type: text/plain'), 415],
  [
    'JSON as text/plain;charset=UTF-8, as a beacon has it',
    post(asJson, evil, 'content-type: text/plain;charset=UTF-8'),
    415,
  ],
  ['JSON without a type, as a beacon of bytes has it', post(asJson, evil), 415],
  ['a type that hides another', post(asJson, evil, 'content-type: text/plain; application/json'), 415],
  ['GET with an origin', head(target, host, evil), 403],
  ['GET with the origin null', head(target, host, 'origin: null'), 403],
  ['GET from another site', head(target, host, 'sec-fetch-site: cross-site'), 403],
  ['GET from the same site', head(target, host, 'sec-fetch-site: same-site', 'sec-fetch-mode: no-cors'), 403],
  [
    'GET that opens as a page of another site',
    head(target, host, 'sec-fetch-site: cross-site', 'sec-fetch-mode: navigate'),
    403,
  ],
  ['GET with the type of a form', head(target, host, 'content-type: application/x-www-form-urlencoded'), 403],
  ['GET with the type of plain text', head(target, host, 'content-type: text/plain'), 403],
  ['GET with the type of parts', head(target, host, 'content-type: multipart/form-data; boundary=x'), 403],
];

test.each(simpleRequests)('does not run %s, and reflects no origin', async (_name, bytes, status) => {
  const before = door.graph.calls('apimall').length;
  const reply = await attack(door.url, bytes);
  expectSafe(reply);
  expect(reply.answers.map(refusalOf)).toEqual([{ status, code: 'BAD_USER_INPUT', message: expect.any(String) }]);
  expect(reply.text.toLowerCase()).not.toMatch(/access-control|evil/);
  expect(door.graph.calls('apimall')).toHaveLength(before);
  await door.check();
});

test('runs the same by GET where nothing speaks of another site', async () => {
  const { answers } = await attack(door.url, head(target, host));
  expect(answers.map(({ body }) => JSON.parse(body))).toEqual([{ data: { webhooks: { totalCount: 33 } } }]);
});

test.each(['x-graphql-yoga-csrf', 'apollo-require-preflight', 'graphql-require-preflight'])(
  'runs GET from another origin that proves by %s that the browser asked first',
  async (name) => {
    const { answers, text } = await attack(
      door.url,
      head(target, host, evil, 'sec-fetch-site: cross-site', `${name}: 1`),
    );
    expect(answers.map(({ body }) => JSON.parse(body))).toEqual([{ data: { webhooks: { totalCount: 33 } } }]);
    expect(text.toLowerCase()).not.toMatch(/access-control|evil/);
  },
);

test.each(['x-graphql-yoga-csrf', 'apollo-require-preflight', 'graphql-require-preflight'])(
  'does not run a form, even with %s',
  async (name) => {
    const { answers } = await attack(
      door.url,
      post(asForm, 'content-type: application/x-www-form-urlencoded', `${name}: 1`),
    );
    expect(answers.map(({ status }) => status)).toEqual([415]);
  },
);

test.each([
  'https://evil.test',
  'null',
  'https://app.test.evil.test',
  'https://evil.test/https://app.test',
  'http://app.test',
  'https://app.test:444',
])('does not let pages of %s read, asked before or not', async (origin) => {
  const preflight = head(
    'OPTIONS /graphql',
    host,
    `origin: ${origin}`,
    'access-control-request-method: POST',
    'access-control-request-headers: content-type',
  );
  for (const bytes of [preflight, good(undefined, `origin: ${origin}`)]) {
    const reply = await attack(door.url, bytes);
    expectSafe(reply);
    expect(reply.text.toLowerCase()).not.toMatch(/access-control|evil/);
  }
});

test('lets pages of a listed origin read, the headers that are for clients too', async () => {
  const { answers } = await attack(door.url, good(undefined, 'origin: https://app.test'));
  expect(answers[0]?.headers).toMatchObject({
    'access-control-allow-origin': 'https://app.test',
    'access-control-expose-headers': 'x-request-id, retry-after, ratelimit, ratelimit-policy',
  });
  expect(answers[0]?.headers).not.toHaveProperty('access-control-allow-credentials');
});

/** What the same attack meets on the same schema without a front door. */
const controls: readonly [string, Buffer | string, RegExp][] = [
  [
    'runs a form',
    post(`query=${encodeURIComponent('{ __typename }')}`, evil, 'content-type: application/x-www-form-urlencoded'),
    /"Query"/,
  ],
  [
    'reflects any origin, with credentials',
    good(undefined, evil),
    /access-control-allow-origin: https:\/\/evil\.test[\s\S]*allow-credentials: true/i,
  ],
  [
    'runs a GET from another site',
    head('GET /graphql?query={__typename}', host, 'sec-fetch-site: cross-site'),
    /"Query"/,
  ],
  ['answers a malformed host with 500', head('GET /graphql?query={__typename}', 'host: a b'), /^HTTP\/1\.1 500 /],
  [
    'answers variables that are no JSON with 500',
    head('GET /graphql?query={__typename}&variables=%7B', host),
    /^HTTP\/1\.1 500 /,
  ],
  [
    'takes invalid UTF-8',
    post(Buffer.from('{"query":"{ __typename } #\xff"}', 'latin1'), jsonType),
    /^HTTP\/1\.1 200 [\s\S]*"Query"/,
  ],
  [
    'takes a body of 25 MB',
    post('{"query":"{ __typename }"}'.padEnd(25_000_000), jsonType),
    /^HTTP\/1\.1 200 [\s\S]*"Query"/,
  ],
  [
    'runs 1000 aliases',
    good(`{ ${Array.from({ length: 1000 }, (_, index) => `a${index}: __typename`).join(' ')} }`),
    /"a999":"Query"/,
  ],
  [
    'answers a list 20 000 deep with 500',
    good(`{ webhooks(filter: { source: ${'['.repeat(20_000)}${']'.repeat(20_000)} }) { totalCount } }`),
    /^HTTP\/1\.1 500 /,
  ],
  ['spells out the schema', good('{ webhookz { totalCount } }'), /Did you mean/],
  ['sends no security headers', good(), /^(?![\s\S]*(no-store|nosniff|frame-ancestors))/],
];

test.each(controls)('would fail without the front door: a bare Yoga %s', async (_name, bytes, expected) => {
  const server = createServer(createYoga({ schema, logging: false }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const reply = await attack(url, bytes);
  server.close();
  server.closeAllConnections();
  expect(reply.text).toMatch(expected);
  expect((await attack(door.url, bytes)).text).not.toMatch(expected);
});
