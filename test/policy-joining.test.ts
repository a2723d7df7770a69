import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { SourceReport } from '../src/request-source.ts';
import { SourceError } from '../src/source-error.ts';
import { createSharing, type Terms } from '../src/upstream/sharing.ts';
import { type Graph, openContext, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { after, createBarrier, hang, json } from './support/upstream.ts';

const rows = json([diligentRow()]);

/** Reads the first source for one more caller: whatever there is to join, it has joined when this returns. */
function read(graph: Graph): Promise<SourceReport> {
  const { sources } = openContext(graph.sources, 'test-key', new AbortController().signal);
  const [opened] = sources.values();
  if (!opened) throw new Error('No source');
  return opened.read();
}

function told({ state, error }: SourceReport): string {
  return error?.code ?? state;
}

/** Answers the calls with one listener after the other, each when it is let go. */
function createTurns(...listeners: readonly RequestListener[]) {
  const gates = listeners.map(() => Promise.withResolvers<void>());
  let turn = 0;
  const listener: RequestListener = async (...http) => {
    const own = turn++;
    await gates[own]?.promise;
    listeners[own]?.(...http);
  };
  return { listener, letGo: (call: number) => gates[call]?.resolve() };
}

test.concurrent.each([
  ['a try of its own', true, ['UPSTREAM_ERROR', 'OK']],
  ['nothing where it did not join', false, ['UPSTREAM_ERROR', 'UPSTREAM_ERROR']],
])('gives who joined a call that failed %s', async (_name, shareInFlight, expected) => {
  const fault = json({}, 501);
  const turns = createTurns(fault, shareInFlight ? rows : fault);
  await using graph = await openGraph({ diligent: turns.listener }, { shareInFlight });
  const reports = [read(graph), read(graph)];
  turns.letGo(0);
  turns.letGo(1);
  expect((await Promise.all(reports)).map(told)).toEqual(expected);
  expect(graph.calls('diligent')).toHaveLength(2);
});

test.concurrent('makes one more call for all who joined a call that failed', async () => {
  const turns = createTurns(json({}, 501), rows);
  await using graph = await openGraph({ diligent: turns.listener });
  const reports = Array.from({ length: 20 }, () => read(graph));
  turns.letGo(0);
  turns.letGo(1);
  expect((await Promise.all(reports)).map(told)).toEqual(['UPSTREAM_ERROR', ...Array(19).fill('OK')]);
  expect(graph.calls('diligent')).toHaveLength(2);
});

test.concurrent.each([
  ['UNAUTHORIZED', json({}, 401)],
  ['FORBIDDEN', json({}, 403)],
  ['NOT_FOUND', json({}, 404)],
  ['BAD_RESPONSE', json({})],
])('tells everyone %s after one call', async (code, listener) => {
  const turns = createTurns(listener, rows);
  await using graph = await openGraph({ diligent: turns.listener });
  const reports = Array.from({ length: 20 }, () => read(graph));
  turns.letGo(0);
  expect((await Promise.all(reports)).map(told)).toEqual(Array(20).fill(code));
  expect(graph.calls('diligent')).toHaveLength(1);
});

test.concurrent.each([
  ['answered within it', rows, 'OK', 0],
  ['not answered', hang, 'TIMEOUT', 850],
])('gives who joined its own deadline: %s', async (_name, second, expected, atLeastMs) => {
  const deadlineMs = 1000;
  const turns = createTurns(hang, second);
  turns.letGo(1);
  await using graph = await openGraph({ diligent: turns.listener }, { deadlineMs, attemptTimeoutMs: 20_000 });
  const first = read(graph);
  await sleep(500);
  const joined = performance.now();
  const report = read(graph);
  expect(graph.calls('diligent')).toHaveLength(1);
  expect(told(await first)).toBe('TIMEOUT');
  // Half of its time was left when the call that it had joined was given up.
  expect(told(await report)).toBe(expected);
  expect(performance.now() - joined).toBeLessThan(deadlineMs + slackMs);
  expect(performance.now() - joined).toBeGreaterThan(atLeastMs);
  expect(graph.calls('diligent')).toHaveLength(2);
});

test.concurrent('gives up a joiner at its own deadline, and no other joiner with it', async () => {
  const sharing = createSharing();
  const { signal } = new AbortController();
  const begun = Promise.withResolvers<string>();
  const answerIn300Ms = async ({ ms }: Terms) => {
    await sleep(Math.min(ms, 300));
    if (ms <= 300) throw new SourceError('TIMEOUT');
    return 'whole';
  };
  const first = sharing.run('list', 3000, signal, () => begun.promise);
  const hasty = sharing.run('list', 100, signal, answerIn300Ms);
  const patient = sharing.run('list', 3000, signal, answerIn300Ms);
  begun.reject(new SourceError('UPSTREAM_ERROR'));
  await expect(first).rejects.toMatchObject({ fault: { code: 'UPSTREAM_ERROR' } });
  await expect(hasty).rejects.toMatchObject({ fault: { code: 'TIMEOUT' } });
  expect(await patient).toBe('whole');
});

test.concurrent('ends a try as one that took too long where the last who waits for it gives up', async () => {
  const sharing = createSharing();
  const stays = new AbortController().signal;
  const leaver = new AbortController();
  const ended = Promise.withResolvers<unknown>();
  const hangs = ({ signal }: Terms) =>
    new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => {
        ended.resolve(signal.reason);
        reject(signal.reason);
      });
    });
  const begun = Promise.withResolvers<string>();
  const first = sharing.run('list', 3000, stays, () => begun.promise);
  const hasty = sharing.run('list', 100, stays, hangs);
  const leaving = sharing.run('list', 3000, leaver.signal, hangs);
  begun.reject(new SourceError('UPSTREAM_ERROR'));
  await expect(first).rejects.toMatchObject({ fault: { code: 'UPSTREAM_ERROR' } });
  leaver.abort();
  await expect(leaving).rejects.toBe(leaver.signal.reason);
  await expect(hasty).rejects.toMatchObject({ fault: { code: 'TIMEOUT' } });
  expect(await ended.promise).toMatchObject({ fault: { code: 'TIMEOUT' } });
});

