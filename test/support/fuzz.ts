import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import type { GraphQLSchema } from 'graphql';
import { parseAnswers } from './abuse.ts';
import { type Operation, operations } from './operations.ts';

/** A request to fuzz with: HTTP that fetch can send, or bytes. */
export interface Attempt {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
}

/** What is wrong with an answer; null where nothing is. */
export type Verdict = string | null;

const jsonType = { 'content-type': 'application/json' };

function post(body: string): Attempt {
  return { method: 'POST', path: '/graphql', headers: jsonType, body };
}

/** Operations that are in order, by POST and by GET. */
export function validAttempts(schema: GraphQLSchema): fc.Arbitrary<Attempt> {
  return fc.tuple(operations(schema), fc.boolean()).map(([operation, byGet]) => {
    const { query, variables } = operation;
    const search = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    const path = `/graphql?${search}`;
    return byGet && path.length < 8000
      ? { method: 'GET', path, headers: {}, body: null }
      : post(JSON.stringify(operation));
  });
}

const words = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ':',
  '!',
  '$',
  '@',
  '...',
  '"',
  '"""',
  '\\',
  '#',
  'fragment',
  'on',
  'query',
];
const moreWords = [
  'mutation',
  'subscription',
  'null',
  '-',
  '1e999',
  '\u0000',
  '\ufeff',
  '\ud800',
  '__schema',
  'é',
  '{{{{',
];
const junk = fc.oneof(fc.constantFrom(...words, ...moreWords), fc.string({ unit: 'binary', maxLength: 5 }));

/** Documents that were in order before something was cut out, doubled, moved, put in or misspelt. */
export function mutatedAttempts(schema: GraphQLSchema): fc.Arbitrary<Attempt> {
  const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const tear = fc.tuple(fc.constantFrom('cut', 'double', 'insert', 'end'), place, place, junk);
  const misspell = fc.tuple(fc.constantFrom('letter', 'twice', 'exchange'), place, place);
  const torn = fc.array(tear, { minLength: 1, maxLength: 4 });
  const misspelt = fc.array(misspell, { minLength: 1, maxLength: 3 });
  return fc.tuple(operations(schema), fc.oneof(torn, misspelt)).map(([operation, changes]) => {
    const query = changes.reduce((text, [kind, from, length, word]) => {
      if (word === undefined) return changeName(text, kind, from, length);
      const start = Math.floor(from * text.length);
      const end = Math.min(text.length, start + 1 + Math.floor(length * 20));
      if (kind === 'cut') return text.slice(0, start) + text.slice(end);
      if (kind === 'double') return text.slice(0, end) + text.slice(start);
      return kind === 'insert' ? text.slice(0, start) + word + text.slice(start) : text.slice(0, start);
    }, operation.query);
    return post(JSON.stringify({ ...operation, query } satisfies Operation));
  });
}

/** Takes a letter from one of the names in a document, or puts it there twice, or another of the names: most parse still. */
function changeName(text: string, kind: string, from: number, at: number): string {
  const names = [...text.matchAll(/[a-z_]\w*/gi)];
  const pick = (part: number) => names[Math.floor(part * names.length)];
  const [name = ''] = pick(from) ?? [];
  const start = pick(from)?.index ?? 0;
  const letter = Math.floor(at * name.length);
  const spelt =
    name.slice(0, letter) + (kind === 'twice' ? name.charAt(letter).repeat(2) : '') + name.slice(letter + 1);
  return text.slice(0, start) + (kind === 'exchange' ? (pick(at)?.[0] ?? '') : spelt) + text.slice(start + name.length);
}

const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/graphql',
  'text/plain',
  '',
  'a/b;c="',
];
const encodings = ['identity', 'gzip', 'br', 'deflate', '\\'];
const memberNames = [
  'query',
  'variables',
  'operationName',
  'extensions',
  '__proto__',
  'constructor',
  'id',
  'documentId',
];

