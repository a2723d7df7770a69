import { expect, test } from 'vitest';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const page = `query Page($first: Int, $after: String, $last: Int, $before: String, $orderBy: WebhookOrder) {
  webhooks(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
    edges { cursor node { externalId } }
    nodes { externalId }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    totalCount
  }
}`;

interface PageShape {
  readonly ids: readonly string[];
  readonly totalCount: number;
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

async function readPage(graph: Graph, variables: object): Promise<PageShape> {
  const { edges, nodes, pageInfo, totalCount } = (await graph.query(page, variables)).webhooks;
  const ids = nodes.map(({ externalId }: { externalId: string }) => externalId);
  expect(edges.map(({ node }: { node: { externalId: string } }) => node.externalId)).toEqual(ids);
  expect([edges[0]?.cursor ?? null, edges.at(-1)?.cursor ?? null]).toEqual([pageInfo.startCursor, pageInfo.endCursor]);
  return { ids, pageInfo, totalCount };
}

/** Reads page after page; `between` runs before each page but the first. */
async function walk(graph: Graph, variables: object, forward = true, between = () => {}): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let more = true; more; between()) {
    const read = await readPage(graph, forward ? { ...variables, after: cursor } : { ...variables, before: cursor });
    if (forward) ids.push(...read.ids);
    else ids.unshift(...read.ids);
    more = forward ? read.pageInfo.hasNextPage : read.pageInfo.hasPreviousPage;
    cursor = forward ? read.pageInfo.endCursor : read.pageInfo.startCursor;
  }
  return ids;
}

function rows(...ids: readonly number[]) {
  return ids.map((id) => apimallRow({ id }));
}

test('gives a hundred rows where no size is asked for, with null as with nothing', async () => {
  const many = Array.from({ length: 120 }, (_, index) => apimallRow({ id: index }));
  await using graph = await openGraph({ apimall: apimallList(...many) });
  for (const variables of [{}, { first: null, last: null, after: null, before: null, orderBy: null }]) {
    const { ids, pageInfo, totalCount } = await readPage(graph, variables);
    expect([ids.length, totalCount, pageInfo.hasNextPage, pageInfo.hasPreviousPage]).toEqual([100, 120, true, false]);
  }
});

test.each(
  ['URL', 'LAST_DELIVERY_AT', 'CREATED_AT', 'HEALTH', 'PROVIDER'].flatMap((field) => [
    { field, direction: 'ASC' },
    { field, direction: 'DESC' },
  ]),
)('walks the whole list by $field $direction in pages of any size, forwards and backwards', async (orderBy) => {
  await using graph = await openGraph();
  const { ids: whole } = await readPage(graph, { first: 1000, orderBy });
  expect(new Set(whole).size).toBe(33);
  for (const size of [1, 7, 32, 33]) {
    expect(await walk(graph, { first: size, orderBy })).toEqual(whole);
    expect(await walk(graph, { last: size, orderBy }, false)).toEqual(whole);
  }
});

test('orders ties by source, then whole numbers by value, then other ids as text', async () => {
  await using graph = await openGraph({
    apimall: apimallList(...rows(100, 9, 10).map((row) => ({ ...row, url: 'https://same.example' }))),
    diligent: json(
      ['b', '10', 'a', '9007199254740993', '9007199254740992'].map((id) =>
        diligentRow({ id, webhook_url: 'https://same.example' }),
      ),
    ),
  });
  const ids = ['9', '10', '100', '10', '9007199254740992', '9007199254740993', 'a', 'b'];
  expect((await readPage(graph, {})).ids).toEqual(ids);
  // The direction turns the values that are ordered by, not the ties.
  expect((await readPage(graph, { orderBy: { direction: 'DESC' } })).ids).toEqual(ids);
});

test.each(['ASC', 'DESC'])('puts rows without the value last in direction %s', async (direction) => {
  await using graph = await openGraph({
    apimall: apimallList(
      apimallRow({ id: 1, created_at: null }),
      apimallRow({ id: 2, created_at: '2026-01-01T00:00:00Z' }),
      apimallRow({ id: 3, created_at: '2026-01-02T00:00:00+02:00' }),
    ),
  });
  const { ids } = await readPage(graph, { orderBy: { field: 'CREATED_AT', direction } });
  expect(ids).toEqual(direction === 'ASC' ? ['2', '3', '1'] : ['3', '2', '1']);
});

test('orders verdicts from FAILING to HEALTHY', async () => {
  await using graph = await openGraph();
  const { webhooks } = await graph.query(
    '{ webhooks(orderBy: { field: HEALTH }) { nodes { health } healthCounts { health count } } }',
  );
  const seen = webhooks.nodes.map(({ health }: { health: string }) => health);
  expect([...new Set(seen)]).toEqual(['FAILING', 'UNKNOWN', 'IDLE', 'DISABLED', 'HEALTHY']);
  const counted = webhooks.healthCounts.flatMap(({ health, count }: { health: string; count: number }) =>
    Array(count).fill(health),
  );
  expect(counted).toEqual(seen);
});