/** Answers with full pages of one row, up to the last, which has none. */
function pages(count: number, everyMs = 0): RequestListener {
  return async (request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://upstream.test').searchParams.get('page') ?? 1);
    if (everyMs > 0) await sleep(everyMs);
    const items = page < count ? [apimallRow({ id: page })] : [];
    json({ success: true, data: { items, page, limit: 1 } })(request, response);
  };
}

test.concurrent.each([
  ['once for all', true, 20],
  ['for each where they are not to share', false, 5 * 20],
])('reads twenty pages %s', async (_name, shareInFlight, calls) => {
  // No page is answered before everyone has asked.
  const asked = createBarrier(shareInFlight ? 1 : 5);
  await using graph = await openGraph({ apimall: after(asked, pages(20)) }, { shareInFlight });
  const reports = await Promise.all(Array.from({ length: 5 }, () => read(graph)));
  for (const report of reports) expect([report.state, report.rows.length]).toEqual(['OK', 19]);
  expect(graph.calls('apimall')).toHaveLength(calls);
});

test.concurrent('keeps the pages that came before the deadline for all who share them', async () => {
  await using graph = await openGraph({ apimall: pages(20, 200) }, { deadlineMs: 500 });
  const reports = await Promise.all([read(graph), read(graph), read(graph)]);
  for (const { state, error, rows: read } of reports) {
    expect([state, error?.code]).toEqual(['PARTIAL', 'TIMEOUT']);
    expect(read.map(({ externalId }) => externalId)).toEqual(['1', '2'].slice(0, read.length));
    expect(read.length).toBeGreaterThan(0);
  }
  expect(graph.calls('apimall').filter(({ path }) => path === '/webhooks')).toHaveLength(1);
});

test.concurrent('keeps the pages that came before the deadline in the own try of who joined', async () => {
  const turns = createTurns(json({}, 501));
  let failed = false;
  const listener: RequestListener = (...http) => {
    const next = failed ? pages(20, 100) : turns.listener;
    failed = true;
    next(...http);
  };
  await using graph = await openGraph({ apimall: listener }, { deadlineMs: 700 });
  const first = read(graph);
  await sleep(100);
  const joined = read(graph);
  turns.letGo(0);
  expect(told(await first)).toBe('UPSTREAM_ERROR');
  expect(await joined).toMatchObject({ state: 'PARTIAL', error: { code: 'TIMEOUT' } });
  expect((await joined).rows.length).toBeGreaterThan(0);
});

test.concurrent('asks anew once all was answered', async () => {
  let sent = 0;
  await using graph = await openGraph({
    apimall: (...http) => apimallList(apimallRow({ id: ++sent }))(...http),
  });
  const reports = [await read(graph), await read(graph)];
  expect(reports.map(({ rows: [row] }) => row?.externalId)).toEqual(['1', '2']);
});
