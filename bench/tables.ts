import { hookgraph, rowsOfMode } from './contestants.ts';
import { median } from './figures.ts';
import { type QueryName, queryNames } from './query.ts';
import { find, ofMode, ratioOf, type Target, targets, type Verdict } from './targets.ts';
import type { Cell } from './throughput.ts';

/** One table for each target and query, with all others beside it. */
export function formatThroughput(cells: readonly Cell[]): string[] {
  return targets.flatMap((target) => queryNames.flatMap((query) => formatTarget(target, query, cells)));
}

function formatTarget({ title, mode, base, floors }: Target, query: QueryName, cells: readonly Cell[]): string[] {
  const rows = rowsOfMode(mode);
  const here = cells.filter((cell) => cell.query === query && cell.rows === rows);
  const counts = [...new Set(here.map(({ count }) => count))];
  const otherSettings = Object.values(hookgraph)
    .map(({ name }) => name)
    .filter((name) => name !== hookgraph[mode].name);
  const names = [...new Set(here.map(({ contestant }) => contestant))].filter((it) => !otherSettings.includes(it));
  if (here.length === 0 || (mode === 'default' && !names.includes(hookgraph.default.name))) return [];
  const lines = names.map((name) => [
    name,
    ...counts.flatMap((count) => formatCell(cells, find(cells, { query, rows, count }, name), base)),
  ]);
  const verdicts = counts.flatMap((count) => {
    const own = ofMode(cells, mode).find((cell) => cell.query === query && cell.count === count);
    const reached = ratioOf(cells, own, base);
    const floor = floors[count];
    if (reached === null || floor === undefined) return ['', '', '', ''];
    return [own?.wrong === 0 && reached >= floor ? 'held' : 'NOT held', String(floor), '', ''];
  });
  const heads = counts.flatMap((count) => [`N=${count}: req/s`, `to ${base}`, 'CPU µs', 'busy']);
  const notes = here.filter(({ contestant }) => names.includes(contestant)).map(formatNote);
  const last = verdicts.every((cell) => cell === '') ? [] : [['target', ...verdicts]];
  const table = formatTable([['', ...heads], ...lines, ...last]);
  return [`${title} (query: ${query})\n${table}${notes.join('')}`];
}

function formatCell(cells: readonly Cell[], cell: Cell | undefined, base: string): string[] {
  if (!cell) return ['', '', '', ''];
  const ratio = ratioOf(cells, cell, base)?.toFixed(2) ?? '';
  const busy = `${Math.round(100 * cell.busy)}%`;
  return [median(cell.requestsPerSecond).toFixed(0), ratio, cell.cpuMicros.toFixed(0), busy];
}

/** What became of the requests that were not answered well. */
function formatNote({ contestant, count, refused, wrong, firstWrong }: Cell): string {
  const percent = (part: number) => `${(100 * part).toFixed(1)}%`;
  const refusals = refused > 0 ? `\n${contestant}, N=${count}: ${percent(refused)} answered 503` : '';
  return wrong > 0
    ? `${refusals}\n${contestant}, N=${count}: ${percent(wrong)} answered wrongly (${firstWrong})`
    : refusals;
}

/** What each contestant needs in milliseconds or MiB. */
export function formatFigures(title: string, figures: readonly (readonly [name: string, figure: string])[]): string[] {
  return figures.length === 0 ? [] : [`${title}\n${formatTable(figures)}`];
}

/** Every target and whether it is held. */
export function formatVerdicts(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return [];
  const lines = verdicts.map(({ target, asked, reached, held }) => [
    target,
    asked,
    reached,
    held ? 'held' : 'NOT held',
  ]);
  return [formatTable([['target', 'asked', 'reached', ''], ...lines])];
}

/** Columns flush right but for the first. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}