/** Envelopes of JSON that are none, or hold what nobody expects, under headers of all kinds. */
export function envelopeAttempts(): fc.Arbitrary<Attempt> {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom('{ __typename }', '{ webhooks { totalCount } }'),
  );
  const members = fc.array(fc.tuple(fc.constantFrom(...memberNames), anything), { maxLength: 5 });
  const object = members.map(
    (pairs) => `{${pairs.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',')}}`,
  );
  const deep = fc
    .integer({ min: 1, max: 6000 })
    .map((depth) => `{"query":"{__typename}","variables":${'['.repeat(depth)}${']'.repeat(depth)}}`);
  const body = fc.oneof(
    { weight: 5, arbitrary: object },
    { weight: 1, arbitrary: deep },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.array(object, { maxLength: 4 }).map((list) => `[${list.join(',')}]`) },
  );
  const headers = fc.record(
    {
      'content-type': fc.oneof({ weight: 9, arbitrary: fc.constant('application/json') }, fc.constantFrom(...types)),
      accept: fc.constantFrom(
        '*/*',
        'application/json',
        'application/graphql-response+json',
        'text/html',
        'x',
        '*/*;q=2',
      ),
      'content-encoding': fc.oneof({ weight: 9, arbitrary: fc.constant('identity') }, fc.constantFrom(...encodings)),
      'x-request-id': fc.string({ unit: fc.constantFrom('a', '.', '\t', '~', ' ', '/'), maxLength: 70 }),
      origin: fc.constantFrom('null', 'https://evil.example', 'http://localhost:1'),
    },
    { requiredKeys: ['content-type'] },
  );
  const method = fc.oneof(
    { weight: 12, arbitrary: fc.constant('POST') },
    fc.constantFrom('PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  );
  const path = fc.oneof(
    { weight: 12, arbitrary: fc.constant('/graphql') },
    fc.webPath(),
    fc.constantFrom('/graphql?query=%', '/graphql?query={a'),
  );
  return fc.record({ method, path, headers, body });
}

const heads = [
  '',
  'GET / HTTP/1.1\r\n',
  'POST /graphql HTTP/1.1\r\n',
  'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n',
  'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
  'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 30\r\n\r\n',
  'GET http://b/graphql?query={__typename} HTTP/1.1\r\nhost: a\r\n',
  'OPTIONS * HTTP/1.1\r\nhost: a\r\n',
  'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
];
const lines = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  'host: b\r\n',
  'host: \u0000\r\n',
  'content-length: 5\r\n',
  'transfer-encoding: chunked\r\n',
];
const moreLines = [
  'upgrade: websocket\r\nconnection: upgrade\r\n',
  'expect: 100-continue\r\n',
  'expect: x\r\n',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '{"query":"{__typename}"}',
];

/** Bytes that begin like HTTP, or do not. */
export function byteAttempts(): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    fc.constantFrom(...lines, ...moreLines).map((text) => Buffer.from(text, 'latin1')),
    fc.uint8Array({ maxLength: 40 }),
  );
  return fc
    .tuple(fc.constantFrom(...heads), fc.array(piece, { maxLength: 6 }))
    .map(([head, pieces]) => Buffer.concat([Buffer.from(head), ...pieces]));
}

/** What no answer may hold; the words of suggestions too, as the schema is hidden. */
const traces =
  /\.[jt]s:\d+:\d+|node:\w+:\d+:\d+|node_modules|\bE(CONN|PIPE|NOENT|NOTFOUND|HOST|AI_|ADDR|ACCES)\w*|INTERNAL_SERVER_ERROR|Internal error|canary|Did you mean/;

let shed = 0;

/** How often the program said so far that it has too much to do. */
export function shedCount(): number {
  return shed;
}

/** Sends an attempt, again where the program says that it has too much to do, and says what is wrong with the answer. */
export async function tryHttp(origin: string, attempt: Attempt, isValid = false): Promise<Verdict> {
  for (let tries = 1; ; tries++) {
    const response = await send(origin, attempt);
    const text = await response.text();
    if (response.status !== 503 || tries > 5) return judge(attempt, response, text, isValid);
    shed += 1;
    await sleep(1200);
  }
}

function send(origin: string, { method, path, headers, body }: Attempt): Promise<Response> {
  const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : body;
  return fetch(origin + path, {
    method,
    headers,
    body: method === 'GET' ? null : bytes,
    signal: AbortSignal.timeout(10_000),
  });
}

function judge({ method, path }: Attempt, { status, headers }: Response, text: string, isValid: boolean): Verdict {
  if (status >= 500) return `status ${status}: ${text.slice(0, 300)}`;
  if (traces.test(text)) return `a trace: ${traces.exec(text)?.[0]} in ${text.slice(0, 300)}`;
  if (/^\/(health|ready)(\?|$)/.test(path)) return null;
  const isEmpty = text === '' && method === 'OPTIONS';
  if (!isEmpty && !/json/.test(headers.get('content-type') ?? '')) return `no JSON but ${headers.get('content-type')}`;
  const answer: unknown = isEmpty ? {} : JSON.parse(text);
  if (typeof answer !== 'object' || answer === null) return `no object: ${text.slice(0, 300)}`;
  return isValid && /GRAPHQL_(PARSE|VALIDATION)_FAILED/.test(text) ? `refused: ${text.slice(0, 300)}` : null;
}

/** All that comes where a body was announced, asked for, and not sent. */
const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Sends bytes over a socket of their own, waits for its end, and says what is wrong with what came back. */
export async function tryBytes(origin: string, bytes: Uint8Array): Promise<Verdict> {
  const { hostname, port } = new URL(origin);
  const answer = await new Promise<Buffer | null>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(null);
    }, 8000);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    socket.end(bytes);
  });
  if (answer === null) return 'the connection stays open';
  if (answer.length === 0) return null;
  const text = answer.toString('latin1');
  const answers = parseAnswers(answer);
  const odd = answers.find(
    ({ status, headers }) =>
      status >= 500 || !/^application\/(graphql-response\+)?json/.test(headers['content-type'] ?? ''),
  );
  if (odd || (answers.length === 0 && text !== proceed)) return `answers ${text.slice(0, 300)}`;
  return traces.test(text) ? `a trace in ${text.slice(0, 600)}` : null;
}