test('gives a row that is there throughout exactly once, whatever rows come and go around the cursor', async () => {
  let present = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  await using graph = await openGraph({
    apimall: (request, response) => apimallList(...rows(...present))(request, response),
  });
  const changes = [
    () => {
      present = [2, 4, 5, 6, 7, 8, 9];
    },
    () => {
      present = [0, 1, 3, 5, 6, 7, 8, 9, 10, 11];
    },
  ];
  const ids = await walk(graph, { first: 3 }, true, () => changes.shift()?.());
  expect(ids.filter((id) => ['5', '6', '7', '8', '9'].includes(id))).toEqual(['5', '6', '7', '8', '9']);
  expect(new Set(ids).size).toBe(ids.length);
});

test('keeps a walk over one source exact while another fails between pages', async () => {
  let failing = false;
  await using graph = await openGraph({
    apimall: apimallList(...[1, 2, 3, 4, 5].map((id) => apimallRow({ id, url: `https://a${id}.example` }))),
    diligent: (request, response) => {
      const answer = failing ? json({}, 503) : json([diligentRow({ webhook_url: 'https://a3x.example' })]);
      return answer(request, response);
    },
  });
  const document = `query P($after: String) { webhooks(first: 2, after: $after) { complete nodes { externalId } pageInfo { endCursor } } }`;
  const seen: [string[], boolean][] = [];
  for (let after: string | null = null, round = 0; round < 3; round++) {
    failing = round === 1;
    const { webhooks } = await graph.query(document, { after });
    seen.push([webhooks.nodes.map(({ externalId }: { externalId: string }) => externalId), webhooks.complete]);
    after = webhooks.pageInfo.endCursor;
  }
  expect(seen).toEqual([
    [['1', '2'], true],
    [['3', '4'], false],
    [['5'], true],
  ]);
});

test('cuts between two cursors, and says what lies around', async () => {
  await using graph = await openGraph({ apimall: apimallList(...rows(1, 2, 3, 4, 5)) });
  const { webhooks } = await graph.query('{ webhooks { edges { cursor } } }');
  const [, second, , , fifth] = webhooks.edges.map(({ cursor }: { cursor: string }) => cursor);
  const around = { hasNextPage: true, hasPreviousPage: true };
  expect(await readPage(graph, { after: second, before: fifth })).toMatchObject({
    ids: ['3', '4'],
    pageInfo: around,
    totalCount: 5,
  });
  expect((await readPage(graph, { first: 1, after: second, before: fifth })).ids).toEqual(['3']);
  expect((await readPage(graph, { last: 1, after: second, before: fifth })).ids).toEqual(['4']);
  expect(await readPage(graph, { after: fifth })).toMatchObject({
    ids: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
  });
  expect((await readPage(graph, { after: fifth, before: second })).ids).toEqual([]);
});

test.each([
  [{ first: 0 }, 'first: 0 is not from 1 to 1000.'],
  [{ first: -1 }, 'first: -1 is not from 1 to 1000.'],
  [{ first: 1001 }, 'first: 1001 is not from 1 to 1000.'],
  [{ last: 0 }, 'last: 0 is not from 1 to 1000.'],
  [{ last: 1001 }, 'last: 1001 is not from 1 to 1000.'],
  [{ first: 1, last: 1 }, 'first, last: pass one of them, not both.'],
  [{ after: 'nonsense' }, 'after: not a cursor of this list. Pass a cursor as a page gave it.'],
  [
    { after: Buffer.from('["URL","ASC",1,"apimall","8"]').toString('base64url') },
    'after: not a cursor of this list. Pass a cursor as a page gave it.',
  ],
  [
    { before: Buffer.from('[1,2]').toString('base64url') },
    'before: not a cursor of this list. Pass a cursor as a page gave it.',
  ],
])('refuses %o as BAD_USER_INPUT before any call', async (variables, message) => {
  await using graph = await openGraph();
  const { data, errors } = await graph.answer(page, variables);
  expect(data).toEqual({ webhooks: null });
  expect(errors).toEqual([
    expect.objectContaining({ message, path: ['webhooks'], extensions: { code: 'BAD_USER_INPUT' } }),
  ]);
  expect([...graph.calls('apimall'), ...graph.calls('diligent')]).toEqual([]);
});

test.each([{ field: 'HEALTH' }, { direction: 'DESC' }])(
  'refuses a cursor in the order %o that it does not come from',
  async (orderBy) => {
    await using graph = await openGraph();
    const { pageInfo } = await readPage(graph, { first: 2 });
    const { errors } = await graph.answer(page, { first: 2, after: pageInfo.endCursor, orderBy });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('another order'), extensions: { code: 'BAD_USER_INPUT' } },
    ]);
    // The same order said in full is the same order.
    await graph.query(page, { first: 2, after: pageInfo.endCursor, orderBy: { field: 'URL', direction: 'ASC' } });
    await graph.query(page, { first: 2, after: pageInfo.endCursor, orderBy: { field: null, direction: null } });
  },
);
