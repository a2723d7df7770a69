import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { Figure, Searched } from './support/figures.ts';

let folder = '';

/** Gives the suites a file for their figures. */
export function setup(project: TestProject): void {
  folder = mkdtempSync(join(tmpdir(), 'hookgraph-chaos-'));
  const file = join(folder, 'figures.jsonl');
  writeFileSync(file, '');
  project.provide('figures', file);
}

/** Prints the table of all figures. */
export function teardown(): void {
  const text = readFileSync(join(folder, 'figures.jsonl'), 'utf8');
  rmSync(folder, { recursive: true });
  const lines = text.split('\n').filter((line) => line !== '');
  const entries = lines.map((line): Figure | Searched => JSON.parse(line));
  const searched = entries.filter((entry) => 'searchedBytes' in entry);
  const figures = [...entries.filter((entry) => 'what' in entry), sum(searched)];
  const rows = figures.map(({ what, promised, reached, held, without }) => [
    without === undefined ? what : `  without ${without}`,
    without === undefined ? promised : `must fall: ${promised}`,
    reached,
    without === undefined ? (held ? 'held' : 'NOT HELD') : held ? 'HELD ALL THE SAME' : 'falls',
  ]);
  process.stdout.write(`\n${layOut([['what', 'promised', 'reached', ''], ...rows])}\n`);
}

function sum(searched: readonly Searched[]): Figure {
  const bytes = searched.reduce((all, { searchedBytes }) => all + searchedBytes, 0);
  const found = searched.reduce((all, { foundKeys }) => all + foundKeys, 0);
  const reached = `${found} in ${(bytes / 1e6).toFixed(0)} MB of output and answers`;
  return { what: 'secrets, over all of the above', promised: '0 canary keys', reached, held: found === 0 };
}

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | '));
  return lines.toSpliced(1, 0, '-'.repeat(lines[0]?.length ?? 0)).join('\n');
}
