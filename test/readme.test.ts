import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createAuthentication } from '../src/auth/authentication.ts';
import { describeVariables, readConfig } from '../src/config.ts';
import { providers } from '../src/providers/index.ts';
import { encodeId } from '../src/webhook.ts';
import { type Answer, openGraph } from './support/graph.ts';
import { readmeBlocks } from './support/readme.ts';

type Row = NonNullable<Answer['data']>;

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

const nameOf = (document: string) => /^(?:query|mutation) (\w+)/.exec(document)?.[1] ?? '';
const acting = readmeBlocks('graphql', 'Act on webhooks');
const queries = readmeBlocks('graphql')
  .filter((document) => !acting.includes(document))
  .map((document) => [nameOf(document), document] as const);

test('shows queries', () => {
  expect(queries.map(([name]) => name)).toEqual(['WhatFails', 'NextPage', 'OneHost', 'ById', 'AsTheyCome']);
});

test('shows how to find the webhook that fails, see its deliveries, send one again, and switch it off', async () => {
  await using graph = await openGraph();
  const [find = '', see = '', redeliver = '', disable = ''] = acting;
  expect(acting.map(nameOf)).toEqual(['FindFailing', 'SeeDeliveries', 'Redeliver', 'Disable']);

  const { webhooks } = await graph.query(find);
  const failing = webhooks.nodes.find(({ failureSummary }: Row) => failureSummary?.consecutiveFailures > 0);
  expect(webhooks.complete).toBe(true);

  const { deliveries } = (await graph.query(see, failing)).webhook;
  expect(deliveries).toMatchObject({ totalCount: failing.failureSummary.consecutiveFailures, complete: true });
  const [newest] = deliveries.nodes;

  const { webhook: sent, userErrors } = (await graph.query(redeliver, newest)).redeliverWebhookDelivery;
  expect(userErrors).toEqual([]);
  expect(sent).toMatchObject({ id: failing.id, deliveries: { complete: true } });
  expect(sent.deliveries.nodes[0].id).not.toBe(newest.id);

  const { updateDiligentWebhook } = await graph.query(disable, failing);
  expect(updateDiligentWebhook).toEqual({
    webhook: { id: failing.id, enabled: false, health: 'DISABLED' },
    userErrors: [],
  });
  expect((await graph.query(find)).webhooks.nodes.map(({ id }: Row) => id)).not.toContain(failing.id);
});

test.each(queries)('shows a query %s that the sandbox answers whole', async (_name, document) => {
  await using graph = await openGraph();
  const data = await graph.query(document, { id: encodeId('ApiMallWebhook', 'apimall', '8') });
  expect(JSON.stringify(data)).not.toContain('"complete":false');
  expect(Object.values(data)).not.toContain(null);
});

test('shows the answer that its first query gets while Diligent cannot be reached', async () => {
  await using graph = await openGraph();
  await graph.upstreams.diligent?.stop();
  const [shown = ''] = readmeBlocks('json');
  expect(await graph.answer(queries[0]?.[1] ?? '')).toEqual(JSON.parse(shown));
});

test('shows a request that works as it stands', async () => {
  await using graph = await openGraph();
  const [, body = ''] = /-d '(\{.*\})'/.exec(readme) ?? [];
  const data = await graph.query(JSON.parse(body).query);
  expect(data.webhooks.nodes).toHaveLength(5);
});

test('shows tokens that are taken as they stand', async () => {
  const [, entry = ''] = /GATEWAY_TOKENS='([^']*)'/.exec(readme) ?? [];
  const [, header = ''] = /authorization: (Bearer \w+)'/.exec(readme) ?? [];
  const { auth } = readConfig(providers, { GATEWAY_TOKENS: entry });
  const authentication = auth && createAuthentication(auth, () => {});
  expect(await authentication?.identify([header])).toEqual({ name: 'my-app', scopes: new Set(['webhooks:read']) });
  const [command = ''] = readmeBlocks('sh', 'Who may call');
  const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(Object.keys(scripts)).toContain(command.trim().split(' ').at(-1));
});

test('lists exactly the variables that the program reads, with their defaults', () => {
  const rows = [...readme.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(([, name = '', fallback = '']) => [
    name,
    fallback,
  ]);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(describeVariables(providers)));
});
