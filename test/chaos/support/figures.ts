import { appendFileSync } from 'node:fs';
import { expect, inject } from 'vitest';

/** One line of the table that `npm run test:chaos` prints at its end. */
export interface Figure {
  /** As in "Figures to hold". */
  readonly what: string;
  readonly promised: string;
  readonly reached: string;
  readonly held: boolean;
  /** What was taken away for a run that must not hold. */
  readonly without?: string;
}

/** What the program printed and answered in one suite, searched for keys. */
export interface Searched {
  readonly searchedBytes: number;
  readonly foundKeys: number;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The file that suites write figures to, a line of JSON each. */
    figures: string;
  }
}

function write(line: Figure | Searched): void {
  appendFileSync(inject('figures'), `${JSON.stringify(line)}\n`);
}

/** Writes a figure into the table. Fails the test where it is not held. */
export function hold(what: string, promised: string, reached: string, held: boolean): void {
  write({ what, promised, reached, held });
  expect.soft(held, `${what}: promised ${promised}, reached ${reached}`).toBe(true);
}

/** Writes what was reached with a guard taken away. Fails the test where the promise held all the same. */
export function fallWithout(without: string, what: string, promised: string, reached: string, held: boolean): void {
  write({ what, promised, reached, held, without });
  expect.soft(held, `${what}: held without ${without}: promised ${promised}, reached ${reached}`).toBe(false);
}

/** Writes how much was searched for keys. */
export function writeSearched(searched: Searched): void {
  write(searched);
}
