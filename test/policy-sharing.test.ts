import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SourceReport } from '../src/request-source.ts';
import { createSharing } from '../src/upstream/sharing.ts';
import { asProvider, openGraphAt, reportQuery } from './support/faults.ts';
import { type Graph, openContext, openGraph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { hang, json, startUpstream } from './support/upstream.ts';

/** Keeps every call until it is let go, and answers with a row whose id is the number of the call, from 1. */
function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let calls = 0;
  const answer = async (row: (fields: { id: number }) => object, wrap: (rows: object[]) => unknown, call: number) => {
    await promise;
    return json(wrap([row({ id: call })]));
  };
  const gated = (row: (fields: { id: number }) => object, wrap: (rows: object[]) => unknown): RequestListener => {
    return async (...http) => (await answer(row, wrap, ++calls))(...http);
  };
  const listener = asProvider({
    apimall: gated(apimallRow, (rows) => ({ success: true, data: rows })),
    diligent: gated(diligentRow, (rows) => rows),
  });
  return { listener, open: resolve };
}

interface Reading {
  readonly source?: string;
  readonly key?: string;
  readonly signal?: AbortSignal;
}

/** Reads a source for one more caller: whatever there is to join, it has joined when this returns. */
function read(graph: Graph, { source = 'diligent', key = 'test-key', signal }: Reading = {}): Promise<SourceReport> {
  const { sources } = openContext(graph.sources, key, signal ?? new AbortController().signal);
  const opened = sources.get(source);
  if (!opened) throw new Error(`No source ${source}`);
  return opened.read();
}

function ids({ rows }: SourceReport): readonly string[] {
  return rows.map(({ externalId }) => externalId);
}

async function called(graph: Graph, calls: number, source = 'diligent'): Promise<void> {
  await expect.poll(() => graph.calls(source).length, { interval: 2 }).toBe(calls);
}

test.each([
  ['one call for all', true, 1],
  ['a call each where they are not to share', false, 20],
])('makes of twenty requests at the same time %s', async (_name, shareInFlight, calls) => {
  const gate = createGate();
  await using graph = await openGraph({ diligent: gate.listener }, { shareInFlight });
  const answers = Array.from({ length: 20 }, () => graph.query(reportQuery));
  await called(graph, calls);
  await sleep(100);
  gate.open();
  for (const { webhooks } of await Promise.all(answers)) {
    expect(webhooks).toMatchObject({ totalCount: 1, complete: true });
  }
  expect(graph.calls('diligent')).toHaveLength(calls);
});

test.each([
  ['before the headers of an answer shares it', false, ['1'], 1],
  ['after the headers of an answer gets a newer one', true, ['2'], 2],
])('a request that comes %s', async (_name, headersSent, second, calls) => {
  const gate = Promise.withResolvers<void>();
  let state = 0;
  await using graph = await openGraph({
    diligent: async (_request, response) => {
      const id = ++state;
      response.writeHead(200, { 'content-type': 'application/json' });
      if (headersSent) response.flushHeaders();
      await gate.promise;
      response.end(JSON.stringify([diligentRow({ id })]));
    },
  });
  const first = read(graph);
  await called(graph, 1);
  // What flushed headers there are have come by now.
  await sleep(50);
  const later = read(graph);
  if (headersSent) await called(graph, 2);
  gate.resolve();
  expect([ids(await first), ids(await later)]).toEqual([['1'], second]);
  expect(graph.calls('diligent')).toHaveLength(calls);
});

test('shares nothing between two keys', async () => {
  const gate = createGate();
  await using graph = await openGraph({ diligent: gate.listener });
  const keys = ['a', 'b', 'a', 'b'];
  const reports = keys.map((key) => read(graph, { key }));
  await called(graph, 2);
  gate.open();
  const [a, b, again, bAgain] = (await Promise.all(reports)).map(ids);
  expect([again, bAgain]).toEqual([a, b]);
  expect(a).not.toEqual(b);
  expect(graph.calls('diligent').map(({ headers }) => headers['x-api-key'])).toEqual(['a', 'b']);
});

test('shares nothing between two sources with one address and one key', async () => {
  const gate = createGate();
  await using upstream = await startUpstream(gate.listener);
  await using graph = await openGraphAt({ apimall: upstream.url, diligent: upstream.url });
  const reports = ['apimall', 'diligent', 'apimall', 'diligent'].map((source) => read(graph, { source }));
  await expect.poll(() => upstream.calls.length).toBe(2);
  gate.open();
  const [apimall, diligent] = await Promise.all(reports);
  expect([apimall?.rows[0]?.source, diligent?.rows[0]?.source]).toEqual(['apimall', 'diligent']);
  expect(upstream.calls).toHaveLength(2);
});

test.each([0, 1])(
  'ends a shared call when the last caller leaves, not before: caller %i is the first',
  async (first) => {
    await using graph = await openGraph({ diligent: hang });
    const callers = [new AbortController(), new AbortController()];
    const reports = callers.map(({ signal }) => read(graph, { signal }));
    await called(graph, 1);
    const ended = graph.calls('diligent')[0]?.ended;
    callers[first]?.abort();
    expect(await reports[first]).toMatchObject({ state: 'FAILED' });
    expect(await Promise.race([ended, sleep(200, 'under way')])).toBe('under way');
    callers[1 - first]?.abort();
    expect(await Promise.race([ended, sleep(600 + slackMs, 'under way')])).toBe('left');
    await Promise.all(reports);
  },
);

test.each([0, 1])('gives the caller that stays its answer when caller %i leaves', async (leaving) => {
  const gate = createGate();
  await using graph = await openGraph({ diligent: gate.listener });
  const callers = [new AbortController(), new AbortController()];
  const reports = callers.map(({ signal }) => read(graph, { signal }));
  await called(graph, 1);
  callers[leaving]?.abort();
  await reports[leaving];
  gate.open();
  expect(await reports[1 - leaving]).toMatchObject({ state: 'OK', rows: [{ externalId: '1' }] });
  expect(graph.calls('diligent')).toHaveLength(1);
});

test('lets nobody join what the last caller has left', async () => {
  const sharing = createSharing();
  const patience = new AbortController().signal;
  const caller = new AbortController();
  // Work that takes its time to end.
  const left = sharing.run('list', 3000, caller.signal, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    await sleep(50);
    throw signal.reason;
  });
  caller.abort();
  await expect(left).rejects.toBe(caller.signal.reason);
  expect(await sharing.run('list', 3000, patience, async () => 'new')).toBe('new');
});

test('lets those join who come before the last caller has left', async () => {
  const sharing = createSharing();
  const caller = new AbortController();
  const work = Promise.withResolvers<string>();
  const left = sharing.run('list', 3000, caller.signal, () => work.promise);
  const joined = sharing.run('list', 3000, new AbortController().signal, async () => 'new');
  caller.abort();
  await expect(left).rejects.toBe(caller.signal.reason);
  work.resolve('shared');
  expect(await joined).toBe('shared');
});
