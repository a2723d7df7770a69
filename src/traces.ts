import type { IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Context,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { parseKeyPairsIntoRecord, setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { TracesConfig } from './config-traces.ts';
import { errnoOf } from './errno.ts';
import type { Span, SpanAttributes } from './span.ts';

/** Traces while they are sent to a receiver. */
export interface Traces {
  /** Begins the span of a request, as part of the trace that its caller says it belongs to. */
  begin(request: IncomingMessage): Span;
  /** Sends what is left, for so many milliseconds at most. */
  close(ms: number): Promise<void>;
}

const kinds = { work: SpanKind.INTERNAL, call: SpanKind.CLIENT };
/** Others are not in the semantic conventions' list of methods, which keeps the names of spans few. */
const knownMethods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'];
const tellFaultMs = 60_000;

/**
 * Opens tracing. This module is loaded only where it is on, and registers nothing global but the handler of its faults: spans
 * are handed from one function to the next, so that no work is followed behind its back. `onFault` is called once a minute at
 * most while the receiver takes nothing, with a word of the system where there is one.
 */
export function createTraces(config: TracesConfig, version: string, onFault: (cause: string | null) => void): Traces {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': 'hookgraph', 'service.version': version }))
    .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
  const root = new TraceIdRatioBasedSampler(config.ratio);
  const exporter = new OTLPTraceExporter(
    config.headers === null ? {} : { headers: parseKeyPairsIntoRecord(config.headers) },
  );
  const provider = new TracerProvider({
    resource,
    sampler: config.parentBased ? new ParentBasedSampler({ root }) : root,
    spanProcessors: [new BatchSpanProcessor({ exporter, ...config.batch })],
  });
  const tracer = provider.getTracer('hookgraph', version);
  const propagator = new W3CTraceContextPropagator();
  let toldAt = Number.NEGATIVE_INFINITY;
  setGlobalErrorHandler((error) => {
    if (performance.now() - toldAt < tellFaultMs) return;
    toldAt = performance.now();
    onFault(errnoOf(error));
  });

  function wrap(span: OtelSpan, parent: Context): Span {
    const { traceId, spanId, traceFlags } = span.spanContext();
    // Without the caller's tracestate: a provider is another company.
    const headers = { traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}` };
    if (!span.isRecording()) return unrecorded(traceId, headers);
    const context = trace.setSpan(parent, span);
    return {
      traceId,
      headers,
      begin: (name: string, attributes: SpanAttributes = {}, kind: keyof typeof kinds = 'work') =>
        wrap(tracer.startSpan(name, { kind: kinds[kind], attributes }, context), context),
      set: (attributes) => void span.setAttributes(attributes),
      end(fault) {
        if (fault) span.setAttribute('error.type', fault).setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  return {
    begin({ method = '', headers }) {
      const parent = propagator.extract(ROOT_CONTEXT, headers, getter);
      const known = knownMethods.includes(method);
      const attributes = {
        'http.request.method': known ? method : '_OTHER',
        'http.route': '/graphql',
        'url.path': '/graphql',
        'url.scheme': 'http',
      };
      const name = `${known ? method : 'HTTP'} /graphql`;
      return wrap(tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent), parent);
    },
    close: (ms) => Promise.race([provider.shutdown().catch(() => {}), sleep(ms)]),
  };
}

/** A span of a trace that is not recorded, with all its parts: nobody would see which is which. */
function unrecorded(traceId: string, headers: Span['headers']): Span {
  const span: Span = { traceId, headers, begin: () => span, set() {}, end() {} };
  return span;
}

const getter: TextMapGetter<IncomingMessage['headers']> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, name) => headers[name],
};
