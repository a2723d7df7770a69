import { type GraphQLObjectType, getOperationAST, parse } from 'graphql';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCompiledQueries } from '../src/compiled-queries.ts';
import { schema } from '../src/schema/index.ts';
import { askAgain } from './support/again.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

function read(query: string) {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('There is no operation.');
  return (variables: Record<string, unknown> = {}) => ({ document, operation, variables });
}

test('compiles a query when it comes again, once for whatever its variables are', () => {
  const queries = createCompiledQueries();
  const query = read('query ($n: Int) { webhooks(first: $n) { nodes { id } } }');
  expect(queries.find(query({ n: 1 }))).toBeNull();
  const compiled = queries.find(query({ n: 2 }));
  expect(compiled).not.toBeNull();
  expect(queries.find(query({ n: 3 }))).toBe(compiled);
});

test.each([
  ['@include', 'query ($yes: Boolean!) { webhooks { totalCount complete @include(if: $yes) } }'],
  [
    '@skip on a fragment',
    'query ($yes: Boolean!) { webhooks { totalCount ...F @skip(if: $yes) } } fragment F on WebhookConnection { complete }',
  ],
  ['@defer', 'query ($yes: Boolean!) { webhooks { totalCount ... @defer(if: $yes) { complete } } }'],
])('compiles it anew where a variable decides by %s what is selected', (_name, text) => {
  const queries = createCompiledQueries();
  const query = read(text);
  const [yes, no] = [true, false].map((value) => {
    const asked = { yes: value };
    return [queries.find(query(asked)), queries.find(query(asked)), queries.find(query(asked))];
  });
  expect([yes?.[0], no?.[0]]).toEqual([null, null]);
  expect(yes?.[1]).toBe(yes?.[2]);
  expect(no?.[1]).toBe(no?.[2]);
  expect(yes?.[1]).not.toBe(no?.[1]);
});

test('leaves to the ordinary executor what cannot be compiled, and what is given up', () => {
  const queries = createCompiledQueries();
  const schema = read('{ __schema { queryType { name } } }');
  expect([queries.find(schema()), queries.find(schema())]).toEqual([null, null]);
  const query = read('{ webhooks { totalCount } }');
  queries.find(query());
  expect(queries.find(query())).not.toBeNull();
  queries.giveUp(query());
  expect([queries.find(query()), queries.find(query())]).toEqual([null, null]);
});

async function openRows(): Promise<Graph> {
  const rows = Array.from({ length: 5 }, (_, index) => index);
  const url = (index: number) => `https://h${index % 2}.acme.example/${index}`;
  return openGraph({
    apimall: apimallList(...rows.map((index) => apimallRow({ id: index, url: url(index) }))),
    diligent: json(rows.map((index) => diligentRow({ id: `wh-${index}`, webhook_url: url(index) }))),
  });
}

const search = `query Search($n: Int, $after: String, $filter: WebhookFilter, $more: Boolean = false, $id: ID = "x") {
  found: webhooks(first: $n, after: $after, filter: $filter) {
    totalCount
    nodes { url healthReason @include(if: $more) }
    pageInfo { endCursor hasNextPage }
  }
  webhook(id: $id) @include(if: $more) { url }
}`;

test('answers with any variables what a graph does that meets the query for the first time', async () => {
  await using graph = await openRows();
  const first = await graph.query('{ webhooks(first: 3) { nodes { id } pageInfo { endCursor } } }');
  const { nodes, pageInfo } = first.webhooks;
  const asked = [
    {},
    { n: 2 },
    { n: 3, after: pageInfo.endCursor },
    { n: 1001 },
    { after: 'no cursor' },
    { n: 1, filter: { provider: ['DILIGENT'] } },
    { filter: { source: ['nobody'] } },
    { n: 'two' },
    { n: 2, more: true, id: nodes[0].id },
    { n: 2, more: true },
    { n: 2, more: null },
    { filter: { health: [] } },
    { n: null },
  ];
  const expected: string[] = [];
  for (const variables of asked) {
    await using fresh = await openRows();
    expected.push((await askAgain(fresh, search, { variables })).text);
  }
  expect(new Set(expected).size).toBeGreaterThan(8);
  for (let times = 0; times < 4; times++) {
    for (const [index, variables] of asked.entries()) {
      expect((await askAgain(graph, search, { variables })).text).toBe(expected[index]);
    }
  }
  // Those that failed did not keep it from being run as it was compiled.
  expect((await askAgain(graph, search, { variables: { n: 2 } })).bytes).not.toBeNull();
});

test('runs it as it was compiled with variables that never came', async () => {
  await using graph = await openRows();
  const { url } = (schema.getType('DiligentWebhook') as GraphQLObjectType).getFields();
  if (!url) throw new Error('There is no such field.');
  // Only the ordinary executor asks a resolver for what a row has as it is.
  const resolved = vi.fn((row: { readonly url: string }) => row.url);
  Object.assign(url, { resolve: resolved });
  onTestFinished(() => {
    Object.assign(url, { resolve: undefined });
  });
  const counts: number[] = [];
  for (const n of [4, 5, 6]) {
    const { bytes } = await askAgain(graph, search, { variables: { n } });
    expect(bytes).toBeNull();
    counts.push(resolved.mock.calls.length);
    resolved.mockClear();
  }
  expect(counts).toEqual([2, 0, 0]);
});
