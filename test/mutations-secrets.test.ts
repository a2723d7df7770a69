import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { encodeDeliveryId } from '../src/delivery.ts';
import { encodeId } from '../src/webhook.ts';
import { type ChangeField, mutationOf } from './support/changes.ts';
import { startReceiver } from './support/otlp.ts';
import { ask, startProgram } from './support/program.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { findSecrets } from './support/secrets.ts';
import { hang, json, startUpstream } from './support/upstream.ts';

/** One of each kind for each place: a word, which a provider's code might be, and one that needs escaping everywhere. */
const secrets = {
  apimall: 'Xq7.vB2-mZ9_kL4',
  created: 'Rw8!pJ3"hY5=cF1/eD0',
  updated: 'Uo4.gS7-iK2_aV9',
  inlineApimall: 'Hj6^lW1(xQ8)zM5+tC2',
  inlineCreated: 'Ef3.yG9-dP4_uI7',
  inlineUpdated: 'Ns5`qA8#rX2%wJ7?vL1',
  mistyped: 'Tb9.cN6-sF1_oE8',
};
const all = Object.values(secrets);

const url = 'https://hooks.acme.example/new';
const id = encodeId('DiligentWebhook', 'diligent', 'a');
const delivery = encodeDeliveryId('diligent', 'a', 'b', null);

const changes: readonly (readonly [ChangeField, object])[] = [
  ['createApiMallWebhook', { url, events: [], secretKey: secrets.apimall }],
  ['createDiligentWebhook', { url, secret: secrets.created }],
  ['updateDiligentWebhook', { id, secret: { set: secrets.updated } }],
];
const said =
  'userErrors { field message code } warnings { message } report { error { message providerCode providerRequestId } }';
const inline = (secret: string) => JSON.stringify(secret);
const documents = [
  `mutation { createApiMallWebhook(input: { url: "${url}", events: [], secretKey: ${inline(secrets.inlineApimall)} }) { ${said} webhook { id url } } }`,
  `mutation { createDiligentWebhook(input: { url: "${url}", secret: ${inline(secrets.inlineCreated)} }) { ${said} webhook { id url } } }`,
  `mutation { updateDiligentWebhook(input: { id: "${id}", secret: { set: ${inline(secrets.inlineUpdated)} } }) { ${said} webhook { id url } } }`,
];

/** What goes wrong before there is any call, with a secret beside it, or in its place. */
const mistyped = inline(secrets.mistyped);
const mistakes: readonly (readonly [string, object])[] = [
  [mutationOf('createDiligentWebhook'), { input: { url, secret: secrets.mistyped, typo: 1 } }],
  [mutationOf('createDiligentWebhook'), { input: { url: 5, secret: secrets.mistyped } }],
  [mutationOf('createDiligentWebhook'), { input: { url, secret: [secrets.mistyped] } }],
  [mutationOf('createDiligentWebhook'), { input: { url, secret: secrets.mistyped.repeat(100) } }],
  [mutationOf('createDiligentWebhook'), { input: { url: 'http://wrong', secret: secrets.mistyped } }],
  [mutationOf('updateDiligentWebhook'), { input: { id, secret: secrets.mistyped } }],
  [mutationOf('updateDiligentWebhook'), { input: { id: 'wrong', secret: { set: secrets.mistyped } } }],
  [mutationOf('updateDiligentWebhook'), { input: { id, secret: { set: secrets.mistyped, keep: true } } }],
  [mutationOf('deleteWebhook'), { input: { id: secrets.mistyped, secret: secrets.mistyped } }],
  [
    `mutation ($u: String = "a") { createDiligentWebhook(input: { url: $u, secret: ${mistyped} }) { ${said} } }`,
    { u: null },
  ],
  [`mutation { createDiligentWebhook(input: { url: 5, secret: ${mistyped} }) { ${said} } }`, {}],
  [`mutation { createDiligentWebhook(input: { url: "a", typo: 1, secret: ${mistyped} }) { ${said} } }`, {}],
  [`mutation { updateDiligentWebhook(input: { id: "a", secret: ${mistyped} }) { ${said} } }`, {}],
  [`mutation { updateDiligentWebhook(input: { id: "a", secret: { set: ${mistyped}, keep: true } }) { ${said} } }`, {}],
  [`mutation { createDiligentWebhook(input: { url: "a", secret: ${mistyped} } { ${said} } }`, {}],
  [`mutation { createDiligentWebhook(input: { url: "a", secret: [${mistyped}] }) { nothing } }`, {}],
];

