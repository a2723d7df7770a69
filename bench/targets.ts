import { hookgraph, type Mode } from './contestants.ts';
import { formatTable, median, medianRatio } from './figures.ts';
import { type QueryName, queryNames } from './query.ts';
import { rowKinds } from './rig/rows.ts';
import type { Cell } from './throughput.ts';

/** A floor on requests per second: hookgraph's, as a ratio to another contestant's in the same run. */
interface Target {
  readonly title: string;
  readonly mode: Mode;
  readonly base: string;
  /** By webhooks for each upstream; without one the ratio is shown and nothing is asked of it. */
  readonly floors: Readonly<Record<number, number>>;
}

const targets: readonly Target[] = [
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

/** One floor of a target and what was reached. */
export interface Verdict {
  readonly target: string;
  readonly query: QueryName | null;
  readonly count: number | null;
  readonly asked: string;
  readonly reached: number;
  readonly held: boolean;
}

/** Every floor that the cells say something of. */
export function judgeThroughput(cells: readonly Cell[]): Verdict[] {
  return [...judgeTargets(cells), ...judgeRivals(cells)];
}

function judgeTargets(cells: readonly Cell[]): Verdict[] {
  return targets.flatMap(({ title, mode, base, floors }) =>
    ofMode(cells, mode).flatMap((own) => {
      const { query, count } = own;
      const other = find(cells, own, base);
      const floor = floors[count];
      if (!other || floor === undefined) return [];
      const reached = medianRatio(own.requestsPerSecond, other.requestsPerSecond);
      return { target: title, query, count, asked: `${base} x ${floor}`, reached, held: reached >= floor };
    }),
  );
}

function judgeRivals(cells: readonly Cell[]): Verdict[] {
  return (Object.keys(hookgraph) as Mode[]).flatMap((mode) =>
    ofMode(cells, mode).flatMap((own) =>
      rivals.flatMap((rival) => {
        const other = find(cells, own, rival);
        if (!other) return [];
        const reached = medianRatio(own.requestsPerSecond, other.requestsPerSecond);
        const { query, count } = own;
        return { target: `Ahead of ${rival}`, query, count, asked: `${rival} x 1`, reached, held: reached > 1 };
      }),
    ),
  );
}

/** hookgraph's cells of one mode. */
function ofMode(cells: readonly Cell[], mode: Mode): Cell[] {
  const kind = rowKinds.find((it) => it === mode) ?? 'unchanged';
  return cells.filter(({ contestant, rows }) => contestant === hookgraph[mode].name && rows === kind);
}

/** What another contestant did in the same place. */
function find(cells: readonly Cell[], { query, rows, count }: Cell, name: string): Cell | undefined {
  return cells.find((it) => it.contestant === name && it.query === query && it.rows === rows && it.count === count);
}

/** One table for each target and query, with the others beside it. */
export function formatThroughput(cells: readonly Cell[]): string[] {
  return targets.flatMap((target) => queryNames.flatMap((query) => formatTarget(target, query, cells)));
}

function formatTarget({ title, mode, base, floors }: Target, query: QueryName, cells: readonly Cell[]): string[] {
  const own = ofMode(cells, mode).filter((cell) => cell.query === query);
  const [any] = own;
  if (!any) return [];
  const names = cells.filter((cell) => cell.query === query && cell.rows === any.rows).map((cell) => cell.contestant);
  const unlike = Object.values(hookgraph).map(({ name }) => name);
  const shown = [...new Set(names)].filter((name) => name === any.contestant || !unlike.includes(name));
  const line = (name: string) => [
    name,
    ...own.flatMap((cell) => formatCell(find(cells, cell, name), find(cells, cell, base))),
  ];
  const verdicts = own.flatMap((cell) => {
    const other = find(cells, cell, base);
    const floor = floors[cell.count];
    if (!other || floor === undefined) return ['', '', '', ''];
    const held = medianRatio(cell.requestsPerSecond, other.requestsPerSecond) >= floor;
    return [held ? 'held' : 'NOT held', String(floor), '', ''];
  });
  const heads = own.flatMap(({ count }) => [`N=${count}: req/s`, `to ${base}`, 'CPU µs', 'busy']);
  const rows = [['', ...heads], ...shown.map(line), ['target', ...verdicts]];
  const notes = cells.filter((cell) => cell.query === query && cell.rows === any.rows && cell.refused > 0);
  const refusals = notes.map(
    ({ contestant, count, refused }) => `\n${contestant}, N=${count}: ${(100 * refused).toFixed(1)}% answered 503`,
  );
  return [`${title} (query: ${query})\n${formatTable(rows)}${refusals.join('')}`];
}

function formatCell(cell: Cell | undefined, base: Cell | undefined): string[] {
  if (!cell) return ['', '', '', ''];
  const ratio = base ? medianRatio(cell.requestsPerSecond, base.requestsPerSecond).toFixed(2) : '';
  const busy = `${Math.round(100 * cell.busy)}%`;
  return [median(cell.requestsPerSecond).toFixed(0), ratio, cell.cpuMicros.toFixed(0), busy];
}
