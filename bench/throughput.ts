import { checkAgreement, checkAnswers } from './check.ts';
import { type Contestant, hookgraph, type Mode } from './contestants.ts';
import { median } from './figures.ts';
import type { Options } from './options.ts';
import { type QueryName, queries } from './query.ts';
import { type RunningContestant, requestText, startContestant } from './rig/contestant-process.ts';
import type { JobResult } from './rig/generator.ts';
import type { Rig } from './rig/processes.ts';
import type { RowKind } from './rig/rows.ts';
import { upstreamVariables } from './rig/upstreams.ts';

/** How one contestant did with one query, one kind of rows and one length of lists. */
export interface Cell {
  readonly contestant: string;
  readonly query: QueryName;
  readonly rows: RowKind;
  readonly count: number;
  /** One for each round, in order: what was measured in the same round may be compared. */
  readonly requestsPerSecond: readonly number[];
  /** Median microseconds of the contestant's own processor time for one request. */
  readonly cpuMicros: number;
  /** How much of its processor it had work for, 0 to 1: far below 1, something else was the bottleneck. */
  readonly busy: number;
  /** The part of the requests that were answered 503, 0 to 1, which `requestsPerSecond` leaves out. */
  readonly refused: number;
  readonly residentMiB: number;
}

const connections = 64;
const leadMs = 250;
/** Every connection is answered twice at least. */
const leastRequests = 2 * connections;

const rowsOf: Readonly<Record<Mode, RowKind>> = {
  unchanged: 'unchanged',
  default: 'unchanged',
  changing: 'changing',
  some: 'some',
};

/**
 * Measures all cells. For each kind of rows and length, all contestants run at once, each idle but in its turns; turns take
 * turns, so that what disturbs the machine disturbs all. `told` hears of progress. Throws where an answer is wrong.
 */
export async function measureThroughput(
  rig: Rig,
  others: readonly Contestant[],
  options: Options,
  told: (what: string) => void,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  const kinds = [...new Set(options.modes.map((mode) => rowsOf[mode]))];
  for (const rows of kinds) {
    const own = options.modes.filter((mode) => rowsOf[mode] === rows).map((mode) => hookgraph[mode]);
    const contestants = [...own, ...others].filter(({ name }) => isWanted(name, options.only));
    for (const count of options.counts) {
      told(`${rows} rows, ${count} webhooks for each upstream`);
      cells.push(...(await measureGroup(rig, contestants, { rows, count, delayMs: 0 }, options)));
    }
  }
  return cells;
}

/** `hookgraph` means it with any settings. */
export function isWanted(name: string, only: readonly string[] | null): boolean {
  return only === null || only.includes(name.replace(/,.*/, ''));
}

async function measureGroup(
  rig: Rig,
  contestants: readonly Contestant[],
  shape: { readonly rows: RowKind; readonly count: number; readonly delayMs: number },
  options: Options,
): Promise<Cell[]> {
  await using stack = new AsyncDisposableStack();
  const env = upstreamVariables(rig.stubPort, shape);
  const running: RunningContestant[] = [];
  for (const contestant of contestants) {
    running.push(stack.use(await startContestant(contestant, env, queries.list)));
  }
  const cells: Cell[] = [];
  for (const query of options.queries) {
    const sizes = new Map<RunningContestant, number>();
    let expected: Parameters<typeof checkAgreement>[1] | undefined;
    for (const one of running) {
      const { bytes, rows } = await checkAnswers(one, query, shape);
      sizes.set(one, bytes);
      expected ??= rows;
      if (shape.rows === 'unchanged') checkAgreement(one.contestant.name, rows, expected);
    }
    const turn = (one: RunningContestant, ms: number) => takeTurn(rig, one, query, sizes.get(one) ?? null, ms);
    for (const one of running) await turn(one, options.warmUpMs);
    const results = new Map<RunningContestant, JobResult[]>(running.map((one) => [one, []]));
    for (let round = 0; round < options.rounds; round++) {
      // Who begins changes: none always comes after the same other.
      const order = running.map((_one, index) => running[(index + round) % running.length]);
      for (const one of order) if (one) results.get(one)?.push(await turn(one, options.turnMs));
    }
    for (const one of running) {
      await checkAnswers(one, query, shape);
      cells.push(summarize(one.contestant.name, query, shape, results.get(one) ?? []));
    }
  }
  return cells;
}

async function takeTurn(
  rig: Rig,
  { contestant, port, pid }: RunningContestant,
  query: QueryName,
  bodyBytes: number | null,
  ms: number,
): Promise<JobResult> {
  const request = requestText(port, queries[query]);
  const result = await rig.run({ port, request, connections, leadMs, ms, leastRequests, bodyBytes, pid });
  if (result.wrong > 0) {
    throw new Error(
      `${contestant.name} gave ${result.wrong} wrong answers under load; the first: ${result.firstWrong}`,
    );
  }
  return result;
}

function summarize(
  contestant: string,
  query: QueryName,
  { rows, count }: { readonly rows: RowKind; readonly count: number },
  results: readonly JobResult[],
): Cell {
  return {
    contestant,
    query,
    rows,
    count,
    requestsPerSecond: results.map(({ requests, elapsedMs }) => (1000 * requests) / elapsedMs),
    cpuMicros: median(results.map(({ cpuMicros, requests }) => cpuMicros / requests)),
    busy: median(results.map(({ cpuMicros, elapsedMs }) => cpuMicros / elapsedMs / 1000)),
    refused:
      sum(results.map(({ refused }) => refused)) / sum(results.map(({ refused, requests }) => refused + requests)),
    residentMiB: Math.max(...results.map(({ residentKiB }) => residentKiB / 1024)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
