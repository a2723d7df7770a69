import { expect, test } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startReceiver } from './support/otlp.ts';
import { ask, startProgram } from './support/program.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { after, json, startUpstream } from './support/upstream.ts';

/** Says on standard error which modules of OpenTelemetry are loaded. */
const watchLoading = `
  import { registerHooks } from 'node:module';
  registerHooks({ resolve(specifier, context, next) {
    if (specifier.startsWith('@opentelemetry/')) process.stderr.write('LOADED ' + specifier + '\\n');
    return next(specifier, context);
  } });`;
const watched = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watchLoading)}` };
/** prom-client loads the API, which does nothing by itself. */
const loaded = /LOADED @opentelemetry\/(?!api)/;
const keys = { APIMALL_API_KEY: 'sk-canary', DILIGENT_API_KEY: 'canary' };
const query = 'query Overview { webhooks { totalCount complete } }';
const traceId = '0af7651916cd43dd8448eb211c80319c';
const callersSpan = 'b7ad6b7169203331';
const caller = {
  traceparent: `00-${traceId}-${callersSpan}-01`,
  tracestate: 'vendor=theirs',
  baggage: 'user=canary-user',
};

test.concurrent('tells a receiver of a request, its steps, its sources and its calls, in the trace of its caller', async () => {
  await using receiver = await startReceiver();
  let calls = 0;
  await using apimall = await startUpstream((...http) => {
    calls += 1;
    return calls === 1 ? json({}, 503)(...http) : apimallList(apimallRow())(...http);
  });
  await using diligent = await startUpstream(json([diligentRow()]));
  await using program = await startProgram({
    ...keys,
    ...watched,
    APIMALL_API_URL: apimall.url,
    DILIGENT_API_URL: diligent.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.upstream.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20of-the-receiver',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=other',
    OTEL_SERVICE_NAME: 'ours',
  });
  await ask(program.url, query, { ...caller, 'x-request-id': 'of-the-caller' });
  await ask(program.url, '{ nothing }', { traceparent: caller.traceparent.replace(/01$/, '00') });
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);

  const spans = receiver.spans();
  const named = (name: string) => spans.filter((span) => span.name === name);
  const [request] = named('POST /graphql');
  expect(request).toEqual({
    name: 'POST /graphql',
    traceId,
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/),
    parentSpanId: callersSpan,
    kind: 2,
    status: 0,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'url.path': '/graphql',
      'url.scheme': 'http',
      'http.response.status_code': 200,
      'graphql.operation.name': 'Overview',
      'graphql.operation.type': 'query',
      'hookgraph.request.id': 'of-the-caller',
    },
    resource: expect.objectContaining({
      'service.name': 'ours',
      'service.version': expect.stringMatching(/^\d+\.\d+\.\d+$/),
      'deployment.environment.name': 'test',
    }),
  });
  // A caller that does not record its trace decides so for what it asks of us.
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  const [execute] = named('graphql.execute');
  const parents = (name: string) => named(name).map(({ parentSpanId }) => parentSpanId);
  for (const name of ['graphql.parse', 'graphql.validate', 'graphql.execute']) {
    expect([name, parents(name)]).toEqual([name, [request?.spanId]]);
  }
  expect(parents('read apimall')).toEqual([execute?.spanId]);
  const [read] = named('read apimall');
  expect(read?.attributes).toEqual({
    'hookgraph.source': 'apimall',
    'hookgraph.source.state': 'OK',
    'hookgraph.source.joined': false,
  });
  const tries = named('GET').filter(({ parentSpanId }) => parentSpanId === read?.spanId);
  const server = { 'server.address': '127.0.0.1', 'server.port': Number(new URL(apimall.url).port) };
  const common = { 'http.request.method': 'GET', ...server };
  expect(tries.map(({ kind, status, attributes }) => ({ kind, status, attributes }))).toEqual([
    { kind: 3, status: 2, attributes: { ...common, 'http.response.status_code': 503, 'error.type': 'UPSTREAM_ERROR' } },
    {
      kind: 3,
      status: 0,
      attributes: { ...common, 'http.response.status_code': 200, 'http.request.resend_count': 1 },
    },
  ]);

  const sent = apimall.calls.map(({ headers }) => headers);
  expect(sent).toHaveLength(2);
  expect(sent.map((headers) => headers.traceparent)).toEqual(tries.map(({ spanId }) => `00-${traceId}-${spanId}-01`));
  expect(JSON.stringify([sent, diligent.calls])).not.toMatch(/"(tracestate|baggage)"|theirs|canary-user/);
  expect(program.lines().find(({ msg }) => msg === 'operation')).toMatchObject({ traceId, requestId: 'of-the-caller' });
  expect(receiver.upstream.calls[0]).toMatchObject({
    path: '/v1/traces',
    headers: { authorization: 'Bearer of-the-receiver', 'content-type': 'application/x-protobuf' },
  });
  expect(receiver.bytes().toString('latin1')).not.toMatch(/canary|of-the-receiver|totalCount/);
  expect(program.output()).toMatch(loaded);
  expect(program.output()).not.toMatch(/canary|of-the-receiver/);
});

test.concurrent('records nothing of a trace that its caller does not record, and tells providers so', async () => {
  await using receiver = await startReceiver();
  await using diligent = await startUpstream(json([diligentRow()]));
  await using program = await startProgram({
    DILIGENT_API_KEY: 'k',
    DILIGENT_API_URL: diligent.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.upstream.url,
  });
  await ask(program.url, query, { ...caller, traceparent: caller.traceparent.replace(/01$/, '00') });
  await ask(program.url, query, { traceparent: `00-${'1'.repeat(32)}-${callersSpan}-01` });
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(new Set(receiver.spans().map((span) => span.traceId))).toEqual(new Set(['1'.repeat(32)]));
  const [unrecorded, recorded] = diligent.calls.map(({ headers }) => headers.traceparent);
  expect(unrecorded).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  expect(unrecorded).not.toContain(callersSpan);
  expect(recorded).toMatch(/^00-1{32}-[0-9a-f]{16}-01$/);
  expect(program.lines().filter(({ msg }) => msg === 'operation')).toMatchObject([
    { traceId },
    { traceId: '1'.repeat(32) },
  ]);
});

test.concurrent('tells of a call in the trace of the request that began it, and of those who joined that they did', async () => {
  await using receiver = await startReceiver();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using apimall = await startUpstream(after(() => released, apimallList(apimallRow())));
  await using program = await startProgram({
    APIMALL_API_KEY: 'k',
    APIMALL_API_URL: apimall.url,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.upstream.url}/custom`,
  });
  const first = ask(program.url, query);
  await eventually(() => expect(apimall.calls.length).toBe(1));
  const second = ask(program.url, query);
  const { origin } = new URL(program.url);
  const joins = async () => await (await fetch(`${origin}/metrics`)).text();
  await eventually(async () => expect(await joins()).toContain('hookgraph_source_joins_total{source="apimall"} 1'));
  release();
  await Promise.all([first, second]);
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(apimall.calls).toHaveLength(1);
  const reads = receiver.spans().filter(({ name }) => name === 'read apimall');
  const calls = receiver.spans().filter(({ name }) => name === 'GET');
  const joined = (yes: boolean) => reads.filter(({ attributes }) => attributes['hookgraph.source.joined'] === yes);
  expect([joined(true).length, joined(false).length]).toEqual([1, 1]);
  expect(calls.map(({ parentSpanId }) => parentSpanId)).toEqual(joined(false).map(({ spanId }) => spanId));
  expect(receiver.upstream.calls[0]?.path).toBe('/custom');
});

