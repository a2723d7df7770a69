import { expect, test } from 'vitest';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const ten = json(Array.from({ length: 10 }, (_, index) => diligentRow({ id: `w${index}` })));

test.each([
  ['says nothing of a field', { error: 'Bad request' }, 'LIMIT_REACHED', null],
  ['objects to a field', { error: [{ path: ['webhook_url'], message: 'Invalid url' }] }, 'INVALID', ['url']],
])(
  'calls a refusal the limit only where the list is full and no field is at fault: the answer %s',
  async (_what, body, code, field) => {
    await using graph = await openGraph({
      diligent: (request, response) => (request.method === 'GET' ? ten : json(body, 400))(request, response),
    });
    const input = '{ url: "https://hooks.acme.example", events: ["search_completed"] }';
    const query = `mutation { createDiligentWebhook(input: ${input}) { userErrors { code field } } }`;
    expect(await graph.query(query)).toEqual({ createDiligentWebhook: { userErrors: [{ code, field }] } });
  },
);
