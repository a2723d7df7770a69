import { Counter, type Histogram, type Registry } from 'prom-client';

/** The values of a metric's labels, in their order: few words of ours, and HTTP statuses. */
export type LabelValues = readonly (string | number)[];

/** A metric as it is shown to whoever scrapes it. */
export interface MetricDescription {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

/** Counts events. */
export interface EventCounter {
  /** Counts so many, one if not given; 0 makes the series be there. */
  add(values: LabelValues, count?: number): void;
}

/** Counts what was measured, by how much it was. */
export interface Distribution {
  /** Without a value, the series is there from now on, and nothing was measured. */
  add(values: LabelValues, value?: number): void;
}

/** What was counted for one combination of labels. */
interface Series<T> {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly counted: T;
}

interface AllSeries<T> {
  /** What was counted for these values so far. */
  of(values: LabelValues): T;
  all(): readonly Series<T>[];
}

/** Where the values of labels lead, one after the other. */
interface Branch<T> {
  readonly next: Map<string | number, Branch<T>>;
  /** What the values that led here, and no further ones, stand for. */
  series: Series<T> | null;
}

function follow<T>({ next }: Branch<T>, value: string | number): Branch<T> {
  const known = next.get(value);
  if (known) return known;
  const branch = { next: new Map(), series: null };
  next.set(value, branch);
  return branch;
}

/**
 * Keeps series by the values of their labels. (prom-client puts the values together to one text and looks that up: for the eleven
 * events of a request, that was as much work as to send its answer.)
 */
function createSeries<T>(labelNames: readonly string[], begin: () => T): AllSeries<T> {
  const root: Branch<T> = { next: new Map(), series: null };
  const all: Series<T>[] = [];
  function open(values: LabelValues): Series<T> {
    const labels = Object.fromEntries(labelNames.map((name, place) => [name, values[place] ?? '']));
    const series = { labels, counted: begin() };
    all.push(series);
    return series;
  }
  return {
    of(values) {
      let branch = root;
      for (const value of values) branch = follow(branch, value);
      branch.series ??= open(values);
      return branch.series.counted;
    },
    all: () => all,
  };
}

/** Opens a counter. */
export function createCounter(registry: Registry, description: MetricDescription): EventCounter {
  const series = createSeries(description.labelNames, () => ({ events: 0 }));
  new Counter({
    ...description,
    registers: [registry],
    collect() {
      this.reset();
      for (const { labels, counted } of series.all()) this.inc(labels, counted.events);
    },
  });
  return {
    add(values, count = 1) {
      series.of(values).events += count;
    },
  };
}

/** Opens a histogram. `bounds` are the upper ones of its buckets, which hold what equals them, and rise. */
export function createHistogram(
  registry: Registry,
  { name, help, labelNames }: MetricDescription,
  bounds: readonly number[],
): Distribution {
  const begin = () => ({ inBuckets: new Float64Array(bounds.length + 1), sum: 0 });
  const series = createSeries(labelNames, begin);
  const values = () =>
    series.all().flatMap(({ labels, counted: { inBuckets, sum } }) => {
      let count = 0;
      const buckets = [...inBuckets].map((more, place) => {
        count += more;
        return { metricName: `${name}_bucket`, labels: { le: bounds[place] ?? '+Inf', ...labels }, value: count };
      });
      const total = [
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
      return [...buckets, ...total];
    });
  const metric = {
    name,
    get: async () => ({ name, help, type: 'histogram', aggregator: 'sum', values: values() }),
  };
  // Of a metric, a registry wants no more than this, though its type wants one of prom-client's own.
  registry.registerMetric(metric as unknown as Histogram);
  return {
    add(labels, value) {
      const counted = series.of(labels);
      if (value === undefined) return;
      const bucket = bounds.findIndex((bound) => value <= bound);
      const place = bucket === -1 ? bounds.length : bucket;
      counted.inBuckets[place] = (counted.inBuckets[place] ?? 0) + 1;
      counted.sum += value;
    },
  };
}
