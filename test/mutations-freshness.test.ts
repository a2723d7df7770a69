import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createUpstream } from '../src/upstream/http.ts';
import { encodeId } from '../src/webhook.ts';
import { askOften } from './support/again.ts';
import { change, createApi, mutationOf } from './support/changes.ts';
import { openGraphAt } from './support/faults.ts';
import { type GraphOptions, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after, json } from './support/upstream.ts';

const url = 'https://hooks.acme.example/new';
const id = encodeId('DiligentWebhook', 'diligent', 'a');
const active = json([diligentRow({ id: 'a', is_active: true })]);
const inactive = json([diligentRow({ id: 'a', is_active: false })]);
const changed = json(diligentRow({ id: 'a', is_active: false }));
const query = '{ webhooks { nodes { enabled } } }';

function openSwitch(options?: GraphOptions) {
  const api = createApi(active);
  api.writes((request, response) => {
    api.lists(inactive);
    changed(request, response);
  });
  return openGraph({ diligent: api.listener }, options).then((graph) => ({ ...graph, api }));
}

async function post(base: string, body: object, signal?: AbortSignal): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${base}/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal && { signal }),
  });
  return await response.text();
}

test('what was kept of answers is not shown any more at once, nor after that', async () => {
  await using graph = await openSwitch();
  await using server = await listen(graph.gateway);
  const kept = (await askOften(graph, query)).bytes;
  expect(JSON.parse(String(kept))).toEqual({ data: { webhooks: { nodes: [{ enabled: true }] } } });
  expect(JSON.parse(await post(server.url, { query })).data.webhooks.nodes).toEqual([{ enabled: true }]);
  const input = { id, isActive: false };
  const selection = 'webhook { enabled source { webhooks { nodes { enabled } } } }';
  const { payload } = await change(graph, 'updateDiligentWebhook', input, selection);
  expect(payload.webhook).toEqual({ enabled: false, source: { webhooks: { nodes: [{ enabled: false }] } } });
  for (let times = 0; times < 4; times++) {
    expect(JSON.parse(await post(server.url, { query })).data.webhooks.nodes).toEqual([{ enabled: false }]);
  }
  expect(String((await askOften(graph, query)).bytes)).toContain('false');
});

test.each([true, false])(
  'a read that began before a change is joined by nobody after it: shared %s',
  async (shareInFlight) => {
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await using graph = await openSwitch({ shareInFlight });
    graph.api.lists((request, response) => {
      begun.resolve();
      return after(() => held.promise, active)(request, response);
    });
    const before = graph.query(query);
    await begun.promise;
    const { codes } = await change(graph, 'updateDiligentWebhook', { id, isActive: false });
    expect(codes).toEqual([]);
    expect(await graph.query(query)).toEqual({ webhooks: { nodes: [{ enabled: false }] } });
    held.resolve();
    // It asked before, and may be told what was so then.
    expect(await before).toEqual({ webhooks: { nodes: [{ enabled: true }] } });
    expect(graph.calls('diligent').map(({ method }) => method)).toEqual(['GET', 'PATCH', 'GET']);
  },
);

