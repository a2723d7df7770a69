import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { documentLimits } from '../src/limits.ts';
import { encodeId } from '../src/webhook.ts';
import { everyField } from './providers/every-field.ts';
import { startRaw } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const roomy = {
  documentLimits: { ...documentLimits, tokens: 20_000, aliases: 1000, cost: Number.POSITIVE_INFINITY },
  deliveryPayloads: true,
};

test('connects to no host that a webhook names, whatever is asked of it', async () => {
  await using trap = await startRaw((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
  const { host } = new URL(trap.url);
  const urls = [
    trap.url,
    `${trap.url}/hook?a=b`,
    `http://user:secret@${host}/`,
    `http://LOCALHOST:${new URL(trap.url).port}`,
  ];
  await using graph = await openGraph(
    {
      apimall: apimallList(...urls.map((url, id) => apimallRow({ id: id + 1, url, last_error: `see ${url}` }))),
      diligent: json(urls.map((url, id) => diligentRow({ id: `d${id}`, webhook_url: url }))),
    },
    roomy,
  );
  const id = encodeId('ApiMallWebhook', 'apimall', '1');
  const document = `query ($id: ID!) {
    all: webhooks ${everyField('WebhookConnection')}
    some: webhooks(filter: { host: ["127.0.0.1", "localhost"], urlContains: "hook" }, orderBy: { field: URL }) { totalCount }
    webhook(id: $id) { id url host }
    node(id: $id) { id }
  }`;
  const { all, webhook } = await graph.query(document, { id });
  expect(all.totalCount).toBe(2 * urls.length);
  expect(webhook).toEqual({ id, url: trap.url, host: '127.0.0.1' });
  await sleep(200);
  expect(trap.sockets).toEqual([]);
  // It would have heard of it.
  await fetch(trap.url);
  expect(trap.sockets).toHaveLength(1);
});
