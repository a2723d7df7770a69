import { execute, parse } from 'graphql';
import { expect, test } from 'vitest';
import { newestFirst } from '../src/delivery-log.ts';
import { schema } from '../src/schema/index.ts';
import { attemptAt, diligentWith } from './support/deliveries.ts';
import { openContext, openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

test('sorts a log once, and lets others have their turn before each of the fields that show it', async () => {
  await using graph = await openGraph({ diligent: diligentWith(json([attemptAt(1, 'a'), attemptAt(2, 'b')])) });
  const context = openContext(graph.sources);
  let turns = 0;
  const turn = {
    cost: 0,
    async take() {
      turns += 1;
    },
  };
  const lists = Array.from({ length: 9 }, (_, index) => `a${index}: deliveries(first: 1) { nodes { externalId } }`);
  const query = `{ webhooks { nodes { ... on DiligentWebhook { ${lists.join(' ')} failureSummary { attempts } } } } }`;
  const { data, errors } = await execute({ schema, document: parse(query), contextValue: { ...context, turn } });
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({ webhooks: { nodes: [{ a8: { nodes: [{ externalId: 'b' }] } }] } });
  expect(turns).toBeGreaterThanOrEqual(lists.length + 1);

  const [source] = context.sources.values();
  const { rows = [] } = (await source?.readDeliveries('df89eb16-4c6a-439f-b668-7cca0cd786fa')) ?? {};
  expect(newestFirst(rows)).toBe(newestFirst(rows));
  expect(newestFirst(rows).map(({ externalId }) => externalId)).toEqual(['b', 'a']);
});
