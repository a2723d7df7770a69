import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { parseBody } from '../src/upstream/answer.ts';
import {
  askInEveryPlace,
  bytes,
  everyPlace,
  faultOf,
  lists,
  reportQuery,
  wholeEverywhere,
  wholeLists,
} from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json, startUpstream, text } from './support/upstream.ts';

const page = '<!doctype html><title>canary</title><p>Please sign in.';
const deep = '[1]'.replace('1', `${'['.repeat(200_000)}${']'.repeat(200_000)}`);

const unreadable: readonly (readonly [string, RequestListener])[] = [
  ['JSON that is cut off', lists((body) => bytes(body.slice(0, -1)))],
  ['JSON with something behind it', lists((body) => bytes(`${body}]`))],
  ['a page of HTML', text(page, 200, { 'content-type': 'text/html' })],
  ['a page of HTML that says it is JSON', bytes(page)],
  ['a page of HTML that says nothing', text(page)],
  ['JSON that says it is HTML', lists((body) => text(body, 200, { 'content-type': 'text/html; charset=utf-8' }))],
  ['JSON that says it is text', lists((body) => text(body, 200, { 'content-type': 'text/plain' }))],
  ['JSON that says it is almost JSON', lists((body) => text(body, 200, { 'content-type': 'application/jsonp' }))],
  ['nothing', bytes('')],
  ['nothing of no type', text('')],
  ['blanks', bytes(' \n')],
  ['bytes that are not UTF-8', lists((body) => bytes(Buffer.from(body.replace('https', 'https\xe9'), 'latin1')))],
  ['UTF-16', lists((body) => bytes(Buffer.from(body, 'utf16le')))],
  ['an overlong null', lists((body) => bytes(Buffer.from(body.replace('https', '\xc0\x80'), 'latin1')))],
  ['gzip', lists((body) => bytes(gzipSync(body), { 'content-encoding': 'gzip' }))],
  ['what it calls gzip', lists((body) => bytes(body, { 'content-encoding': 'gzip' }))],
  [
    'what it calls gzip 500 times',
    lists((body) => bytes(body, { 'content-encoding': Array(500).fill('gzip').join() })),
  ],
  ['50 MiB in 50 KiB of gzip', bytes(gzipSync(Buffer.alloc(50 * 2 ** 20, 32)), { 'content-encoding': 'gzip' })],
  ['an object 200 000 levels deep', bytes(`{"a":${deep}}`)],
  ['an object of somebody else', json({ hello: 'world' })],
  ['an object with foreign data', json({ success: true, data: 'canary' })],
  ['null', json(null)],
  ['a number', json(1)],
  ['a text', json('canary')],
];

test.each(unreadable)('cannot read %s, and asks once', async (_name, listener) => {
  await using upstream = await startUpstream(listener);
  const answers = await askInEveryPlace(upstream.url, { maxBytes: 1_048_576 });
  expect(answers).toEqual(everyPlace('BAD_RESPONSE', { httpStatus: 200 }));
  expect(upstream.calls).toHaveLength(4);
});

const readable: readonly (readonly [string, RequestListener])[] = [
  ['with a byte order mark', lists((body) => bytes(`\uFEFF${body}`))],
  ['without a type', lists((body) => text(body))],
  ['as application/problem+json', lists((body) => text(body, 200, { 'content-type': 'application/problem+json' }))],
  ['as a type of a vendor', lists((body) => text(body, 200, { 'content-type': 'application/vnd.acme.v1+json' }))],
  [
    'with a charset, in capitals',
    lists((body) => text(body, 200, { 'content-type': 'Application/JSON ; charset=UTF-8' })),
  ],
  ['with the identity encoding', lists((body) => bytes(body, { 'content-encoding': 'identity' }))],
  ['in chunks of a byte', lists((body) => chunked(body))],
  ['with a key twice, the last of which counts', lists((body) => bytes(body.replaceAll('"url":', '"url":1,"url":')))],
];

