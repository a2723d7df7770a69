import { expect, test } from 'vitest';
import { knowTokens } from './support/callers.ts';
import { deliveryRow, diligentWith } from './support/deliveries.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';
import { json } from './support/upstream.ts';

const authentication = knowTokens({
  hg_reader: 'reader webhooks:read',
  hg_payloads: 'payloads webhooks:payloads',
  hg_both: 'both webhooks:read webhooks:payloads',
});

const inLog = (fields: string) =>
  `{ webhooks(first: 5) { nodes { ... on DiligentWebhook { deliveries(first: 5) { ${fields} } } } } }`;
const plain = inLog('nodes { event }');
const bodies = inLog(
  'nodes { event request { headers { name value } body } response { headers { name value } body } }',
);

async function ask(url: string, query: string, token?: string) {
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  return { status: response.status, text, code: JSON.parse(text).errors?.[0].extensions.code };
}

const canary = diligentWith(json([deliveryRow({ request: { payload: 'canary' }, response: { body: 'canary' } })]));

test.each<[boolean, string, number, string | undefined]>([
  [true, 'hg_both', 200, undefined],
  [true, 'hg_reader', 403, 'FORBIDDEN'],
  [true, 'hg_payloads', 403, 'FORBIDDEN'],
  [false, 'hg_both', 403, 'FORBIDDEN'],
  [false, 'hg_reader', 403, 'FORBIDDEN'],
])(
  'with DELIVERY_PAYLOADS %j, answers %s who asks for bodies with %i',
  async (deliveryPayloads, token, status, code) => {
    await using graph = await openGraph({ diligent: canary }, { deliveryPayloads });
    await using server = await listen(graph.gateway, { authentication });
    const asked = await ask(server.url, bodies, token);
    expect([asked.status, asked.code]).toEqual([status, code]);
    expect(asked.text.includes('canary')).toBe(status === 200);
    if (status === 403) expect(graph.calls('diligent')).toEqual([]);
    // The rest of the log is for everyone who may read.
    const rest = await ask(server.url, plain, token);
    expect(rest.status).toBe(token === 'hg_payloads' ? 403 : 200);
  },
);

