import { expect, test } from 'vitest';
import { deliveryRow, diligentWith } from './support/deliveries.ts';
import { openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

const log = json([deliveryRow({ request: { payload: 'canary' } })]);

function query(variable: string, directive: string): string {
  const deliveries = `deliveries(first: 1) { nodes { event request @${directive}(if: $p) { body } } }`;
  return `query (${variable}) { webhooks(first: 1) { nodes { ... on DiligentWebhook { ${deliveries} } } } }`;
}

test.each([
  ['$p: Boolean = true', 'include', true],
  ['$p: Boolean! = true', 'include', true],
  ['$p: Boolean = false', 'skip', true],
  ['$p: Boolean = false', 'include', false],
  ['$p: Boolean! = true', 'skip', false],
])(
  'heeds the default of a variable, %s, by which a payload is in an operation: @%s',
  async (variable, directive, isIn) => {
    const document = query(variable, directive);
    await using open = await openGraph({ diligent: diligentWith(log) }, { deliveryPayloads: true });
    const request = isIn ? { request: { body: 'canary' } } : {};
    const deliveries = { nodes: [{ event: 'cdd_state_changed', ...request }] };
    expect(await open.query(document)).toEqual({ webhooks: { nodes: [{ deliveries }] } });

    await using closed = await openGraph({ diligent: diligentWith(log) });
    const { data, errors = [] } = await closed.answer(document);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(isIn ? ['FORBIDDEN'] : []);
    expect(JSON.stringify(data ?? null)).not.toContain('canary');
  },
);

test('takes a payload to be in an operation whose variables are wrong', async () => {
  await using graph = await openGraph({ diligent: diligentWith(log) });
  const { errors = [] } = await graph.answer(query('$p: Boolean!', 'include'), { p: 'no' });
  expect(errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
});
