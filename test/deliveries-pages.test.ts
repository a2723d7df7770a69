import type { RequestListener } from 'node:http';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Delivery } from '../src/delivery.ts';
import { createDeliveryPager } from '../src/delivery-page.ts';
import { attemptAt, diligentWith, manyWebhooks } from './support/deliveries.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

const document = `query ($first: Int, $after: String, $id: ID!) { webhook(id: $id) { ... on DiligentWebhook {
  deliveries(first: $first, after: $after) {
    edges { cursor node { externalId at } }
    nodes { externalId }
    totalCount complete
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
} } }`;

/** A log whose rows a test changes, of two webhooks alike. */
async function open(...rows: readonly object[]) {
  const log = { rows };
  const listener: RequestListener = (request, response) => json(log.rows)(request, response);
  const graph = await openGraph({ diligent: diligentWith(listener, ...manyWebhooks(2)) });
  const { webhooks } = await graph.query('{ webhooks { nodes { id } } }');
  const [one, two] = webhooks.nodes.map(({ id }: { id: string }) => id);
  return { graph, log, one, two, [Symbol.asyncDispose]: graph[Symbol.asyncDispose] };
}

async function page(graph: Graph, variables: { id: string; first?: number | null; after?: string | null }) {
  const { webhook } = await graph.query(document, variables);
  const { edges, nodes, ...rest } = webhook.deliveries;
  const names: string[] = edges.map(({ node }: { node: { externalId: string } }) => node.externalId);
  expect(nodes.map(({ externalId }: { externalId: string }) => externalId)).toEqual(names);
  return { names, cursors: edges.map(({ cursor }: { cursor: string }) => cursor), ...rest };
}

const named = (minutes: readonly number[]) => minutes.map((minute) => attemptAt(minute, `m${minute}`));

test('shows the latest first, whatever the order of the log; without a time last, and of one time by id', async () => {
  const odd = [
    attemptAt(1, 'old'),
    attemptAt(0, 'undated b', 200, { timestamp: null }),
    attemptAt(5, 'b'),
    attemptAt(9, 'new'),
    attemptAt(0, 'undated a', 200, { timestamp: 'x' }),
    attemptAt(5, 'a'),
  ];
  await using it = await open(...odd);
  const { names } = await page(it.graph, { id: it.one });
  expect(names).toEqual(['new', 'a', 'b', 'old', 'undated a', 'undated b']);
});

test('says where a page stands', async () => {
  await using it = await open(...named([5, 4, 3]));
  const first = await page(it.graph, { id: it.one, first: 2 });
  expect(first).toMatchObject({ names: ['m5', 'm4'], totalCount: 3, complete: true });
  const [start, end] = first.cursors;
  expect(first.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false, startCursor: start, endCursor: end });
  const second = await page(it.graph, { id: it.one, first: 2, after: end });
  expect(second).toMatchObject({ names: ['m3'], pageInfo: { hasNextPage: false, hasPreviousPage: true } });
  const none = await page(it.graph, { id: it.one, after: second.cursors[0] });
  const nothing = { startCursor: null, endCursor: null, hasNextPage: false, hasPreviousPage: true };
  expect(none).toMatchObject({ names: [], totalCount: 3, pageInfo: nothing });
});

test('has 100 on a page unless told otherwise, where null tells nothing', async () => {
  await using it = await open(...named(Array.from({ length: 130 }, (_, minute) => minute)));
  expect((await page(it.graph, { id: it.one })).names).toHaveLength(100);
  expect((await page(it.graph, { id: it.one, first: null, after: null })).names).toHaveLength(100);
  expect((await page(it.graph, { id: it.one, first: 1000 })).names).toHaveLength(130);
});

test('shows what stays in the log exactly once, while attempts arrive and others fall out between pages', async () => {
  await using it = await open(...named([9, 8, 7, 6, 5, 4]));
  const seen: string[] = [];
  let after: string | null = null;
  for (let minute = 10; ; minute += 2) {
    const { names, pageInfo } = await page(it.graph, { id: it.one, first: 2, after });
    seen.push(...names);
    if (!pageInfo.hasNextPage) break;
    after = pageInfo.endCursor;
    // Two more arrive each time, and what the cursor stands at is gone.
    it.log.rows = [
      ...named([minute + 1, minute]),
      ...named([9, 8, 7, 6, 5, 4]).filter((row) => !names.includes(idOf(row))),
    ];
  }
  expect(seen).toEqual(['m9', 'm8', 'm7', 'm6', 'm5', 'm4']);
});

