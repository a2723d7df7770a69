import { expect, test } from 'vitest';
import { encodeId } from '../src/webhook.ts';
import { openGraph } from './support/graph.ts';
import { text } from './support/upstream.ts';

const idOf = (externalId: string) => encodeId('DiligentWebhook', 'diligent', externalId);

test.each(['..', '../other', 'w/../../other', 'w/.', './w', '..\\other'])(
  'sends nothing for an id that a path would follow upwards where slashes are unescaped on the way: %s',
  async (externalId) => {
    await using graph = await openGraph({ diligent: text('', 204) });
    const query = `mutation { deleteWebhook(input: { id: "${idOf(externalId)}" }) { userErrors { code field } } }`;
    expect(await graph.query(query)).toEqual({ deleteWebhook: { userErrors: [{ code: 'INVALID', field: ['id'] }] } });
    expect(graph.calls('diligent')).toEqual([]);
  },
);

test.each(['...', '..w', 'a/b', 'w..'])('takes an id for opaque otherwise: %s', async (externalId) => {
  await using graph = await openGraph({ diligent: text('', 204) });
  const id = idOf(externalId);
  const query = `mutation { deleteWebhook(input: { id: "${id}" }) { deletedId } }`;
  expect(await graph.query(query)).toEqual({ deleteWebhook: { deletedId: id } });
  expect(graph.calls('diligent').map(({ path }) => path)).toEqual([`/webhooks/${encodeURIComponent(externalId)}`]);
});
