import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { gzipSync } from 'node:zlib';
import type { SourceErrorCode } from '../../src/source-error.ts';
import { asProvider, bytes, lists, onRequest, rawAnswer, wholeBody } from './faults.ts';
import type { Fault } from './matrix.ts';
import { apimallList, apimallRow, diligentRow } from './rows.ts';
import { hang, json, text } from './upstream.ts';

const kibibyte = 'x'.repeat(1023);
const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
const octets = { 'content-type': 'application/json' };

function raw(answer: string): (socket: Socket) => void {
  return onRequest((socket) => socket.write(answer));
}

function pour(socket: Socket, start: string, piece: string): void {
  socket.write(start);
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}

function everyTick(response: ServerResponse, act: () => void): void {
  const timer = setInterval(act, 20);
  response.once('close', () => clearInterval(timer));
}

const connections: readonly (readonly [string, SourceErrorCode, (socket: Socket) => void])[] = [
  ['resets connections when they are accepted', 'UNREACHABLE', (socket) => socket.resetAndDestroy()],
  ['ends connections when they are accepted', 'UNREACHABLE', (socket) => socket.end()],
  ['resets connections before an answer', 'UNREACHABLE', onRequest((socket) => socket.resetAndDestroy())],
  ['ends connections before an answer', 'UNREACHABLE', onRequest((socket) => socket.end())],
  [
    'ends connections amid the headers',
    'UNREACHABLE',
    onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-t')),
  ],
  ['greets as SSH', 'UNREACHABLE', (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n')],
  [
    'answers in HTTP/2',
    'UNREACHABLE',
    onRequest((socket) => socket.write(Buffer.from('00000604000000000000050000ffff', 'hex'))),
  ],
  ['answers with noise', 'UNREACHABLE', onRequest((socket) => socket.write(Buffer.alloc(512, 0xa7)))],
  [
    'sends headers without end',
    'UNREACHABLE',
    onRequest((socket) => pour(socket, 'HTTP/1.1 200 OK\r\n', `x-filler: ${kibibyte}\r\n`)),
  ],
  ['sends 17 KiB of headers', 'UNREACHABLE', raw(rawAnswer(wholeBody, `x-filler: ${kibibyte}\r\n`.repeat(17)))],
  ['sends headers one after the other, slowly', 'TIMEOUT', onRequest(dripHeaders)],
  ['switches protocols', 'UNREACHABLE', raw('HTTP/1.1 101 Over\r\nupgrade: canary\r\n\r\n')],
  ['says continue unasked', 'UNREACHABLE', raw(`HTTP/1.1 100 Continue\r\n\r\n${rawAnswer(wholeBody)}`)],
  [
    'resets connections amid the body',
    'UNREACHABLE',
    onRequest((socket) => socket.write(rawAnswer('[', 'content-length: 900'), () => socket.resetAndDestroy())),
  ],
  [
    'ends connections before the length that it declared',
    'UNREACHABLE',
    onRequest((socket) => socket.end(rawAnswer('[]', 'content-length: 900'))),
  ],
  [
    'ends connections amid the chunks',
    'UNREACHABLE',
    onRequest((socket) => socket.end(rawAnswer('2\r\n[]\r\n', 'transfer-encoding: chunked'))),
  ],
  ['declares two lengths', 'UNREACHABLE', raw(rawAnswer(wholeBody, 'content-length: 2\r\ncontent-length: 3'))],
  [
    'declares a chunk of 17 digits',
    'UNREACHABLE',
    raw(rawAnswer('10000000000000000\r\n[]\r\n0\r\n\r\n', 'transfer-encoding: chunked')),
  ],
  [
    'declares a chunk of no number',
    'UNREACHABLE',
    raw(rawAnswer('zz\r\n[]\r\n0\r\n\r\n', 'transfer-encoding: chunked')),
  ],
];

async function dripHeaders(socket: Socket): Promise<void> {
  socket.write('HTTP/1.1 200 OK\r\n');
  for (let index = 0; !socket.destroyed; index++) {
    socket.write(`x-${index}: 0\r\n`);
    await sleep(20);
  }
}

const late: readonly (readonly [string, RequestListener])[] = [
  ['never answers', hang],
  ['never ends its answer', (_request, response) => void response.writeHead(200, octets).write('[')],
  [
    'drips',
    (_request, response) => {
      response.writeHead(200, octets).write('[');
      everyTick(response, () => response.write(' '));
    },
  ],
  [
    'hints without end',
    (_request, response) => everyTick(response, () => response.writeEarlyHints({ link: '</a.css>; rel=preload' })),
  ],
];

const unreadable: readonly (readonly [string, RequestListener])[] = [
  ['answers JSON that is cut off', lists((body) => bytes(body.slice(0, -1)))],
  ['answers a page of HTML', text('<!doctype html>', 200, { 'content-type': 'text/html' })],
  ['answers HTML as JSON', bytes('<!doctype html>')],
  ['answers JSON as HTML', lists((body) => text(body, 200, { 'content-type': 'text/html' }))],
  ['answers nothing', bytes('')],
  [
    'answers bytes that are not UTF-8',
    lists((body) => bytes(Buffer.from(body.replace('https', 'https\xe9'), 'latin1'))),
  ],
  ['answers gzip', lists((body) => bytes(gzipSync(body), { 'content-encoding': 'gzip' }))],
  ['answers 50 MiB in 50 KiB of gzip', bytes(gzipSync(Buffer.alloc(50 * 2 ** 20, 32)), { 'content-encoding': 'gzip' })],
  [
    'calls its answer gzip 500 times',
    lists((body) => bytes(body, { 'content-encoding': Array(500).fill('gzip').join() })),
  ],
  ['answers an object 200 000 levels deep', bytes(`{"a":${deep}}`)],
  ['answers an object of somebody else', json({ hello: 'world' })],
  ['answers null', json(null)],
  ['answers a number', json(1)],
  [
    'answers rows none of which can be read',
    asProvider({ apimall: apimallList({}, { id: 9 }), diligent: json([{}, 5]) }),
  ],
];

const large: readonly (readonly [string, Record<string, string>])[] = [
  ['sends 256 MiB of a declared length', { 'content-length': String(256 * 2 ** 20) }],
  ['sends chunks without end', {}],
];

/** Sends a MiB after the other, as fast as they are taken. */
function flood(headers: Record<string, string>): RequestListener {
  const mebibyte = Buffer.alloc(2 ** 20, 32);
  return (_request, response) => {
    response.writeHead(200, { ...octets, ...headers });
    const more = () => {
      while (!response.destroyed && response.write(mebibyte));
    };
    response.on('drain', more);
    more();
  };
}

const statuses: readonly (readonly [number, SourceErrorCode, Record<string, string>?])[] = [
  ...[202, 204, 304, 400].map((status) => [status, 'BAD_RESPONSE'] as const),
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  ...[405, 408, 410].map((status) => [status, 'BAD_RESPONSE'] as const),
  [429, 'RATE_LIMITED'],
  [429, 'RATE_LIMITED', { 'retry-after': '1' }],
  [429, 'RATE_LIMITED', { 'retry-after': 'soon' }],
  ...[500, 501, 502, 503, 504, 599].map((status) => [status, 'UPSTREAM_ERROR'] as const),
  [503, 'UPSTREAM_ERROR', { 'retry-after': '86400' }],
  [503, 'UPSTREAM_ERROR', { 'retry-after': '1' }],
  [301, 'BAD_RESPONSE', { location: '/webhooks' }],
  ...[302, 303, 307, 308].map(
    (status) => [status, 'BAD_RESPONSE', { location: 'http://127.0.0.1:9/webhooks' }] as const,
  ),
];

const failing = asProvider({
  apimall: json({ success: false, error: { code: 'on_fire' } }),
  diligent: json({ success: false, error: { code: 'on_fire' } }),
});

const inPart = asProvider({
  apimall: apimallList(apimallRow(), { id: 9 }, apimallRow()),
  diligent: json([diligentRow(), {}, diligentRow()]),
});

/** All that may be the matter with an upstream that speaks no TLS. */
export const plainFaults: readonly Fault[] = [
  { name: 'listens on no port', act: 'port closed', code: 'UNREACHABLE' },
  { name: 'has a name that nobody knows', act: 'name unknown', code: 'UNREACHABLE' },
  { name: 'never lets a connection come about', act: 'black hole', code: 'TIMEOUT' },
  ...connections.map(([name, code, connection]): Fault => ({ name, act: { connection }, code })),
  ...late.map(([name, request]): Fault => ({ name, act: { request }, code: 'TIMEOUT' })),
  ...unreadable.map(([name, request]): Fault => ({ name, act: { request }, code: 'BAD_RESPONSE' })),
  ...large.map(([name, headers]): Fault => ({ name, act: { request: flood(headers) }, code: 'TOO_LARGE' })),
  ...statuses.map(([status, code, headers = {}]): Fault => {
    const isAskedOnce = status === 429 || headers['retry-after'] === '1';
    const name = `answers status ${[status, ...Object.entries(headers)].join(' ')}`;
    return { name, act: { request: json({}, status, headers) }, code, ...(isAskedOnce && { requests: 1 }) };
  }),
  {
    name: 'answers 200 without success',
    act: { request: failing },
    code: { apimall: 'UPSTREAM_ERROR', diligent: 'BAD_RESPONSE' },
  },
  {
    name: 'answers rows of which some cannot be read',
    act: { request: inPart },
    code: 'BAD_RESPONSE',
    state: 'PARTIAL',
  },
];

/** All that may be the matter with one that should, by certificates that nobody vouches for, or that are for others. */
export function secureFaults(good: TlsOptions, unknown: TlsOptions, elsewhere: TlsOptions): readonly Fault[] {
  const old = { ...good, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const refusing = (socket: Socket) => void socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  const faults: readonly Fault[] = [
    { name: 'has a certificate that nobody vouches for', act: { tls: unknown }, code: 'UNREACHABLE' },
    { name: 'has a certificate for another host', act: { tls: elsewhere }, code: 'UNREACHABLE' },
    { name: 'speaks TLS 1.1 at most', act: { tls: old }, code: 'UNREACHABLE' },
    { name: 'speaks no TLS', act: { connection: refusing }, code: 'UNREACHABLE' },
    { name: 'says nothing in the TLS handshake', act: { connection: () => {} }, code: 'TIMEOUT' },
    {
      name: 'resets connections amid the TLS handshake',
      act: { connection: (socket) => void socket.once('data', () => socket.resetAndDestroy()) },
      code: 'UNREACHABLE',
    },
  ];
  return faults.map((fault) => ({ ...fault, isSecure: true }));
}
