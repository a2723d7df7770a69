import { Gauge, type Registry } from 'prom-client';
import { type EndedWrite, type ReadList, type WriteAction, writeActions, writeErrorCodes } from './request.ts';
import { createCounter, createHistogram } from './series.ts';
import { type SourceErrorCode, sourceErrorCodes } from './source-error.ts';
import { healths, type Webhook } from './webhook.ts';

/** How one call to a provider ended: CANCELLED is what nobody waited for any more. */
export type CallOutcome = 'OK' | 'CANCELLED' | SourceErrorCode;

/** What is counted of one source. */
export interface SourceMetrics {
  called(outcome: CallOutcome, seconds: number): void;
  retried(): void;
  /** A read took part in a call that was under way. */
  joined(): void;
  /** A call was answered what the last one had been, and nothing was made of it again. */
  unchanged(): void;
  /** A circuit opened, or closed again. Each key has its own. */
  circuit(isOpen: boolean): void;
  /** A request was done reading the source; `code` tells why not all of it came. */
  read(state: 'OK' | 'PARTIAL' | 'FAILED', code: SourceErrorCode | null): void;
  /** A mutation was done with, be it that no call was made for it. */
  wrote(action: WriteAction, outcome: EndedWrite['outcome']): void;
  /** A request read webhooks, all or a part of them. */
  listed(list: ReadList): void;
}

/** What is told of the webhooks that were read last. (It does not hold their rows, which each minor collection would have to copy.) */
interface Latest {
  /** That of their list: while it stays the same, nothing is counted again. */
  readonly serial: number;
  /** How many have each health, in the order of `healths`. */
  readonly byHealth: readonly number[];
  /** Of all deliveries, ISO 8601 in UTC; empty where none was attempted. */
  readonly newestDelivery: string;
  /** Milliseconds since the epoch. */
  at: number;
}

function summarize(rows: readonly Webhook[]): Pick<Latest, 'byHealth' | 'newestDelivery'> {
  const byHealth = healths.map(() => 0);
  let newestDelivery = '';
  for (const { health, lastDelivery } of rows) {
    const place = healths.indexOf(health);
    byHealth[place] = (byHealth[place] ?? 0) + 1;
    const at = lastDelivery?.at ?? '';
    // They compare as text.
    if (at > newestDelivery) newestDelivery = at;
  }
  return { byHealth, newestDelivery };
}

const states = ['OK', 'PARTIAL', 'FAILED'] as const;
const codes = Object.keys(sourceErrorCodes) as SourceErrorCode[];
/** Of these, no call was made. */
const withoutCall: readonly SourceErrorCode[] = ['NOT_CONFIGURED', 'BAD_CREDENTIAL', 'CIRCUIT_OPEN'];
const callOutcomes: readonly CallOutcome[] = [
  'OK',
  'CANCELLED',
  ...codes.filter((code) => !withoutCall.includes(code)),
];

const writeOutcomes = ['DONE', ...writeErrorCodes] as const;

