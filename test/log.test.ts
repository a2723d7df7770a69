import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { ask, type Line, type Program, startProgram } from './support/program.ts';
import { readmeBlocks } from './support/readme.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json, startUpstream, type TestUpstream } from './support/upstream.ts';

const whole = apimallList(apimallRow());
let behaviour: RequestListener = whole;
let apimall: TestUpstream;
let diligent: TestUpstream;
let program: Program;

beforeAll(async () => {
  apimall = await startUpstream((...http) => behaviour(...http));
  diligent = await startUpstream(json([diligentRow()]));
  program = await startProgram({
    LOG_LEVEL: 'debug',
    WRITES: 'on',
    APIMALL_API_KEY: 'k',
    APIMALL_API_URL: apimall.url,
    DILIGENT_API_KEY: 'k',
    DILIGENT_API_URL: diligent.url,
  });
});

afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await Promise.all([apimall.stop(), diligent.stop()]);
});

/** The lines that were written while `work` was done, and a moment later, when there are as many as are awaited. */
async function during(work: () => Promise<unknown>, msg: string, count = 1): Promise<readonly Line[]> {
  const before = program.lines().length;
  await work();
  const lines = () => program.lines().slice(before);
  await expect.poll(() => lines().filter((line) => line.msg === msg).length).toBe(count);
  return lines();
}

const query = 'query Overview { webhooks { totalCount complete } }';
const operation = {
  level: 'info',
  time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  requestId: 'one',
  caller: null,
  operation: 'Overview',
  type: 'query',
  hash: expect.stringMatching(/^[0-9a-f]{16}$/),
  durationMs: expect.any(Number),
  status: 200,
  outcome: 'whole',
  sources: ['apimall', 'diligent'].map((source) => ({ source, state: 'OK', durationMs: expect.any(Number) })),
  errors: [],
  msg: 'operation',
};

test('writes what it serves, and a line of the same fields for each operation', async () => {
  const [start] = program.lines();
  expect(start).toEqual({
    level: 'info',
    time: operation.time,
    version: expect.any(String),
    sources: ['apimall', 'diligent'],
    credentials: 'server',
    callers: 'everyone',
    rateLimit: null,
    metrics: program.url.replace('/graphql', '/metrics'),
    msg: `hookgraph serves GraphQL and GraphiQL at ${program.url}`,
  });
  const lines = await during(() => ask(program.url, query, { 'x-request-id': 'one' }), 'operation');
  expect(lines).toEqual([operation]);
});

test('writes a line for each call that failed, with what the provider calls it, and of the operation that it cost', async () => {
  behaviour = json({ success: false, error: { code: 'overloaded' }, request_id: 'req_1' }, 503, {
    'retry-after': '60',
  });
  const lines = await during(() => ask(program.url, query, { 'x-request-id': 'two' }), 'operation');
  behaviour = whole;
  const [, diligentRead] = operation.sources;
  expect(lines).toEqual([
    {
      level: 'warn',
      time: operation.time,
      source: 'apimall',
      requestId: 'two',
      method: 'GET',
      attempt: 1,
      durationMs: expect.any(Number),
      code: 'UPSTREAM_ERROR',
      httpStatus: 503,
      providerCode: 'overloaded',
      providerRequestId: 'req_1',
      retryAfterMs: 60_000,
      cause: null,
      msg: 'call failed',
    },
    {
      ...operation,
      requestId: 'two',
      outcome: 'partial',
      sources: [
        { source: 'apimall', state: 'FAILED', code: 'UPSTREAM_ERROR', durationMs: expect.any(Number) },
        diligentRead,
      ],
    },
  ]);
});

test('writes what the README shows', async () => {
  const [shown = ''] = readmeBlocks('jsonl');
  const { requestId, sources, ...example } = JSON.parse(shown);
  expect(Object.keys({ ...example, requestId, sources }).sort()).toEqual(Object.keys(operation).sort());
  expect(sources.map((read: object) => Object.keys(read))).toEqual([
    ['source', 'state', 'durationMs'],
    ['source', 'state', 'code', 'durationMs'],
  ]);
});

test('names what broke a connection by the word of the system alone, at each try', async () => {
  behaviour = (request) => request.socket.resetAndDestroy();
  const lines = await during(() => ask(program.url, query), 'operation');
  behaviour = whole;
  const calls = lines.filter(({ msg }) => msg === 'call failed');
  expect(calls.map(({ code, attempt, cause }) => [code, attempt, cause])).toEqual(
    [1, 2, 3].map((attempt) => ['UNREACHABLE', attempt, expect.stringMatching(/^(ECONNRESET|UND_ERR_SOCKET)$/)]),
  );
});