test.each(readable)('reads a list %s', async (_name, listener) => {
  await using upstream = await startUpstream(listener);
  expect(await askInEveryPlace(upstream.url)).toEqual(wholeEverywhere);
});

/** Sends the body byte by byte. */
function chunked(body: string): RequestListener {
  return async (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    for (const byte of Buffer.from(body)) {
      response.write(Buffer.of(byte));
      if (byte === 0x2c) await sleep(0);
    }
    response.end();
  };
}

test('takes the last of two equal keys', async () => {
  const row = JSON.stringify(diligentRow()).replace(
    '"webhook_url":',
    '"webhook_url":"https://first.example","webhook_url":',
  );
  await using graph = await openGraph({
    apimall: bytes(`{"success":false,"success":true,"data":[],"data":[${JSON.stringify(apimallRow())}]}`),
    diligent: bytes(`[${row}]`),
  });
  const { webhooks } = await graph.query('{ webhooks { complete nodes { url } } }');
  expect(webhooks).toEqual({
    complete: true,
    nodes: [{ url: 'https://hooks.acme.example/apimall' }, { url: 'https://hooks.acme.example/diligent' }],
  });
});

test('costs no more than the row what is 200 000 levels deep in it', async () => {
  const fields = JSON.stringify(apimallRow()).slice(1);
  await using graph = await openGraph({
    apimall: bytes(`{"success":true,"data":[${deep},{"extra":${deep},${fields}]}`),
    diligent: bytes(`[${JSON.stringify(diligentRow())},${deep}]`),
  });
  const { webhooks } = await graph.query(reportQuery);
  const state = 'PARTIAL';
  const error = faultOf('BAD_RESPONSE', { httpStatus: 200, message: '1 of 2 rows could not be read, or came twice.' });
  expect(webhooks).toMatchObject({
    totalCount: 2,
    sources: [
      { state, error },
      { state, error },
    ],
  });
});

const mebibyte = Buffer.alloc(2 ** 20, 32);

/** Sends a MiB of blanks after the other, as fast as they are taken; `stop` after how many. */
function pour(sent: { bytes: number }, stop: number, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    let left = stop;
    const more = () => {
      while (left-- > 0) {
        sent.bytes += mebibyte.length;
        if (!response.write(mebibyte)) return;
      }
      response.end();
    };
    response.on('drain', more);
    more();
  };
}

test.each<[string, number, Record<string, string>]>([
  ['its declared length', 256, { 'content-length': String(256 * 2 ** 20) }],
  ['its chunks', 256, {}],
  ['all bounds', Number.POSITIVE_INFINITY, {}],
  ['its length until it ends the connection', 256, { connection: 'close', 'content-length': String(256 * 2 ** 20) }],
])('leaves a body that is too large by %s at the limit, and its connection', async (_name, stop, headers) => {
  const sent = { bytes: 0 };
  await using upstream = await startUpstream(pour(sent, stop, headers));
  const answers = await askInEveryPlace(upstream.url, { maxBytes: 2 ** 20 });
  expect(answers).toEqual(everyPlace('TOO_LARGE', { httpStatus: 200 }));
  expect(await Promise.all(upstream.calls.map(({ ended }) => ended))).toEqual(['left', 'left', 'left', 'left']);
  // What left the upstream four times is what we took and what the two systems hold between them: not 256 MiB.
  expect(sent.bytes).toBeLessThan(4 * 32 * 2 ** 20);
});

test('reads a body of exactly as many bytes as allowed, and not of one more', async () => {
  const body = JSON.stringify([diligentRow()]);
  const read = async (maxBytes: number) => {
    await using graph = await openGraph({ diligent: bytes(body) }, { maxBytes });
    return (await graph.query(reportQuery)).webhooks.sources[0];
  };
  expect(await read(body.length)).toMatchObject({ state: 'OK' });
  expect(await read(body.length - 1)).toMatchObject({ state: 'FAILED', error: { code: 'TOO_LARGE' } });
});

