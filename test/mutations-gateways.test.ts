import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

const create = 'createDiligentWebhook(input: { url: "https://hooks.acme.example", events: [] })';
const update = `updateDiligentWebhook(input: { id: "${encodeId('DiligentWebhook', 'diligent', 'd')}", isActive: true })`;
const selection = '{ webhook { id } userErrors { code } report { error { httpStatus retryable } } }';

/** What becomes of a change that is answered so, while the list has one webhook. */
async function changeAnswered(answer: RequestListener, field = create) {
  await using graph = await openGraph({
    diligent: (request, response) => (request.method === 'GET' ? json([diligentRow()]) : answer)(request, response),
  });
  const [payload] = Object.values<Payload>(await graph.query(`mutation { ${field} ${selection} }`));
  const { webhook: _shown, ...outcome } = payload ?? {};
  return { outcome, methods: graph.calls('diligent').map(({ method }) => method) };
}

interface Payload {
  readonly webhook: object | null;
}

function unknown(httpStatus: number) {
  const outcome = { userErrors: [{ code: 'OUTCOME_UNKNOWN' }], report: { error: { httpStatus, retryable: false } } };
  return expect.objectContaining({ outcome });
}

test.each([520, 522, 524, 530, 599])(
  'does not know what became of a change that is answered %i, which no server says',
  async (status) => {
    expect(await changeAnswered(text('', status))).toEqual(unknown(status));
  },
);

test.each([500, 501, 503])('goes by what is said with a status %i where the provider says it', async (status) => {
  const html = { 'content-type': 'text/html' };
  expect(await changeAnswered(text('<h1>upstream connect error</h1>', status, html))).toEqual(unknown(status));
  const said = { userErrors: [{ code: 'SOURCE_FAILED' }], report: { error: { httpStatus: status, retryable: true } } };
  expect(await changeAnswered(json({ error: 'Internal server error' }, status))).toEqual({
    outcome: said,
    methods: ['POST'],
  });
});

test.each([
  ['a creation', create, 'POST'],
  ['an update', update, 'PATCH'],
])('does not take %s for done that is answered 200 with JSON that shows no webhook', async (_what, field, method) => {
  for (const body of [{ error: 'Webhook limit reached' }, {}, []]) {
    const { outcome, methods } = await changeAnswered(json(body), field);
    expect(outcome).toEqual({
      userErrors: [{ code: 'OUTCOME_UNKNOWN' }],
      report: { error: { httpStatus: 200, retryable: false } },
    });
    expect(methods).toEqual([method, 'GET']);
  }
});