/** Says what it was sent wherever there is room for it: in a success, in fields that nobody reads. */
function echo(status: number): RequestListener {
  return async (request, response) => {
    if (request.method === 'GET') return lists(request, response);
    const body = await text(request);
    const sent = body === '' ? {} : JSON.parse(body);
    const secret = String(sent.secret_key ?? sent.secret ?? '');
    const row = request.headers['x-api-key'] ? diligentRow({ id: 'a' }) : apimallRow();
    const whole = { ...row, ...sent, [secret]: body, description: body };
    response.writeHead(status === 299 ? 200 : status, 'Because', {
      'content-type': 'application/json',
      'x-request-id': encodeURIComponent(secret),
      'retry-after': '0',
    });
    const error = { code: secret, message: body, path: [secret], field: secret };
    const failure = { success: false, error, errors: [error], details: [error], request_id: secret, message: body };
    const answer = request.headers['x-api-key'] ? whole : { success: true, data: whole, request_id: secret };
    response.end(status === 204 ? '' : JSON.stringify(status <= 201 ? answer : failure));
  };
}

const lists: RequestListener = (request, response) => {
  const rows = request.headers['x-api-key'] ? [diligentRow({ id: 'a' })] : { success: true, data: [apimallRow()] };
  json(rows)(request, response);
};

/** Says what it was sent where it is read: no provider would. */
const echoInStatus: RequestListener = async (request, response) => {
  const { secret } = JSON.parse(await text(request));
  json(diligentRow({ id: 'a', status: secret }))(request, response);
};

const silent: RequestListener = (request, response) => (request.method === 'GET' ? lists : hang)(request, response);
// 299 stands for a failure that is answered 200.
const behaviours = [...[200, 201, 204, 299, 400, 403, 404, 409, 422, 429, 500, 502].map(echo), silent];

test('keeps secrets out of answers, the log at level trace, metrics and traces', async () => {
  let behaviour = lists;
  await using upstream = await startUpstream((...http) => behaviour(...http));
  await using receiver = await startReceiver();
  await using program = await startProgram({
    APIMALL_API_KEY: 'sk-test',
    DILIGENT_API_KEY: 'test',
    APIMALL_API_URL: upstream.url,
    DILIGENT_API_URL: upstream.url,
    WRITES: 'on',
    LOG_LEVEL: 'trace',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '150',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.upstream.url,
  });
  let answers = '';
  const keep = async (document: string, variables: object = {}) => {
    answers += JSON.stringify(await ask(program.url, document, {}, { variables }));
  };
  for (const become of behaviours) {
    behaviour = become;
    for (const [field, input] of changes) await keep(mutationOf(field), { input });
    for (const document of documents) await keep(document);
    await keep(mutationOf('redeliverWebhookDelivery'), { input: { id: delivery } });
    behaviour = lists;
    // Between two faults all is well, so that no circuit opens.
    for (let times = 0; times < 6; times++) await keep('{ webhooks { totalCount sources { error { message } } } }');
  }
  for (const [document, variables] of mistakes) await keep(document, variables);
  // Of a row, clients are shown what it says: so these could be found, had they come back elsewhere.
  behaviour = echoInStatus;
  const shown = await ask(
    program.url,
    mutationOf('createDiligentWebhook', 'webhook { status }'),
    {},
    { variables: { input: changes[1]?.[1] } },
  );
  expect(findSecrets(JSON.stringify(shown), all)).toEqual([secrets.created]);
  const metrics = await (await fetch(`${new URL(program.url).origin}/metrics`)).text();
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);

  const written = program.lines().filter(({ msg }) => msg === 'write');
  const byField = (action: string) => written.filter((line) => line.action === action).length;
  expect([byField('create') >= 4 * behaviours.length, byField('update') >= 2 * behaviours.length]).toEqual([
    true,
    true,
  ]);
  expect(byField('redeliver')).toBe(behaviours.length);
  const outcomes = new Set(written.map(({ outcome }) => outcome));
  for (const code of [
    'DONE',
    'INVALID',
    'FORBIDDEN',
    'NOT_FOUND',
    'RATE_LIMITED',
    'SOURCE_FAILED',
    'OUTCOME_UNKNOWN',
  ]) {
    expect([...outcomes]).toContain(code);
  }
  expect(metrics).toContain(
    'hookgraph_source_writes_total{source="diligent",action="create",outcome="OUTCOME_UNKNOWN"}',
  );
  expect(receiver.spans().length).toBeGreaterThan(100);
  const seen = answers + program.output() + metrics + receiver.bytes().toString('latin1');
  expect(findSecrets(seen, all)).toEqual([]);
  expect(seen).not.toMatch(/Hj6|Rw8|Ns5/);
});