test('reads no list of more rows than anybody has', async () => {
  for (const [count, code] of [
    [50_000, 'BAD_RESPONSE'],
    [50_001, 'TOO_LARGE'],
  ] as const) {
    await using graph = await openGraph({ apimall: json({ success: true, data: Array(count).fill(0) }) });
    expect((await graph.query(reportQuery)).webhooks.sources).toMatchObject([{ error: { code, httpStatus: 200 } }]);
  }
});

test('counts bytes of each body, not of all', async () => {
  await using graph = await openGraph({ apimall: apimallList(apimallRow()), diligent: wholeLists }, { maxBytes: 900 });
  for (let turn = 0; turn < 5; turn++) expect((await graph.query(reportQuery)).webhooks.complete).toBe(true);
});

// With each number of bytes before them, another byte of these characters stands where a piece of a long body ends.
const characters = 'a\uFEFF€😀é';
const shifts = Array.from(Buffer.from(characters), (_, index) => 'x'.repeat(index));

test('reads long bodies to the letter, wherever their characters lie', async () => {
  for (const shift of shifts) {
    const url = `https://hooks.acme.example/${shift}${characters.repeat(170_000)}`;
    await using graph = await openGraph({ diligent: bytes(JSON.stringify([diligentRow({ webhook_url: url })])) });
    const { webhooks } = await graph.query('{ webhooks { nodes { url } complete } }');
    expect(webhooks.complete).toBe(true);
    expect(webhooks.nodes[0].url === url).toBe(true);
  }
});

test('reads no long body that is not UTF-8', async () => {
  for (const wrong of ['\x80', 'a\xf0\x9f', '\xc3']) {
    const body = Buffer.from(`["${wrong.repeat(1_200_000)}"]`, 'latin1');
    await using graph = await openGraph({ diligent: bytes(body) });
    const { webhooks } = await graph.query(reportQuery);
    expect(webhooks.sources).toMatchObject([{ error: { code: 'BAD_RESPONSE', httpStatus: 200 } }]);
  }
});

/** As JSON may spell text: halves of characters, whole ones, and what only looks like them. */
const spelt = [
  '\\ud83d',
  '\\uDE00',
  '\\uD800',
  '\\udfff',
  '\\\\',
  '\\n',
  '\\"',
  '\\ud7ff',
  '\\ue000',
  'ud800',
  '\u{1f600}',
];

test('spells each half of a character as the replacement character, however it is escaped, and nothing else', async () => {
  const texts = spelt.flatMap((a) => spelt.flatMap((b) => spelt.map((c) => `"${a}${b}${c}"`)));
  await using graph = await openGraph({
    diligent: bytes(JSON.stringify([diligentRow({ events: ['?'] })]).replace('"?"', texts.join())),
  });
  const { webhooks } = await graph.query('{ webhooks { nodes { events } } }');
  expect(webhooks.nodes[0].events).toEqual(texts.map((text) => JSON.parse(text).toWellFormed()));
});

test('reads a body full of escapes in at most fifty times what a plain one takes', async () => {
  const plain = JSON.stringify(['x'.repeat(4_000_000)]);
  const readOnce = (body: string) => {
    const started = performance.now();
    expect(parseBody({ status: 200, headers: {}, body: Buffer.from(body) })).toHaveProperty('json');
    return performance.now() - started;
  };
  // The least of three, as the machine may be busy with something else.
  const read = (body: string) => Math.min(readOnce(body), readOnce(body), readOnce(body));
  const usual = Math.max(read(plain), 5);
  for (const part of ['\\n', '\\\\', '\\ud83d\\ude00', '\\ud800', '\\\\ud800', '\\\\\\ud800']) {
    const body = `["${part.repeat(4_000_000 / part.length)}\\udfff"]`;
    expect(read(body), part).toBeLessThan(50 * usual);
    // With a character that takes V8 two bytes, all others take two as well.
    expect(read(body.replace('[', '["€",')), part).toBeLessThan(50 * usual);
  }
});
