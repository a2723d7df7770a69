import { Counter, collectDefaultMetrics, Registry } from 'prom-client';

/** What an operator's Prometheus reads. */
export interface Metrics {
  /** The type that says in which form `text` is. */
  readonly contentType: string;
  text(): Promise<string>;
  /** A request was told to come back later. */
  shed(): void;
}

/** Opens the metrics of this process: memory, garbage collection and how late its event loop is, and what is counted here. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const shed = new Counter({
    name: 'hookgraph_requests_shed_total',
    help: 'Requests that were answered 503, because too much was under way or the event loop was late.',
    registers: [registry],
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    shed: () => shed.inc(),
  };
}