/** Counts what happens at these sources; each is there from the start, at 0, so that its first fault is a rise. */
export function createSourceMetrics(
  registry: Registry,
  sources: readonly string[],
  webhooks: boolean,
  buckets: readonly number[],
): (key: string) => SourceMetrics {
  const counter = (name: string, help: string, labelNames: readonly string[]) =>
    createCounter(registry, { name: `hookgraph_source_${name}_total`, help, labelNames });
  const calls = counter('calls', 'Calls to a provider, by how they ended.', ['source', 'outcome']);
  const retries = counter('retries', 'Calls that were made again.', ['source']);
  const joins = counter('joins', 'Reads that took part in a call that was under way.', ['source']);
  const same = counter('unchanged', 'Calls that were answered what the last one had been, byte for byte.', ['source']);
  const reads = counter('reads', 'Reads of a source by requests, by state.', ['source', 'state']);
  const faults = counter('faults', 'Reads that did not bring all, by code.', ['source', 'code']);
  const writes = counter('writes', 'Mutations, by what they were to do and what became of them.', [
    'source',
    'action',
    'outcome',
  ]);
  const seconds = createHistogram(
    registry,
    {
      name: 'hookgraph_source_call_duration_seconds',
      help: 'Calls to a provider, from before they are sent to when they are read.',
      labelNames: ['source'],
    },
    buckets,
  );
  const circuits = new Gauge({
    name: 'hookgraph_source_circuits_open',
    help: 'Keys whose calls are refused, as the provider keeps failing.',
    labelNames: ['source'],
    registers: [registry],
  });
  const latest = new Map<string, Latest>();
  /** Counts what was read last of each source, where that was not done yet. */
  const counts: (() => void)[] = [];
  if (webhooks) {
    showWebhooks(registry, () => {
      for (const count of counts) count();
      return latest;
    });
  }

  function open(source: string): SourceMetrics {
    for (const outcome of callOutcomes) calls.add([source, outcome], 0);
    for (const state of states) reads.add([source, state], 0);
    for (const code of codes) faults.add([source, code], 0);
    for (const action of writeActions) {
      for (const outcome of writeOutcomes) writes.add([source, action, outcome], 0);
    }
    for (const metric of [retries, joins, same]) metric.add([source], 0);
    seconds.add([source]);
    circuits.set({ source }, 0);
    /**
     * What was read last and is not counted: it is when the event loop goes round, or at a scrape. Many lists are read in one round,
     * and of these only the last need be.
     */
    let uncounted: ReadList | null = null;
    function count(): void {
      if (!uncounted) return;
      const { rows, serial, at } = uncounted;
      latest.set(source, { ...summarize(rows), serial, at });
      uncounted = null;
    }
    counts.push(count);
    return {
      called(outcome, took) {
        calls.add([source, outcome]);
        seconds.add([source], took);
      },
      retried: () => retries.add([source]),
      joined: () => joins.add([source]),
      unchanged: () => same.add([source]),
      circuit: (isOpen) => circuits.inc({ source }, isOpen ? 1 : -1),
      read(state, code) {
        reads.add([source, state]);
        if (code) faults.add([source, code]);
      },
      wrote: (action, outcome) => writes.add([source, action, outcome]),
      listed(list) {
        if (!webhooks) return;
        const last = latest.get(source);
        if (last?.serial === list.serial) {
          last.at = list.at;
          uncounted = null;
          return;
        }
        if (!uncounted) setImmediate(count);
        uncounted = list;
      },
    };
  }
  const opened = new Map(sources.map((source) => [source, open(source)]));
  return (key) => opened.get(key) ?? nothing;
}

/** Tells at each scrape of what was read last. */
function showWebhooks(registry: Registry, latest: () => ReadonlyMap<string, Latest>): void {
  const registers = [registry];
  const labelNames = ['source'] as const;
  new Gauge({
    name: 'hookgraph_webhooks',
    help: 'Webhooks by health, as they were last read.',
    labelNames: ['source', 'health'],
    registers,
    collect() {
      for (const [source, { byHealth }] of latest()) {
        for (const [index, health] of healths.entries()) this.set({ source, health }, byHealth[index] ?? 0);
      }
    },
  });
  new Gauge({
    name: 'hookgraph_source_read_timestamp_seconds',
    help: 'When webhooks were last read, in Unix time: nothing is read unless somebody asks.',
    labelNames,
    registers,
    collect() {
      for (const [source, { at }] of latest()) this.set({ source }, at / 1000);
    },
  });
  new Gauge({
    name: 'hookgraph_newest_delivery_timestamp_seconds',
    help: 'When the latest delivery of any webhook was attempted, in Unix time, as it was last read.',
    labelNames,
    registers,
    collect() {
      for (const [source, { newestDelivery }] of latest()) {
        if (newestDelivery === '') this.remove({ source });
        else this.set({ source }, Date.parse(newestDelivery) / 1000);
      }
    },
  });
}

const nothing: SourceMetrics = {
  called() {},
  retried() {},
  joined() {},
  unchanged() {},
  circuit() {},
  read() {},
  wrote() {},
  listed() {},
};