test('a read that began while a change was under way is joined by nobody after it', async () => {
  const held = Promise.withResolvers<void>();
  const [written, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using graph = await openSwitch();
  graph.api.writes(async (request, response) => {
    written.resolve();
    await read.promise;
    graph.api.lists(inactive);
    changed(request, response);
  });
  graph.api.lists((request, response) => {
    read.resolve();
    return after(() => held.promise, active)(request, response);
  });
  const writing = change(graph, 'updateDiligentWebhook', { id, isActive: false });
  await written.promise;
  const reading = graph.query(query);
  await writing;
  expect(await graph.query(query)).toEqual({ webhooks: { nodes: [{ enabled: false }] } });
  held.resolve();
  await reading;
  expect(graph.calls('diligent').map(({ method }) => method)).toEqual(['PATCH', 'GET', 'GET']);
});

test('would be told what was so before, if the change were made where nobody knows of the read', async () => {
  const held = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using elsewhere = await openSwitch();
  elsewhere.api.lists((request, response) => {
    begun.resolve();
    return after(() => held.promise, active)(request, response);
  });
  const limits = { deadlineMs: 3000, attemptTimeoutMs: 2000, maxBytes: 10_000, shareInFlight: true };
  const base = elsewhere.upstreams.diligent?.url ?? '';
  const [reading, writing] = [createUpstream(base, limits), createUpstream(base, limits)];
  await using graph = await openGraphAt({ diligent: { ...reading, write: writing.write } });
  const before = graph.query(query);
  await begun.promise;
  await change(graph, 'updateDiligentWebhook', { id, isActive: false });
  const late = graph.query(query);
  await sleep(50);
  held.resolve();
  await before;
  expect(await late).toEqual({ webhooks: { nodes: [{ enabled: true }] } });
  await writing.close();
});

test('readers who ask together share one read without a change between them', async () => {
  const held = Promise.withResolvers<void>();
  await using graph = await openSwitch();
  graph.api.lists(after(() => held.promise, active));
  const readers = [graph.query(query), graph.query(query)];
  await sleep(50);
  held.resolve();
  await Promise.all(readers);
  expect(graph.calls('diligent').length).toBe(1);
});

test('a client that leaves does not cut the change that it asked for, of which is told', async () => {
  const begun = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  await using graph = await openSwitch();
  graph.api.writes((request, response) => {
    begun.resolve();
    return after(() => held.promise, changed)(request, response);
  });
  await using server = await listen(graph.gateway);
  const left = new AbortController();
  const twice = `mutation {
    one: updateDiligentWebhook(input: { id: "${id}", isActive: false }) { webhook { id } }
    two: updateDiligentWebhook(input: { id: "${id}", isActive: true }) { webhook { id } }
  }`;
  const asked = post(server.url, { query: twice }, left.signal);
  await begun.promise;
  left.abort();
  await expect(asked).rejects.toThrow();
  await sleep(50);
  expect(graph.writes).toEqual([]);
  held.resolve();
  await expect.poll(() => graph.writes.length).toBeGreaterThan(0);
  expect(await graph.calls('diligent')[0]?.ended).toBe('answered');
  expect(graph.writes[0]).toMatchObject({ action: 'update', id, outcome: 'DONE' });
  // Nobody waits for what comes after it, which is not begun.
  await sleep(50);
  expect(graph.api.sent.length).toBe(1);
  expect(graph.writes.slice(1).map(({ outcome }) => outcome)).not.toContain('DONE');
});

test('a circuit that is open refuses a change without a call, and says that it was not made', async () => {
  const api = createApi(json({}, 500), json({}, 500));
  await using graph = await openGraph({ diligent: api.listener });
  for (let times = 0; times < 8; times++) await change(graph, 'deleteWebhook', { id });
  const calls = graph.calls('diligent').length;
  const { payload } = await change(graph, 'createDiligentWebhook', { url });
  expect(payload).toMatchObject({
    userErrors: [{ code: 'SOURCE_FAILED' }],
    report: { error: { code: 'CIRCUIT_OPEN' } },
  });
  expect(graph.calls('diligent').length).toBe(calls);
  expect(api.sent.length).toBe(8);
  expect(graph.writes.length).toBe(9);
});

test('a change that is limited keeps the key from being used for as long as is asked', async () => {
  const api = createApi(apimallList(apimallRow()), json({}, 429, { 'retry-after': '20' }));
  await using graph = await openGraph({ apimall: api.listener });
  for (let times = 0; times < 3; times++) {
    const { data } = await graph.answer(mutationOf('createApiMallWebhook', 'report { error { retryAfterMs } }'), {
      input: { url, events: ['job.failed'] },
    });
    expect(data.createApiMallWebhook.userErrors).toMatchObject([{ code: 'RATE_LIMITED' }]);
    expect(data.createApiMallWebhook.report.error.retryAfterMs).toBeGreaterThan(10_000);
  }
  expect(graph.calls('apimall').length).toBe(1);
  expect(graph.writes.map(({ outcome }) => outcome)).toEqual(Array(3).fill('RATE_LIMITED'));
});
