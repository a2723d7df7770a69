import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { SourceError } from '../src/source-error.ts';
import { createUpstream } from '../src/upstream/http.ts';
import { createSharing } from '../src/upstream/sharing.ts';
import { createTenants } from '../src/upstream/tenants.ts';
import { reportQuery } from './support/faults.ts';
import { type Graph, openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { after, json, startUpstream } from './support/upstream.ts';

const rowsQuery = '{ webhooks { complete nodes { url } sources { state error { code } } } }';

afterEach(() => {
  vi.useRealTimers();
});

/** Asks with one key for both sources. */
async function ask(graph: Graph, key: string, query = reportQuery) {
  const headers = { 'x-apimall-api-key': key, 'x-diligent-api-key': key };
  return (await graph.answer(query, {}, headers)).data.webhooks;
}

function keyOf({ headers }: Parameters<RequestListener>[0]): string {
  return String(headers['x-api-key'] ?? headers.authorization?.slice('Bearer '.length));
}

/** Answers with a row that names whose key came, but for one call in so many with a fault; 0 is for none. */
function createOwned(faultEvery: number): RequestListener {
  let calls = 0;
  return async (request, response) => {
    calls += 1;
    const call = calls;
    const url = `https://${keyOf(request)}.test/`;
    await sleep(call % 7);
    if (call % (2 * faultEvery) === 0) return void request.socket.resetAndDestroy();
    if (call % faultEvery === 0) return json({}, 503)(request, response);
    const list = request.headers['x-api-key']
      ? json([diligentRow({ webhook_url: url })])
      : apimallList(apimallRow({ url }));
    return list(request, response);
  };
}

test('gives forty tenants at once no row but their own, whatever fails', async () => {
  await using graph = await openGraph({ apimall: createOwned(10), diligent: createOwned(10) }, { passthrough: true });
  const tenants = Array.from({ length: 40 }, (_, index) => `tenant${index}`);
  let whole = 0;
  for (let round = 0; round < 5; round++) {
    // Two requests each, so that there is what to share.
    const answers = [...tenants, ...tenants].map(async (tenant) => {
      const { complete, nodes } = await ask(graph, tenant, rowsQuery);
      for (const { url } of nodes) expect(url).toBe(`https://${tenant}.test/`);
      whole += Number(complete && nodes.length === 2);
    });
    await Promise.all(answers);
  }
  expect(whole).toBeGreaterThanOrEqual(0.95 * 400);
});

test('keeps tenants apart by what they share: one place for all would mix them', async () => {
  const { signal } = new AbortController();
  const own = ['a', 'b'].map((tenant) => createSharing().run('list', 100, signal, async () => tenant));
  expect(await Promise.all(own)).toEqual(['a', 'b']);
  const place = createSharing();
  const mixed = ['a', 'b'].map((tenant) => place.run('list', 100, signal, async () => tenant));
  expect(await Promise.all(mixed)).toEqual(['a', 'a']);
});

test('refuses a tenant its hundred and twenty-ninth call at once, and no other tenant any', async () => {
  const rows = json([diligentRow()]);
  const end = Promise.withResolvers<void>();
  const held = after(() => end.promise, rows);
  const listener: RequestListener = (...http) => (keyOf(http[0]) === 'greedy' ? held : rows)(...http);
  const options = { passthrough: true, shareInFlight: false, attemptTimeoutMs: 20_000, deadlineMs: 20_000 };
  await using graph = await openGraph({ diligent: listener }, options);
  const codes: string[] = [];
  const greedy = Array.from({ length: 200 }, async () => {
    const { sources } = await ask(graph, 'greedy');
    codes.push(sources[0].error?.code ?? 'OK');
  });
  await expect.poll(() => codes.length).toBe(200 - 128);
  expect(new Set(codes)).toEqual(new Set(['OVERLOADED']));
  await expect.poll(() => graph.calls('diligent').length).toBe(128);
  for (let turn = 0; turn < 10; turn++) expect((await ask(graph, `other${turn}`)).complete).toBe(true);
  end.resolve();
  await Promise.all(greedy);
  expect(codes.filter((code) => code === 'OK')).toHaveLength(128);
});

test('refuses the five hundred and thirteenth call, whosever it is, until one has ended', () => {
  const tenants = createTenants(() => {}, 1000);
  const begin = (key: string) => tenants.of({ key }).begin();
  const [end] = Array.from({ length: 512 }, (_, index) => begin(`tenant${index % 4}`));
  expect(() => begin('other')).toThrow(new SourceError('OVERLOADED'));
  end?.(null, 1);
  expect(() => begin('other')).not.toThrow();
});

test('gives back the room of a call that an open circuit refuses', () => {
  const tenants = createTenants(() => {}, 1000);
  const broken = tenants.of({ key: 'broken' });
  for (let calls = 0; calls < 8; calls++) broken.begin()(new SourceError('TIMEOUT'), 1);
  for (let calls = 0; calls < 600; calls++) expect(() => broken.begin()).toThrow(new SourceError('CIRCUIT_OPEN'));
});

test.each([
  ['shared', true],
  ['not shared', false],
])('gives others whole answers while one tenant asks two hundred times at once: %s', async (_name, shareInFlight) => {
  const listeners = { apimall: createOwned(0), diligent: createOwned(0) };
  await using graph = await openGraph(listeners, {
    passthrough: true,
    shareInFlight,
    deadlineMs: 20_000,
    attemptTimeoutMs: 20_000,
  });
  const noise = Array.from({ length: 200 }, () => ask(graph, 'noisy', rowsQuery));
  const quiet = Array.from({ length: 20 }, (_, index) => ask(graph, `quiet${index}`, rowsQuery));
  for (const { complete } of await Promise.all(quiet)) expect(complete).toBe(true);
  // The bound on calls that one key has is all that the noisy one meets.
  const refused = (await Promise.all(noise)).filter(({ complete }) => !complete);
  expect(refused.length > 0).toBe(!shareInFlight);
  for (const { sources } of refused) {
    for (const { error } of sources) expect(error?.code ?? 'OVERLOADED').toBe('OVERLOADED');
  }
});

test("leaves a tenant its retries when another's calls have used up their own", async () => {
  const turns = new Map<string, number>();
  const busy = json({}, 429, { 'retry-after': '0' });
  const listener: RequestListener = (request, response) => {
    const key = keyOf(request);
    const turn = (turns.get(key) ?? 0) + 1;
    turns.set(key, turn);
    if (key === 'busy') return busy(request, response);
    return (turn === 1 ? json({}, 503) : json([diligentRow()]))(request, response);
  };
  await using graph = await openGraph({ diligent: listener }, { passthrough: true });
  for (let turn = 0; turn < 20; turn++) await ask(graph, 'busy');
  // It has none left itself.
  expect(turns.get('busy')).toBeLessThan(20 * 3);
  expect((await ask(graph, 'other')).complete).toBe(true);
  expect(turns.get('other')).toBe(2);
});

test('knows a thousand tenants and forgets the longest unused', async () => {
  const changes: boolean[] = [];
  const tenants = createTenants((isOpen) => changes.push(isOpen), 1000);
  // A circuit that is open is told to be closed when it is let go of.
  const retired = () => changes.filter((isOpen) => !isOpen).length;
  const use = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => {
      const tenant = tenants.of({ key: String(from + index) });
      for (let calls = 0; calls < 8; calls++) tenant.begin()(new SourceError('TIMEOUT'), 1);
      return tenant;
    });
  const [first, second] = use(0, 1000);
  expect(tenants.of({ key: '0' })).toBe(first);
  expect(retired()).toBe(0);
  use(1000, 1500);
  expect(retired()).toBe(500);
  expect(tenants.of({ key: '0' })).toBe(first);
  expect(tenants.of({ key: '1' })).not.toBe(second);
});