function idOf(row: object): string {
  return 'id' in row ? String(row.id) : '';
}

test('shows each attempt of an event that was sent again', async () => {
  await using it = await open(attemptAt(9, 'same'), attemptAt(5, 'same'), attemptAt(1, 'same'));
  const first = await page(it.graph, { id: it.one, first: 1 });
  const second = await page(it.graph, { id: it.one, first: 1, after: first.cursors[0] });
  const third = await page(it.graph, { id: it.one, first: 1, after: second.cursors[0] });
  expect([first, second, third].map(({ names }) => names)).toEqual([['same'], ['same'], ['same']]);
  expect(third.pageInfo.hasNextPage).toBe(false);
});

test.each<[Record<string, unknown>, string]>([
  [{ first: 0 }, 'first: 0 is not from 1 to 1000.'],
  [{ first: -1 }, 'first: -1 is not from 1 to 1000.'],
  [{ first: 1001 }, 'first: 1001 is not from 1 to 1000.'],
  [{ after: '' }, 'after: not a cursor of this list. Pass a cursor as a page gave it.'],
  [{ after: 'e30' }, 'after: not a cursor of this list. Pass a cursor as a page gave it.'],
])('refuses %j before it calls', async (variables, message) => {
  await using it = await open();
  const { data, errors } = await it.graph.answer(document, { id: it.one, ...variables });
  expect(data).toEqual({ webhook: { deliveries: null } });
  expect(errors).toMatchObject([{ message, path: ['webhook', 'deliveries'], extensions: { code: 'BAD_USER_INPUT' } }]);
  expect(it.graph.calls('diligent').filter(({ path }) => path.endsWith('/events'))).toEqual([]);
});

test('refuses cursors of other lists: of webhooks, and of another webhook', async () => {
  await using it = await open(...named([1]));
  const { webhooks } = await it.graph.query('{ webhooks { edges { cursor } } }');
  const [foreign] = webhooks.edges;
  const { cursors } = await page(it.graph, { id: it.two });
  const refusal = async (after: string) =>
    (await it.graph.answer(document, { id: it.one, after })).errors?.map(({ message }) => message);
  expect(await refusal(foreign.cursor)).toEqual([expect.stringContaining('not a cursor of this list')]);
  expect(await refusal(cursors[0])).toEqual(['after: the cursor belongs to the deliveries of another webhook.']);
  const list = await it.graph.answer('query ($after: String) { webhooks(after: $after) { totalCount } }', {
    after: cursors[0],
  });
  expect(list.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
});

test('pages through any log as it is in one page', () => {
  const delivery = fc.record({
    at: fc.option(fc.constantFrom('2026-01-01', '2026-01-02', '2026-01-03')),
    externalId: fc.constantFrom('a', 'b', '10', '9'),
  });
  const logs = fc.uniqueArray(delivery, { selector: ({ at, externalId }) => `${at} ${externalId}`, maxLength: 12 });
  const key = { source: 'diligent', webhookId: 'w' };
  const fault = fc.check(
    fc.property(logs, fc.integer({ min: 1, max: 4 }), (rows, first) => {
      const log = rows.map((row) => ({ ...row, source: 'diligent' }) as Delivery);
      const walked: Delivery[] = [];
      let after: string | null = null;
      for (;;) {
        const it = createDeliveryPager({ first, after }, key)(log);
        walked.push(...it.rows);
        const last = it.rows.at(-1);
        if (!it.hasNextPage || !last) break;
        after = it.cursor(last);
      }
      expect(walked).toEqual(createDeliveryPager({ first: 1000 }, key)(log).rows);
      expect(new Set(walked).size).toBe(log.length);
    }),
    { seed: 1 },
  );
  expect(fault).toMatchObject({ failed: false });
});
