import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createSourceMetrics, type SourceMetrics } from './metrics-sources.ts';
import { type Outcome, outcomes, type Route } from './request.ts';
import { createHistogram } from './series.ts';

/** What an operator's Prometheus reads. */
export interface Metrics {
  /** The type that says in which form `text` is. */
  readonly contentType: string;
  text(): Promise<string>;
  /** A request was told to come back later. */
  shed(): void;
  /** Tells, at every scrape, how many requests are being served. */
  countInFlight(count: () => number): void;
  /** A request was answered, or its client left: that is status 499, as is usual, though nobody gets it. */
  requestEnded(route: Route, status: number, seconds: number): void;
  /** GraphQL was done with an operation. `type` is none for what was no operation. */
  operationEnded(type: OperationType, outcome: Outcome, seconds: number): void;
  /** An answer was sent that had been made before. */
  answerReused(): void;
  /** A line of the log found no room. */
  lineDropped(): void;
  /** What is counted of one source; of one that was not named at the start, nothing is. */
  source(key: string): SourceMetrics;
}

/** What is counted apart. There are no subscriptions. */
export type OperationType = 'query' | 'mutation' | 'none';

export interface MetricsOptions {
  readonly version: string;
  /** Keys of all sources. */
  readonly sources: readonly string[];
  /** Whether what is read of webhooks may be counted: the keys are our own, and so not one of many tenants'. */
  readonly webhooks: boolean;
}

/** Seconds. From what needs no provider to the longest that a request may take. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** prom-client's that walk every open handle at each scrape, under names that are those of counters. */
const unwanted = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

/**
 * Opens the metrics of this process: memory, garbage collection and how late its event loop is, and what is counted here.
 * Every label is one of a few words of ours: no URL, no id and no text of a client or of a provider.
 */
export function createMetrics(options: Partial<MetricsOptions> = {}): Metrics {
  const { version = 'unknown', sources = [], webhooks = false } = options;
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of unwanted) registry.removeSingleMetric(name);
  new Gauge({ name: 'hookgraph_build_info', help: 'Always 1.', labelNames: ['version'], registers }).set(
    { version },
    1,
  );
  let inFlight = () => 0;
  new Gauge({
    name: 'hookgraph_requests_in_flight',
    help: 'Requests to the graph that are being served, of at most MAX_IN_FLIGHT.',
    registers,
    collect() {
      this.set(inFlight());
    },
  });
  const shed = new Counter({
    name: 'hookgraph_requests_shed_total',
    help: 'Requests that were answered 503, because too much was under way or the event loop was late.',
    registers,
  });
  const dropped = new Counter({
    name: 'hookgraph_log_lines_dropped_total',
    help: 'Lines of the log that were left out, because whatever takes them did not.',
    registers,
  });
  const reused = new Counter({
    name: 'hookgraph_answers_reused_total',
    help: 'Answers that had been made before, and that every source was asked about again.',
    registers,
  });
  const histogram = (name: string, help: string, labelNames: readonly string[]) =>
    createHistogram(registry, { name: `hookgraph_${name}_duration_seconds`, help, labelNames }, buckets);
  const requests = histogram(
    'http_request',
    'From the head of a request to the end of its answer, by route and status; 499 where the client left.',
    ['route', 'status'],
  );
  const operations = histogram(
    'operation',
    'The same of operations, by type and outcome; none is the type of what was no valid operation.',
    ['type', 'outcome'],
  );
  for (const outcome of outcomes) operations.add(['query', outcome]);
  operations.add(['none', 'refused']);
  const bySource = createSourceMetrics(registry, sources, webhooks, buckets);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    shed: () => shed.inc(),
    countInFlight(count) {
      inFlight = count;
    },
    requestEnded: (route, status, seconds) => requests.add([route, status], seconds),
    operationEnded: (type, outcome, seconds) => operations.add([type, outcome], seconds),
    answerReused: () => reused.inc(),
    lineDropped: () => dropped.inc(),
    source: bySource,
  };
}
