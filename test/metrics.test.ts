import type { RequestListener } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { silentLog } from '../src/log.ts';
import { createMetrics } from '../src/metrics.ts';
import { SourceError } from '../src/source-error.ts';
import { createTelemetry } from '../src/telemetry.ts';
import { createBreaker } from '../src/upstream/breaker.ts';
import type { Webhook } from '../src/webhook.ts';
import { type GraphOptions, openGraph } from './support/graph.ts';
import { ask, startProgram } from './support/program.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after, hang, json } from './support/upstream.ts';

/** A scrape by its series, as they are written: `name{label="value"}`. */
type Scrape = ReadonlyMap<string, number>;

const series = /^([a-z_][a-z_\d]*(?:\{(?:[a-z]+="[^"\\\n]*",?)+\})?) (-?[\d.e+-]+|Nan)$/;

/** Reads the text format, strictly: each series once, and under a type and a help of its own. */
function readScrape(text: string): Scrape {
  const found = new Map<string, number>();
  const described = new Set<string>();
  for (const line of text.split('\n').filter((it) => it !== '')) {
    const [, word, about = ''] = /^# (HELP|TYPE) (\w+) \S/.exec(line) ?? [];
    if (word) described.add(`${word} ${about}`);
    if (word) continue;
    const [, name = '', value] = series.exec(line) ?? [];
    const family = name.replace(/\{.*/, '').replace(/_(bucket|sum|count)$/, '');
    const isDescribed = [family, name.replace(/\{.*/, '')].some(
      (it) => described.has(`TYPE ${it}`) && described.has(`HELP ${it}`),
    );
    if (name === '' || found.has(name) || !isDescribed) throw new Error(`No line of a scrape: ${line}`);
    found.set(name, Number(value));
  }
  return found;
}

type MeasuredOptions = GraphOptions & { readonly webhooks?: boolean; readonly requestDeadlineMs?: number };

async function openMeasured(
  upstreams: Readonly<Record<string, RequestListener | 'sandbox'>>,
  { webhooks = true, requestDeadlineMs = 10_000, ...options }: MeasuredOptions = {},
) {
  const metrics = createMetrics({ version: '1.2.3', sources: ['apimall', 'diligent'], webhooks });
  const telemetry = createTelemetry({ log: silentLog, metrics, beginTrace: null });
  const graph = await openGraph(upstreams, { observe: telemetry.observe, onListed: telemetry.listed, ...options });
  const server = await listen(graph.gateway, { metrics, telemetry, requestDeadlineMs });
  const scrape = async () => readScrape(await (await fetch(`${server.url}/metrics`)).text());
  return {
    url: `${server.url}/graphql`,
    graph,
    scrape,
    /** What changed while `work` was done, of what is ours; times are left out. */
    async during(work: () => Promise<unknown>): Promise<Record<string, number>> {
      const before = await scrape();
      await work();
      const changes = [...(await scrape())].flatMap(([name, value]) => {
        const change = value - (before.get(name) ?? 0);
        return /^hookgraph_(?!.*(_bucket|_sum|_seconds\{|route="probe"))/.test(name) && change !== 0
          ? [[name, change]]
          : [];
      });
      return Object.fromEntries(changes);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await graph[Symbol.asyncDispose]();
    },
  };
}

const query = '{ webhooks { totalCount complete } }';

test('has each series of a known source from the start, at 0, and no other', async () => {
  await using measured = await openMeasured({ apimall: 'sandbox' });
  const ours = [...(await measured.scrape())].filter(([name]) => name.startsWith('hookgraph_'));
  const started = Object.fromEntries(ours.filter(([name]) => !/_bucket|_sum/.test(name)));
  expect(started).toMatchObject({
    'hookgraph_build_info{version="1.2.3"}': 1,
    hookgraph_requests_in_flight: 0,
    hookgraph_requests_shed_total: 0,
    'hookgraph_operation_duration_seconds_count{type="query",outcome="failed"}': 0,
    'hookgraph_source_calls_total{source="apimall",outcome="OK"}': 0,
    'hookgraph_source_calls_total{source="diligent",outcome="TIMEOUT"}': 0,
    'hookgraph_source_reads_total{source="apimall",state="PARTIAL"}': 0,
    'hookgraph_source_faults_total{source="apimall",code="CIRCUIT_OPEN"}': 0,
    'hookgraph_source_retries_total{source="apimall"}': 0,
    'hookgraph_source_joins_total{source="apimall"}': 0,
    'hookgraph_source_circuits_open{source="apimall"}': 0,
    'hookgraph_source_writes_total{source="diligent",action="create",outcome="OUTCOME_UNKNOWN"}': 0,
  });
  expect(ours.length).toBeLessThan(300);
  expect((await measured.scrape()).get('nodejs_eventloop_lag_p99_seconds')).toBeTypeOf('number');
});

test('counts a whole answer, and what was read for it', async () => {
  await using measured = await openMeasured({
    apimall: apimallList(apimallRow(), apimallRow({ id: 9, last_error: 'HTTP 500' })),
    diligent: json([diligentRow()]),
  });
  const changes = await measured.during(() => ask(measured.url, query));
  expect(changes).toEqual({
    'hookgraph_http_request_duration_seconds_count{route="graphql",status="200"}': 1,
    'hookgraph_operation_duration_seconds_count{type="query",outcome="whole"}': 1,
    ...Object.fromEntries(
      ['apimall', 'diligent'].flatMap((source) => [
        [`hookgraph_source_calls_total{source="${source}",outcome="OK"}`, 1],
        [`hookgraph_source_call_duration_seconds_count{source="${source}"}`, 1],
        [`hookgraph_source_reads_total{source="${source}",state="OK"}`, 1],
      ]),
    ),
    'hookgraph_webhooks{source="apimall",health="HEALTHY"}': 1,
    'hookgraph_webhooks{source="apimall",health="FAILING"}': 1,
    'hookgraph_webhooks{source="diligent",health="HEALTHY"}': 1,
  });
  const scrape = await measured.scrape();
  const newest = Date.parse('2026-07-31T02:51:34.155Z') / 1000;
  expect(scrape.get('hookgraph_newest_delivery_timestamp_seconds{source="diligent"}')).toBe(newest);
  const readAt = scrape.get('hookgraph_source_read_timestamp_seconds{source="apimall"}') ?? 0;
  expect(Math.abs(Date.now() / 1000 - readAt)).toBeLessThan(60);
});

test('counts what failed, by code, each call and each retry, and the answer as in part', async () => {
  await using measured = await openMeasured({
    apimall: apimallList(apimallRow()),
    diligent: (request) => request.socket.resetAndDestroy(),
  });
  const changes = await measured.during(() => ask(measured.url, query));
  expect(changes).toMatchObject({
    'hookgraph_operation_duration_seconds_count{type="query",outcome="partial"}': 1,
    'hookgraph_source_calls_total{source="diligent",outcome="UNREACHABLE"}': 3,
    'hookgraph_source_retries_total{source="diligent"}': 2,
    'hookgraph_source_reads_total{source="diligent",state="FAILED"}': 1,
    'hookgraph_source_faults_total{source="diligent",code="UNREACHABLE"}': 1,
  });
  expect(Object.keys(changes).filter((name) => name.startsWith('hookgraph_webhooks{source="diligent"'))).toEqual([]);
});

test('counts reads that joined a call, requests in flight, and clients that left', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using measured = await openMeasured({ apimall: after(() => released, apimallList(apimallRow())) });
  const value = async (name: string) => (await measured.scrape()).get(name);
  const changes = await measured.during(async () => {
    const first = ask(measured.url, query);
    await expect.poll(() => measured.graph.calls('apimall').length).toBe(1);
    const leaver = new AbortController();
    const left = fetch(measured.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
      signal: leaver.signal,
    }).catch(() => 'left');
    await expect.poll(() => value('hookgraph_source_joins_total{source="apimall"}')).toBe(1);
    expect(await value('hookgraph_requests_in_flight')).toBe(2);
    leaver.abort();
    await left;
    await expect.poll(() => value('hookgraph_requests_in_flight')).toBe(1);
    release();
    await first;
  });
  expect(changes).toMatchObject({
    'hookgraph_http_request_duration_seconds_count{route="graphql",status="200"}': 1,
    'hookgraph_http_request_duration_seconds_count{route="graphql",status="499"}': 1,
    'hookgraph_operation_duration_seconds_count{type="query",outcome="left"}': 1,
    'hookgraph_source_calls_total{source="apimall",outcome="OK"}': 1,
    'hookgraph_source_joins_total{source="apimall"}': 1,
    'hookgraph_source_reads_total{source="apimall",state="OK"}': 1,
  });
});

test('counts an answer that took too long as failed, and what was still being read as nothing', async () => {
  await using measured = await openMeasured({ apimall: hang }, { requestDeadlineMs: 100 });
  const changes = await measured.during(() => ask(measured.url, query));
  expect(changes).toEqual({
    'hookgraph_http_request_duration_seconds_count{route="graphql",status="504"}': 1,
    'hookgraph_operation_duration_seconds_count{type="query",outcome="failed"}': 1,
    'hookgraph_source_calls_total{source="apimall",outcome="CANCELLED"}': 1,
    'hookgraph_source_call_duration_seconds_count{source="apimall"}': 1,
  });
});

test('shows the circuits that are open', async () => {
  await using measured = await openMeasured({ apimall: json({}, 501) });
  const changes = await measured.during(async () => {
    for (let calls = 0; calls < 25; calls += 1) await ask(measured.url, query);
  });
  expect(changes).toMatchObject({
    'hookgraph_source_circuits_open{source="apimall"}': 1,
    'hookgraph_source_faults_total{source="apimall",code="CIRCUIT_OPEN"}': expect.any(Number),
    'hookgraph_operation_duration_seconds_count{type="query",outcome="failed"}': 25,
  });
  expect(changes['hookgraph_source_calls_total{source="apimall",outcome="UPSTREAM_ERROR"}']).toBeLessThan(25);
});

test('shows no circuit that is open where its key was forgotten', () => {
  const changes: boolean[] = [];
  const breaker = createBreaker((isOpen) => changes.push(isOpen));
  for (let calls = 0; calls < 8; calls += 1) breaker.begin()(new SourceError('TIMEOUT'), 1);
  expect(changes).toEqual([true]);
  breaker.retire();
  expect(changes).toEqual([true, false]);
});

test('counts what is refused apart, whatever clients make up, without a series for it', async () => {
  await using measured = await openMeasured({ apimall: hang });
  const make = async (number: number) => {
    await ask(measured.url, `query Made${number} { nothing }`, { 'x-request-id': `made-${number}` });
    await ask(measured.url, `{ webhook(id: "${number}") { id } }`);
    await (await fetch(`${measured.url}-${number}`)).text();
  };
  const names = async () => [...(await measured.scrape()).keys()].filter((name) => name.startsWith('hookgraph_'));
  await make(0);
  await names();
  const before = await names();
  const changes = await measured.during(async () => {
    for (let number = 1; number <= 20; number += 1) await make(number);
  });
  expect(changes).toEqual({
    'hookgraph_http_request_duration_seconds_count{route="graphql",status="200"}': 40,
    'hookgraph_http_request_duration_seconds_count{route="other",status="404"}': 20,
    'hookgraph_operation_duration_seconds_count{type="query",outcome="refused"}': 40,
  });
  expect(await names()).toEqual(before);
});

/** Tells metrics of lists of webhooks of one source, and shows what a scrape says of them: how many, and when they were read. */
function openLists() {
  const metrics = createMetrics({ version: '1.2.3', sources: ['apimall'], webhooks: true });
  const { listed } = createTelemetry({ log: silentLog, metrics, beginTrace: null });
  const healthy = { health: 'HEALTHY', lastDelivery: null } as Webhook;
  return {
    list(serial: number, count: number, at: number) {
      const rows = Array<Webhook>(count).fill(healthy);
      listed({ source: 'apimall', rows, serial, at });
      return rows;
    },
    async counted() {
      const scrape = readScrape(await metrics.text());
      const of = (name: string) => scrape.get(`hookgraph_${name}`);
      return [of('webhooks{source="apimall",health="HEALTHY"}'), of('source_read_timestamp_seconds{source="apimall"}')];
    },
  };
}

test('counts the webhooks that were read last, at a scrape before the event loop goes round', async () => {
  const { list, counted } = openLists();
  list(1, 3, 1000);
  list(2, 5, 2000);
  expect(await counted()).toEqual([5, 2]);
});

test('counts no list again, and holds none once the event loop went round', async () => {
  const { list, counted } = openLists();
  const rows = list(1, 7, 1000);
  await setImmediate();
  rows.length = 0;
  expect(await counted()).toEqual([7, 1]);
  list(2, 9, 2000);
  list(1, 0, 3000);
  await setImmediate();
  expect(await counted()).toEqual([7, 3]);
});

test('counts webhooks where the log of one is read after them', async () => {
  await using measured = await openMeasured({ diligent: 'sandbox' });
  const logs = '{ webhooks { nodes { ... on DiligentWebhook { deliveries { totalCount } } } } }';
  await ask(measured.url, logs);
  const scrape = await measured.scrape();
  const { nodes } = (await measured.graph.query('{ webhooks { nodes { health } } }')).webhooks;
  const healthy = nodes.filter(({ health }: { health: string }) => health === 'HEALTHY').length;
  expect(healthy).toBeGreaterThan(0);
  expect(scrape.get('hookgraph_webhooks{source="diligent",health="HEALTHY"}')).toBe(healthy);
});

test('shows nothing of webhooks where keys are those of callers', async () => {
  await using measured = await openMeasured(
    { apimall: apimallList(apimallRow()) },
    { webhooks: false, passthrough: true },
  );
  await ask(measured.url, query, { 'x-apimall-api-key': 'k' });
  const scrape = await measured.scrape();
  expect(scrape.get('hookgraph_source_reads_total{source="apimall",state="OK"}')).toBe(1);
  expect([...scrape.keys()].filter((name) => /hookgraph_(webhooks|newest|source_read_time)/.test(name))).toEqual([]);
});

test('serves metrics on METRICS_PORT and nothing else there, nor them beside the graph', async () => {
  await using program = await startProgram({ METRICS_PORT: '0' });
  const url = String(program.lines()[0]?.metrics);
  expect(new URL(url).port).not.toBe(new URL(program.url).port);
  await ask(program.url, query);
  const scrape = readScrape(await (await fetch(url)).text());
  expect(scrape.get('hookgraph_operation_duration_seconds_count{type="query",outcome="whole"}')).toBe(1);
  const status = async (path: string, method = 'GET') => (await fetch(new URL(path, url), { method })).status;
  expect([
    await status('/graphql'),
    await status('/health'),
    await status('/'),
    await status('/metrics', 'POST'),
  ]).toEqual([404, 404, 404, 405]);
  expect((await fetch(new URL('/metrics', program.url))).status).toBe(404);
  program.signal('SIGINT');
  expect(await program.ended).toBe(0);
});
