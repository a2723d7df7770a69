import { hookgraph, type Mode, rowsOfMode } from './contestants.ts';
import type { Cost } from './cost.ts';
import { median, medianRatio } from './figures.ts';
import type { Latency } from './latency.ts';
import type { Outage } from './outage.ts';
import type { Start } from './start.ts';
import type { Cell } from './throughput.ts';

/** A floor on requests per second: hookgraph's, as a ratio to another contestant's in the same run. */
export interface Target {
  readonly title: string;
  readonly mode: Mode;
  readonly base: string;
  /** By webhooks for each upstream; without one the ratio is shown and nothing is asked of it. */
  readonly floors: Readonly<Record<number, number>>;
}

export const targets: readonly Target[] = [
  {
    title: 'Rows unchanged, sharing of calls under way off',
    mode: 'unchanged',
    base: 'bff',
    floors: { 5: 1.2, 50: 1.8, 500: 3.2 },
  },
  {
    title: 'Rows change at every request, sharing off',
    mode: 'changing',
    base: 'bff',
    floors: { 5: 0.85, 50: 0.8, 500: 0.75 },
  },
  { title: 'Default settings, rows unchanged', mode: 'default', base: 'bff', floors: { 5: 2.5, 50: 6, 500: 9 } },
  {
    title: 'Rows change at every request, against what one writes first',
    mode: 'changing',
    base: 'yoga-first',
    floors: { 5: 3, 50: 4, 500: 4 },
  },
  { title: 'A tenth of the rows changes at every request, sharing off', mode: 'some', base: 'bff', floors: {} },
];

/** hookgraph must be ahead of these in every cell. */
const rivals = ['apollo', 'mercurius', 'hive'];

const mostAddedMs = 1.2;
const mostAddedMsToBff = 0.5;
const mostStartMs = 700;
const mostMiB = 200;
const mostOutageTimes = 1.5;
/** Above a straight line by this much, it is one all the same: the machine is not that quiet. */
const roughness = 1.1;

/** One target, at one place if it has several, and what was reached. */
export interface Verdict {
  readonly target: string;
  readonly asked: string;
  readonly reached: string;
  readonly held: boolean;
}

/** What hookgraph reached in a cell as a ratio to another contestant; null where either was not measured. */
export function ratioOf(cells: readonly Cell[], own: Cell | undefined, base: string): number | null {
  const other = own && find(cells, own, base);
  return own && other ? medianRatio(own.requestsPerSecond, other.requestsPerSecond) : null;
}

/** hookgraph's cells of one mode. */
export function ofMode(cells: readonly Cell[], mode: Mode): Cell[] {
  const rows = rowsOfMode(mode);
  return cells.filter((cell) => cell.contestant === hookgraph[mode].name && cell.rows === rows);
}

/** What another contestant did in the same place. */
export function find(
  cells: readonly Cell[],
  { query, rows, count }: Pick<Cell, 'query' | 'rows' | 'count'>,
  name: string,
): Cell | undefined {
  return cells.find((it) => it.contestant === name && it.query === query && it.rows === rows && it.count === count);
}

/** Every target that the cells say something of. */
export function judgeThroughput(cells: readonly Cell[]): Verdict[] {
  const floors = targets.flatMap(({ title, mode, base, floors }) =>
    ofMode(cells, mode).map((own) => judgeRatio(cells, own, title, base, floors[own.count])),
  );
  const ahead = (Object.keys(hookgraph) as Mode[]).flatMap((mode) =>
    ofMode(cells, mode).flatMap((own) =>
      rivals.map((rival) => judgeRatio(cells, own, `Ahead of ${rival}, ${mode}`, rival, 1)),
    ),
  );
  const names = new Set(Object.values(hookgraph).map(({ name }) => name));
  const sizes = cells.filter(({ contestant, count }) => names.has(contestant) && count === 50);
  const largest = Math.max(...sizes.map(({ residentMiB }) => residentMiB));
  const memory = {
    target: 'Memory under load, N=50',
    asked: `at most ${mostMiB} MiB`,
    reached: `${largest.toFixed(0)} MiB`,
    held: largest <= mostMiB,
  };
  return [...floors, ...ahead, sizes.length > 0 ? memory : null].filter((verdict) => verdict !== null);
}

function judgeRatio(cells: readonly Cell[], own: Cell, title: string, base: string, floor = 0): Verdict | null {
  const reached = ratioOf(cells, own, base);
  if (reached === null || floor === 0) return null;
  // What it would be if nothing else had used the machine: far from the other, the run says little.
  const byCpu = (find(cells, own, base)?.cpuMicros ?? Number.NaN) / own.cpuMicros;
  return {
    target: `${title} (query: ${own.query}), N=${own.count}`,
    asked: `${floor} of ${base}`,
    reached: `${reached.toFixed(2)} (${byCpu.toFixed(2)} by CPU)`,
    held: own.wrong === 0 && reached >= floor,
  };
}

export function judgeLatency(latencies: readonly Latency[]): Verdict[] {
  const own = latencies.filter(({ contestant, rows }) => contestant === hookgraph[rows].name);
  return own.flatMap(({ rows, addedMs }) => {
    const target = `Latency added over an upstream of 20 ms, one connection, ${rows} rows`;
    const reached = `${addedMs.toFixed(2)} ms`;
    const verdict = { target, asked: `at most ${mostAddedMs} ms`, reached, held: addedMs <= mostAddedMs };
    const bff = latencies.find((it) => it.contestant === 'bff' && it.rows === rows);
    if (!bff) return verdict;
    const most = bff.addedMs + mostAddedMsToBff;
    return [verdict, { target, asked: `at most ${most.toFixed(2)} ms, bff + 0.5`, reached, held: addedMs <= most }];
  });
}

export function judgeStart(starts: readonly Start[]): Verdict[] {
  const own = starts.find(({ contestant }) => contestant === hookgraph.default.name);
  if (!own) return [];
  const { startMs } = own;
  const asked = `less than ${mostStartMs} ms`;
  return [{ target: 'Start to first answer', asked, reached: `${startMs.toFixed(0)} ms`, held: startMs < mostStartMs }];
}

/** From each length to the next, a request may cost as many times as much as there are webhooks, and less is better. */
export function judgeCost(costs: readonly Cost[]): Verdict[] {
  return costs.flatMap(({ rows, count, cpuMicros }, index) => {
    const before = costs[index - 1];
    if (before?.rows !== rows) return [];
    const most = (count / before.count) * roughness;
    const growth = medianRatio(cpuMicros, before.cpuMicros);
    return {
      target: `Cost of a request grows no faster than the lists, ${rows} rows, N=${before.count} to ${count}`,
      asked: `at most ${most.toFixed(2)} times`,
      reached: `${growth.toFixed(2)} times, to ${median(cpuMicros).toFixed(0)} µs`,
      held: growth <= most,
    };
  });
}

/** Such an answer has fewer rows, but is made anew each time, where a whole one may come from the store. */
export function judgeOutage(outages: readonly Outage[]): Verdict[] {
  return outages.map(({ rows, failingMicros, wholeMicros }) => {
    const times = medianRatio(failingMicros, wholeMicros);
    return {
      target: `Cost of a request while one of the two sources fails, to that of a whole one, ${rows} rows`,
      asked: `at most ${mostOutageTimes} times`,
      reached: `${times.toFixed(2)} times, ${median(failingMicros).toFixed(0)} µs`,
      held: times <= mostOutageTimes,
    };
  });
}