test.each([
  [401, 'RATE_LIMITED'],
  [403, 'RATE_LIMITED'],
  // What was of use or not, an answer 404 does not tell.
  [404, 'OK'],
])('knows a limited key after a thousand others were answered %i: %s', async (status, told) => {
  let isLimited = true;
  await using graph = await openGraph(
    {
      diligent: (request, response) => {
        const limited = isLimited ? json({}, 429, { 'retry-after': '30' }) : json([diligentRow()]);
        return (request.headers['x-api-key'] === 'good' ? limited : json({}, status))(request, response);
      },
    },
    { passthrough: true },
  );
  const tell = async (key: string) => {
    const [{ state, error }] = (await ask(graph, key)).sources;
    return error?.code ?? state;
  };
  expect(await tell('good')).toBe('RATE_LIMITED');
  isLimited = false;
  for (let key = 0; key < 1100; key += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => tell(`guessed-${key + index}`)));
  }
  expect(await tell('good')).toBe(told);
});

test('serves fifteen hundred keys without a warning, and forgets their circuits', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  await using server = await startUpstream(json({}, 501));
  const upstream = createUpstream(server.url, {
    deadlineMs: 3000,
    attemptTimeoutMs: 2000,
    maxBytes: 1000,
    shareInFlight: true,
  });
  const reading = { read: () => null, problem: () => ({}), findVolatile: () => null };
  const read = (key: string) =>
    upstream
      .run('list', { key }, new AbortController().signal, (http) => http.getJson('/', reading))
      .catch((error) => (error instanceof SourceError ? error.fault.code : error));
  for (let turn = 0; turn < 9; turn++) await read('first');
  expect(await read('first')).toBe('CIRCUIT_OPEN');
  for (let key = 0; key < 1500; key++) expect(await read(String(key))).toBe('UPSTREAM_ERROR');
  expect(await read('first')).toBe('UPSTREAM_ERROR');
  await upstream.close();
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});
