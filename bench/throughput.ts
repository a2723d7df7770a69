import { type Bench, takeTurns } from './bench.ts';
import { checkAgreement, checkAnswers, type RowsById } from './check.ts';
import { type Contestant, hookgraph, isWanted, others, ownOthers, rowsOfMode } from './contestants.ts';
import { median } from './figures.ts';
import { type QueryName, queries } from './query.ts';
import { type RunningContestant, requestText, startContestant } from './rig/contestant-process.ts';
import type { JobResult } from './rig/generator.ts';
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
  /** The same for answers that were not whole, or otherwise not what was found right before. */
  readonly wrong: number;
  readonly firstWrong: string | null;
  readonly residentMiB: number;
}

const connections = 64;
const leadMs = 250;
/** Every connection is answered twice at least. */
const leastRequests = 2 * connections;

/**
 * Measures all cells. For each kind of rows and length, all contestants run at once, each idle but in its turns; turns take
 * turns, so that what disturbs the machine disturbs all.
 */
export async function measureThroughput(bench: Bench): Promise<Cell[]> {
  const { options, told } = bench;
  const cells: Cell[] = [];
  const kinds = [...new Set(options.modes.map((mode) => rowsOfMode(mode)))];
  for (const rows of kinds) {
    const own = options.modes.filter((mode) => rowsOfMode(mode) === rows).map((mode) => hookgraph[mode]);
    for (const count of options.counts) {
      const isForAll = !options.quick || (count === 50 && rows === 'changing');
      const known = isForAll ? others : ownOthers;
      const contestants = [...own, ...known].filter(({ name }) => isWanted(name, options.only));
      told(`${rows} rows, ${count} webhooks for each upstream`);
      cells.push(...(await measureGroup(bench, contestants, { rows, count, delayMs: 0 })));
    }
  }
  return cells;
}

async function measureGroup(
  bench: Bench,
  contestants: readonly Contestant[],
  shape: { readonly rows: RowKind; readonly count: number; readonly delayMs: number },
): Promise<Cell[]> {
  const { rig, options } = bench;
  await using stack = new AsyncDisposableStack();
  const env = upstreamVariables(rig.stubPort, shape);
  let running = await bench.each(contestants, async (contestant) =>
    stack.use(await startContestant(contestant, env, queries.list)),
  );
  const cells: Cell[] = [];
  for (const query of options.queries) {
    let expected: RowsById | undefined;
    const sizes = new Map<RunningContestant, number>();
    running = await bench.each(running, async (one) => {
      const { bytes, rows } = await checkAnswers(one, query, shape);
      sizes.set(one, bytes);
      expected ??= rows;
      if (shape.rows === 'unchanged') checkAgreement(one.name, rows, expected);
      return one;
    });
    const turn = (one: RunningContestant, ms: number, least: number) => {
      const { name, port, pid } = one;
      const job = { port, pid, request: requestText(port, queries[query]), connections, leadMs, ms };
      return rig.run(name, { ...job, leastRequests: least, bodyBytes: sizes.get(one) ?? null });
    };
    const warm = (one: RunningContestant) => turn(one, options.warmUpMs, 0);
    const timed = (one: RunningContestant) => turn(one, options.turnMs, leastRequests);
    const results = await takeTurns(bench, running, options.rounds, warm, timed);
    running = await bench.each([...results.keys()], async (one) => {
      await checkAnswers(one, query, shape);
      cells.push(summarize(one.name, query, shape, results.get(one) ?? []));
      return one;
    });
  }
  return cells;
}

function summarize(
  contestant: string,
  query: QueryName,
  { rows, count }: { readonly rows: RowKind; readonly count: number },
  results: readonly JobResult[],
): Cell {
  const all = sum(results.map(({ requests, refused, wrong }) => requests + refused + wrong));
  return {
    contestant,
    query,
    rows,
    count,
    requestsPerSecond: results.map(({ requests, elapsedMs }) => (1000 * requests) / elapsedMs),
    cpuMicros: median(results.map(({ cpuMicros, requests }) => cpuMicros / requests)),
    busy: median(results.map(({ cpuMicros, elapsedMs }) => cpuMicros / elapsedMs / 1000)),
    refused: sum(results.map(({ refused }) => refused)) / all,
    wrong: sum(results.map(({ wrong }) => wrong)) / all,
    firstWrong: results.find(({ wrong }) => wrong > 0)?.firstWrong ?? null,
    residentMiB: Math.max(...results.map(({ residentKiB }) => residentKiB / 1024)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
