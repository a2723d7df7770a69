import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { asProvider, bytes } from './support/faults.ts';
import { startReceiver } from './support/otlp.ts';
import { ask, type Program, startProgram } from './support/program.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { findSecrets, spellings } from './support/secrets.ts';
import { hang, json, startUpstream, text } from './support/upstream.ts';

/** One for each place that a secret comes from; base64 of each would be its own. */
const secrets = {
  apimall: 'sk-Xq7~vB2+mZ9/kL4?nT6',
  diligent: 'dg_Rw8!pJ3&hY5=cF1$eD0',
  token: 'tk.Uo4*gS7;iK2:aV9@bN3',
  variable: 'vr-Hj6^lW1(xQ8)zM5{tC2',
  rows: 'rw-Ef3|yG9<dP4>uI7}oB6',
  receiver: 'rc-Ns5`qA8#rX2%wJ7^vL1',
};
const all = Object.values(secrets);

/** Says the key that it was asked with wherever there is room for it. */
function telling(status: number): RequestListener {
  return (request, response) => {
    const key = String(request.headers['x-api-key'] ?? request.headers.authorization?.replace('Bearer ', ''));
    const error = { code: key, message: key, stack: key };
    response.writeHead(status, 'Because', {
      'content-type': 'application/json',
      'x-request-id': key,
      'set-cookie': key,
      'retry-after': '0',
      ...(status === 302 && { location: `http://127.0.0.1:9/${encodeURIComponent(key)}` }),
    });
    response.end(JSON.stringify({ success: false, error, request_id: key, detail: key }));
  };
}

const url = `https://user:${encodeURIComponent(secrets.rows)}@hooks.acme.example/${encodeURIComponent(secrets.rows)}`;
const whole = asProvider({
  apimall: apimallList(apimallRow({ url, last_error: secrets.rows })),
  diligent: json([diligentRow({ webhook_url: url })]),
});

const answers: readonly RequestListener[] = [
  whole,
  ...[429, 200, 302, 400, 401, 403, 404, 418, 500, 503].map(telling),
  json([{ id: secrets.rows }]),
  json({ success: true, data: [{ id: secrets.rows, url: 3 }] }),
  bytes(`["${secrets.rows}`),
  bytes(secrets.rows, { 'content-encoding': 'gzip' }),
  bytes(JSON.stringify(secrets.rows.repeat(200))),
  text(secrets.rows, 200, { 'content-type': 'text/html' }),
  (request) => request.socket.resetAndDestroy(),
  hang,
];

const query = `query Ask($word: String) {
  webhooks(filter: { urlContains: $word }) { nodes { url ... on ApiMallWebhook { lastError } } complete }
}`;

/** Asks while the upstream behaves in one way after the other, and as nobody should. */
async function provoke(program: Program, become: (listener: RequestListener) => void, headers: Record<string, string>) {
  const carried = { authorization: `Bearer ${secrets.token}`, cookie: `token=${secrets.token}`, ...headers };
  // Between two faults all is well, so that no circuit opens.
  for (const listener of answers.flatMap((answer) => [whole, whole, whole, answer])) {
    become(listener);
    await ask(program.url, query, carried, { variables: { word: secrets.variable } });
  }
  await ask(program.url, `query { webhooks(first: "${secrets.variable}") }`, carried);
  await ask(program.url, `{ nothing(at: "${secrets.variable}`, carried);
  const { origin } = new URL(program.url);
  const named = encodeURIComponent(secrets.token);
  for (const path of [`/${named}`, `/graphql?token=${named}`, `/graphql?query=${named}`]) {
    await (await fetch(origin + path, { headers: carried })).text();
  }
  return await (await fetch(`${origin}/metrics`)).text();
}

const limits = {
  LOG_LEVEL: 'trace',
  SHARE_IN_FLIGHT: 'off',
  UPSTREAM_DEADLINE_MS: '300',
  UPSTREAM_ATTEMPT_TIMEOUT_MS: '200',
  UPSTREAM_MAX_BYTES: '2000',
};

test.concurrent.each([
  ['of its own', {}, { APIMALL_API_KEY: secrets.apimall, DILIGENT_API_KEY: secrets.diligent }],
  [
    'of its callers',
    { 'x-apimall-api-key': secrets.apimall, 'x-diligent-api-key': secrets.diligent },
    { CREDENTIALS: 'passthrough' },
  ],
])('keeps keys %s out of its log at level trace, its metrics and its traces', async (_whose, headers, env) => {
  let behaviour = whole;
  await using upstream = await startUpstream((...http) => behaviour(...http));
  await using receiver = await startReceiver();
  await using program = await startProgram({
    ...limits,
    ...env,
    APIMALL_API_URL: upstream.url,
    DILIGENT_API_URL: upstream.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.upstream.url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(secrets.receiver)}`,
  });
  const metrics = await provoke(program, (listener) => (behaviour = listener), headers);
  if ('CREDENTIALS' in env)
    await ask(program.url, query, { 'x-apimall-api-key': `${secrets.apimall} ${secrets.apimall}` });
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);

  const codes = new Set(program.lines().flatMap(({ code }) => code ?? []));
  for (const code of ['UNAUTHORIZED', 'RATE_LIMITED', 'TIMEOUT', 'UNREACHABLE', 'TOO_LARGE', 'BAD_RESPONSE']) {
    expect([...codes]).toContain(code);
  }
  expect(metrics).toContain('hookgraph_source_calls_total{source="diligent",outcome="TIMEOUT"}');
  expect(receiver.spans().length).toBeGreaterThan(50);
  expect(upstream.calls.some(({ headers: sent }) => sent['x-api-key'] === secrets.diligent)).toBe(true);
  const seen = program.output() + metrics + receiver.bytes().toString('latin1');
  expect(findSecrets(seen, all)).toEqual([]);
  expect(seen).not.toMatch(/hooks\.acme|urlContains/);
  // With the colon: five digits alone come up in some random id now and then.
  expect(program.output()).not.toContain(`:${new URL(upstream.url).port}`);
});

test.each(all)('would find %j, however it is spelled and whatever stands around it', (secret) => {
  for (const around of ['', 'a', 'ab', 'abc']) {
    const inside = Buffer.from(`${around}${secret}${around}`);
    const written = [
      `{"msg":"${around}${secret}"}`,
      inside.toString('base64'),
      inside.toString('base64url'),
      inside.toString('hex'),
      encodeURIComponent(inside.toString()),
      JSON.stringify(inside.toString()),
      [...inside.toString()].reverse().join(''),
    ];
    expect(written.map((text) => findSecrets(text, all))).toEqual(written.map(() => [secret]));
  }
  expect(new Set(spellings(secret)).size).toBeGreaterThan(8);
});
