import { expect, test } from 'vitest';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { hang, json } from './support/upstream.ts';

async function ask(url: string, query: string) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
  return { status: response.status, errors };
}

test('tells nobody to try again whose changes took too long, as some of them may be done', async () => {
  let sent = 0;
  await using graph = await openGraph({
    diligent(request, response) {
      if (request.method === 'POST') sent += 1;
      const answer = request.method === 'POST' && sent === 1 ? json(diligentRow()) : hang;
      answer(request, response);
    },
  });
  await using server = await listen(graph.gateway, { requestDeadlineMs: 400 });
  const create = 'createDiligentWebhook(input: { url: "https://hooks.acme.example" }) { userErrors { code } }';

  const changed = await ask(server.url, `mutation { a: ${create} b: ${create} }`);
  const message = expect.stringMatching(/may have been done, in part or whole: look before trying again\.$/);
  expect(changed).toMatchObject({ status: 504, errors: [{ message, extensions: { code: 'DEADLINE_EXCEEDED' } }] });
  expect([sent, graph.writes.map(({ outcome }) => outcome)]).toEqual([2, ['DONE']]);

  const read = await ask(server.url, '{ webhooks { totalCount } }');
  expect(read).toMatchObject({
    status: 504,
    errors: [{ message: 'The answer took too long. Ask for less, or try again.' }],
  });
});