test('shows bodies to everyone, or to nobody, where callers have no tokens', async () => {
  await using shown = await openGraph({ diligent: canary }, { deliveryPayloads: true });
  expect(JSON.stringify(await shown.answer(bodies))).toContain('canary');
  await using hidden = await openGraph({ diligent: canary });
  expect((await hidden.answer(bodies)).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
});

test.each([
  ['an edge', inLog('edges { node { request { body } } }')],
  ['an alias', inLog('nodes { harmless: request { body } }')],
  [
    'a fragment',
    `{ webhooks(first: 5) { nodes { ...A } } } fragment A on DiligentWebhook { deliveries(first: 5) { nodes { ...B } } } fragment B on WebhookDelivery { response { body } }`,
  ],
  ['a deferred fragment', inLog('nodes { ... @defer { response { body } } }')],
  ['headers alone', inLog('nodes { request { headers { name } } }')],
  ['the name of its type', inLog('nodes { request { __typename } }')],
  [
    'a selection by id',
    '{ nodes(ids: ["RGlsaWdlbnRXZWJob29rOmRpbGlnZW50OmRmODllYjE2LTRjNmEtNDM5Zi1iNjY4LTdjY2EwY2Q3ODZmYQ"]) { ... on DiligentWebhook { deliveries(first: 1) { nodes { request { body } } } } } }',
  ],
])('refuses bodies that are asked for through %s', async (_name, query) => {
  await using graph = await openGraph({ diligent: canary });
  const { data, errors } = await graph.answer(query);
  expect([data, errors?.map(({ extensions }) => extensions.code)]).toEqual([undefined, ['FORBIDDEN']]);
  expect(graph.calls('diligent')).toEqual([]);
});

test('answers nobody who may not see bodies from what those were answered who may', async () => {
  await using graph = await openGraph({ diligent: canary }, { deliveryPayloads: true });
  await using server = await listen(graph.gateway, { authentication });
  for (let times = 0; times < 5; times++) expect((await ask(server.url, bodies, 'hg_both')).text).toContain('canary');
  expect(await ask(server.url, bodies, 'hg_reader')).toMatchObject({ status: 403, code: 'FORBIDDEN' });
});

const hidden = [
  'X-Signature',
  'x-signature',
  'X-Hub-Signature',
  'X-Hub-Signature-256',
  'Stripe-Signature',
  'Webhook-Signature',
  'Signature-Input',
  'X-Sig',
  'X-Acme-Hmac-Sha256',
  'Authorization',
  'AUTHORIZATION',
  'Proxy-Authorization',
  'WWW-Authenticate',
  'Authentication-Info',
  'X-Auth-User',
  'Cookie',
  'Set-Cookie',
  'X-Cookie-Id',
  'X-Access-Token',
  'X-CSRF-Token',
  'x_token',
  'X-Client-Secret',
  'X-Password',
  'X-Passwd',
  'X-Api-Key',
  'x-api_key',
  'ApiKey',
  'X-API-Key-Id',
  'Ocp-Apim-Subscription-Key',
  'X-Credential-Scope',
  'X-Session-Id',
  'X-JWT-Assertion',
];
const shown = ['Content-Type', 'User-Agent', 'X-Webhook-Id', 'X-Event-Id', 'X-Customer-Id', 'X-Target-type'];
const alsoShown = ['X-Event-Name', 'Idempotency-Key', 'Date', 'Retry-After', 'Content-Length', 'ETag', 'Keep-Alive'];

async function readHeaders(names: readonly string[], value: (name: string) => string = () => 'canary-value') {
  const headers = Object.fromEntries(names.map((name) => [name, value(name)]));
  const rows = [deliveryRow({ request: { headers, payload: {} }, response: { headers, body: '' } })];
  await using graph = await openGraph({ diligent: diligentWith(json(rows)) }, { deliveryPayloads: true });
  const data = await graph.query(bodies);
  const [{ request, response }] = data.webhooks.nodes[0].deliveries.nodes;
  return { request, response, text: JSON.stringify(data) };
}

test.each(hidden)('never shows the header %s', async (name) => {
  const { request, response, text } = await readHeaders(['Content-Type', name], (it) =>
    it === name ? 'canary-value' : 'x',
  );
  const rest = [{ name: 'Content-Type', value: 'x' }];
  expect([request.headers, response.headers]).toEqual([rest, rest]);
  expect(text).not.toContain('canary');
});

test('shows the headers that sign nothing', async () => {
  const names = [...shown, ...alsoShown];
  const { request } = await readHeaders(names);
  expect(request.headers).toEqual(names.map((name) => ({ name, value: 'canary-value' })));
});

test('hides what signs a delivery where its receiver, or anybody, repeats it', async () => {
  const signature = 'sha256=c0ffee00c0ffee00canary';
  const bearer = 'Bearer canary-token-1234';
  const headers = { 'X-Signature': [signature, 'x'], Authorization: bearer, 'X-Short': 'abc', Cookie: 'abc' };
  const echoes = [signature, 'c0ffee00c0ffee00canary', bearer, 'canary-token-1234'];
  const echo = { headers: { 'X-Echo': signature, 'X-Letters': 'abc' }, body: { seen: headers, echoes } };
  const row = deliveryRow({ request: { headers, payload: JSON.stringify({ echoes }) }, response: echo });
  await using graph = await openGraph({ diligent: diligentWith(json([row])) }, { deliveryPayloads: true });
  const data = await graph.query(bodies);
  expect(JSON.stringify(data)).not.toContain('canary');
  const [{ request, response }] = data.webhooks.nodes[0].deliveries.nodes;
  expect(JSON.parse(request.body).echoes).toEqual(Array(4).fill('[hidden]'));
  expect(JSON.parse(response.body)).toMatchObject({
    seen: { 'X-Signature': ['[hidden]', 'x'] },
    echoes: Array(4).fill('[hidden]'),
  });
  // What is as short as a word is not taken out of what it may be a part of.
  expect(response.headers).toContainEqual({ name: 'X-Letters', value: 'abc' });
});
