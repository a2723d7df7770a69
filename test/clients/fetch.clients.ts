import { expect, test } from 'vitest';
import type { Answer } from '../support/graph.ts';
import { startGraph } from './support/graph.ts';

const whole = '{ webhooks { nodes { id } complete } }';
const partial = '{ webhooks { nodes { id } } }';
const invalid = '{ webhooks { nodes { secret } } }';

test.each([
  ['application/json', 200],
  ['application/graphql-response+json', 400],
])('%s: whatever was read comes with 200, and a query that is not valid is a %i', async (accept, statusOfInvalid) => {
  await using graph = await startGraph({ isDiligentDown: true });
  const ask = async (query: string) => {
    const headers = { accept, 'content-type': 'application/json' };
    const response = await fetch(graph.url, { method: 'POST', headers, body: JSON.stringify({ query }) });
    expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
    const { data, errors } = (await response.json()) as Answer;
    return [response.status, data?.webhooks.nodes.length, errors?.[0]?.extensions.code];
  };
  expect(await ask(whole)).toEqual([200, 3, undefined]);
  expect(await ask(partial)).toEqual([200, 3, 'SOURCE_FAILED']);
  expect(await ask(invalid)).toEqual([statusOfInvalid, undefined, 'GRAPHQL_VALIDATION_FAILED']);
});
