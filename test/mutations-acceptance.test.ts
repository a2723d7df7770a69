import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningServer } from '../src/server.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { json } from './support/upstream.ts';

let graph: Graph;
let server: RunningServer & AsyncDisposable;
const { id = '' } = diligentRow() as { id?: string };

beforeAll(async () => {
  graph = await openGraph({ diligent: json(diligentRow()) });
  server = await listen(graph.gateway);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await graph[Symbol.asyncDispose]();
});

async function change(accept: string, payload: string): Promise<{ status: number; calls: number; text: string }> {
  const before = graph.calls('diligent').length;
  const input = `id: "${Buffer.from(`DiligentWebhook:diligent:${id}`).toString('base64url')}", isActive: true`;
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query: `mutation { updateDiligentWebhook(input: { ${input} }) { ${payload} } }` }),
  });
  const text = await response.text();
  return { status: response.status, calls: graph.calls('diligent').length - before, text };
}

const plain = 'webhook { id } userErrors { code }';
const deferred = '... @defer { webhook { id } } userErrors { code }';

test.each([
  ['text/html', plain],
  ['image/png, text/plain;q=0.5', plain],
  ['application/json; charset=utf-16', plain],
  ['application/json', deferred],
  ['application/graphql-response+json, application/json', deferred],
])('changes nothing for a client that takes only %s and would be told 406: %s', async (accept, payload) => {
  const { status, calls, text } = await change(accept, payload);
  expect([status, calls]).toEqual([406, 0]);
  expect(text).toContain('Accept application/json');
});

test.each([
  ['application/json', plain],
  ['application/graphql-response+json; charset=utf-8, application/json;q=0.9', plain],
  ['application/*', plain],
  ['text/html, */*;q=0.1', plain],
  ['multipart/mixed', plain],
  ['text/event-stream', plain],
  ['multipart/mixed;deferSpec=20220824, application/json', deferred],
  ['text/event-stream', deferred],
  ['*/*', deferred],
])('changes what a client asks that takes %s: %s', async (accept, payload) => {
  const { status, calls } = await change(accept, payload);
  expect([status, calls]).toEqual([200, 1]);
});