test.concurrent('is not slowed by a receiver that is not there, and says so once', async () => {
  await using gone = await startReceiver();
  await gone.upstream.stop();
  await using program = await startProgram({
    OTEL_EXPORTER_OTLP_ENDPOINT: gone.upstream.url,
    OTEL_BSP_SCHEDULE_DELAY: '10',
    OTEL_EXPORTER_OTLP_TIMEOUT: '50',
    DRAIN_MS: '1000',
  });
  const asked = performance.now();
  for (let count = 0; count < 40; count += 1) await ask(program.url, '{ webhookSources { key } }');
  expect(performance.now() - asked).toBeLessThan(2000 + slackMs);
  const told = () => program.lines().filter(({ msg }) => msg === 'traces cannot be sent');
  await eventually(() => expect(told().length).toBe(1));
  expect(told()[0]).toMatchObject({ level: 'warn', cause: 'ECONNREFUSED' });
  program.signal('SIGTERM');
  expect(await program.ended).toBe(0);
  expect(told()).toHaveLength(1);
});

test.concurrent('loads nothing of OpenTelemetry where no receiver is named', async () => {
  await using program = await startProgram(watched);
  await ask(program.url, query);
  expect(program.output()).toContain('hookgraph serves');
  expect(program.output()).not.toMatch(loaded);
});
