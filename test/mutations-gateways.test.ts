import { expect, test } from 'vitest';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

test.each([520, 522, 524, 530, 599])(
  'does not know what became of a change that is answered %i, which no server says',
  async (status) => {
    await using graph = await openGraph({
      diligent: (request, response) =>
        (request.method === 'GET' ? json([diligentRow()]) : text('', status))(request, response),
    });
    const create = 'createDiligentWebhook(input: { url: "https://hooks.acme.example", events: [] })';
    const selection = '{ userErrors { code } report { error { httpStatus retryable } } }';
    const { createDiligentWebhook: payload } = await graph.query(`mutation { ${create} ${selection} }`);
    expect(payload).toEqual({
      userErrors: [{ code: 'OUTCOME_UNKNOWN' }],
      report: { error: { httpStatus: status, retryable: false } },
    });
    expect(graph.calls('diligent').map(({ method }) => method)).toEqual(['POST', 'GET']);
  },
);