test.each([
  ['whose document cannot be parsed', '{', 'GRAPHQL_PARSE_FAILED', { operation: null, type: null, hash: null }],
  ['that is not valid', 'query Bad { nothing }', 'GRAPHQL_VALIDATION_FAILED', { operation: 'Bad', type: 'query' }],
  [
    'that asks for too much',
    '{ webhooks(first: 2000) { totalCount } }',
    'BAD_USER_INPUT',
    { operation: null, type: 'query' },
  ],
])('writes a line for an operation %s, with the code of its error', async (_what, document, code, facts) => {
  const [line] = await during(() => ask(program.url, document), 'operation');
  expect(line).toMatchObject({ outcome: 'refused', sources: [], errors: [code], ...facts });
});

test('writes at level debug what is refused before it gets to the graph', async () => {
  const { origin } = new URL(program.url);
  const [line] = await during(() => fetch(`${origin}/graphql`, { method: 'PUT' }), 'refused');
  expect(line).toEqual({
    level: 'debug',
    time: operation.time,
    requestId: expect.any(String),
    route: 'graphql',
    status: 405,
    code: 'BAD_USER_INPUT',
    durationMs: expect.any(Number),
    msg: 'refused',
  });
});

const evil = '\n{"level":"fatal","msg":"forged"}\r\u001b[31mred\u001b[0m\u2028\u2029\u009b31m\u202e';
const unprintable = /[[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]--[\n]]/v;

test('lets nothing that a client sends begin a line, colour a terminal or be of any length', async () => {
  const long = 'N'.repeat(1000);
  const before = program.output().length;
  const lines = await during(
    async () => {
      await ask(program.url, query, { 'x-request-id': 'a b' }, { operationName: evil });
      await ask(program.url, `query ${long} { webhookSources { key } }`, { 'x-request-id': 'x'.repeat(65) });
      await ask(
        program.url,
        `{ nothing(at: ${JSON.stringify(evil)}) }`,
        {},
        { variables: { evil }, extensions: { evil } },
      );
      await (await fetch(`${new URL(program.url).origin}/${encodeURIComponent(evil)}`)).text();
    },
    'operation',
    3,
  );
  const written = program.output().slice(before);
  expect(written.split('\n').filter((line) => line !== '')).toHaveLength(lines.length);
  expect(written).not.toMatch(unprintable);
  expect(written).not.toMatch(/forged|31m/);
  // JSON alone lets some of it through.
  expect(JSON.stringify(evil)).toMatch(unprintable);
  expect(lines.map(({ operation = null, type = null }) => [operation, type])).toEqual([
    [null, null],
    ['N'.repeat(64), 'query'],
    [null, 'query'],
    [null, null],
  ]);
  expect(lines.map(({ requestId }) => requestId)).toEqual(lines.map(() => expect.stringMatching(/^[0-9a-f]{32}$/)));
});

test('writes a line for each write when it has ended, also for those that were refused', async () => {
  const mutation = `mutation Two($one: ID!, $two: ID!) {
    one: deleteWebhook(input: { id: $one }) { deletedId }
    two: deleteWebhook(input: { id: $two }) { deletedId }
  }`;
  const one = encodeId('DiligentWebhook', 'diligent', `a${evil}`);
  const variables = { one, two: evil };
  const lines = await during(() => ask(program.url, mutation, { 'x-request-id': 'two' }, { variables }), 'operation');
  const ended = { httpStatus: null, providerRequestId: null, durationMs: expect.any(Number), time: expect.any(String) };
  const write = { level: 'warn', requestId: 'two', caller: null, action: 'delete', msg: 'write', ...ended };
  expect(lines.filter(({ msg }) => msg === 'write')).toEqual([
    { ...write, source: 'diligent', id: one.slice(0, 400), outcome: 'DONE' },
    { ...write, source: null, id: null, outcome: 'INVALID', durationMs: null },
  ]);
  const outcomes = ['DONE', 'INVALID'].map((outcome) => ({ action: 'delete', outcome }));
  expect(lines.at(-1)).toMatchObject({ type: 'mutation', outcome: 'partial', sources: [], writes: outcomes });
});

test('writes when a circuit opens, and when it closes', async () => {
  behaviour = json({}, 501);
  const failing = async () => {
    for (let calls = 0; calls < 45; calls += 1) await ask(program.url, query);
  };
  const opened = await during(failing, 'circuit opened');
  expect(opened.find(({ msg }) => msg === 'circuit opened')).toMatchObject({ level: 'warn', source: 'apimall' });
  // What is not sent writes no line of its own, however many ask.
  const calls = opened.filter(({ msg }) => msg === 'call failed').length;
  expect(calls).toBeLessThan(45);
  behaviour = whole;
  const closed = await during(async () => {
    await expect.poll(async () => (await ask(program.url, query)).data.webhooks.complete).toBe(true);
  }, 'circuit closed');
  expect(closed.find(({ msg }) => msg === 'circuit closed')).toMatchObject({ level: 'info', source: 'apimall' });
});

test('writes that it stops, and how that went', async () => {
  const before = program.lines().length;
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);
  expect(program.lines().slice(before)).toEqual([
    { level: 'info', time: operation.time, why: 'SIGINT', msg: 'stopping' },
    { level: 'info', time: operation.time, whole: true, faulty: false, msg: 'stopped' },
  ]);
});
