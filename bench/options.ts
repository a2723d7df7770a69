import { parseArgs } from 'node:util';
import { type Mode, modes } from './contestants.ts';
import { type QueryName, queryNames } from './query.ts';

/** What the targets speak of besides requests per second. */
export const parts = ['throughput', 'latency', 'start', 'cost', 'outage'] as const;
export type Part = (typeof parts)[number];

/** What is measured, and for how long. */
export interface Options {
  /** Names of contestants; null means all. */
  readonly only: readonly string[] | null;
  readonly modes: readonly Mode[];
  /** Webhooks for each upstream. */
  readonly counts: readonly number[];
  readonly queries: readonly QueryName[];
  readonly parts: readonly Part[];
  readonly rounds: number;
  /** Milliseconds that are counted of each turn: few, so that those who are compared run at about the same time. */
  readonly turnMs: number;
  /** Milliseconds of load before the first turn: as V8 compiles them, hookgraph and bff got faster for some ten thousand. */
  readonly warmUpMs: number;
  readonly quick: boolean;
  readonly json: boolean;
}

export const usage = `npm run bench -- [options]
  --quick             shorter turns, and fewer places to be measured in: less than three minutes
  --only bff,...      only these contestants, hookgraph or others
  --mode unchanged,.. only these of ${modes.join(', ')}
  --n 5,50            only so many webhooks for each upstream
  --query list,report only these queries
  --part latency,...  only these of ${parts.join(', ')}
  --rounds, --seconds how many turns each contestant has in a cell, and how long one is
  --json              the figures as JSON`;

/** Reads the command line. Throws where it is wrong. */
export function readOptions(args: readonly string[]): Options {
  const list = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: list,
      mode: list,
      n: list,
      query: list,
      part: list,
      rounds: list,
      seconds: list,
    },
  });
  const { quick, json } = values;
  // Whoever looks at some cells wants to see only them.
  const isNarrow = [values.only, values.mode, values.n, values.query].some((value) => value !== undefined);
  return {
    quick,
    json,
    only: values.only?.split(',') ?? null,
    modes: pick('mode', values.mode, modes) ?? ['unchanged', 'changing', 'default'],
    counts: values.n?.split(',').map((n) => whole('n', n)) ?? [5, 50, 500],
    queries: pick('query', values.query, queryNames) ?? (quick ? ['list'] : queryNames),
    parts: pick('part', values.part, parts) ?? (isNarrow ? ['throughput'] : parts),
    rounds: whole('rounds', values.rounds ?? (quick ? '2' : '10')),
    turnMs: 1000 * Number(values.seconds ?? (quick ? 0.4 : 0.6)),
    warmUpMs: quick ? 700 : 10_000,
  };
}

function pick<T extends string>(name: string, value: string | undefined, known: readonly T[]): T[] | undefined {
  return value?.split(',').map((word) => {
    const found = known.find((it) => it === word);
    if (found === undefined) throw new Error(`--${name}: there is no ${word}, but ${known.join(', ')}`);
    return found;
  });
}

function whole(name: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new Error(`--${name}: ${value} is no whole number`);
  return Number(value);
}
