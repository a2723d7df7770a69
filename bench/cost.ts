import { type Bench, takeTurns } from './bench.ts';
import { hookgraph, isWanted } from './contestants.ts';
import { countQuery } from './query.ts';
import { ask, type RunningContestant, requestText, startContestant } from './rig/contestant-process.ts';
import type { RowKind } from './rig/rows.ts';
import { upstreamVariables } from './rig/upstreams.ts';

/** What one request costs hookgraph when the lists are longer than a page. */
export interface Cost {
  readonly rows: RowKind;
  readonly count: number;
  /** Processor time of one request, round by round: what was measured in the same round may be compared. */
  readonly cpuMicros: readonly number[];
}

const kinds = ['unchanged', 'changing'] as const;
const counts = [500, 1000, 2000, 5000];
const quickCounts = [1000, 5000];

/** Measures a page of a thousand and the number of all rows, by processor time: a few connections are enough. */
export async function measureCost(bench: Bench): Promise<Cost[]> {
  const { options, told } = bench;
  if (!isWanted(hookgraph.unchanged.name, options.only)) return [];
  const costs: Cost[] = [];
  for (const rows of kinds) {
    told(`cost of long lists, ${rows} rows, up to ${counts.at(-1)} webhooks for each upstream`);
    costs.push(...(await measureKind(bench, rows)));
  }
  return costs;
}

/** All lengths at once, each idle but in its turns. */
async function measureKind(bench: Bench, rows: RowKind): Promise<Cost[]> {
  const { rig, options } = bench;
  await using stack = new AsyncDisposableStack();
  const lengths = await bench.each(options.quick ? quickCounts : counts, async (count) => {
    const env = upstreamVariables(rig.stubPort, { rows, count, delayMs: 0 });
    const running = stack.use(await startContestant(hookgraph[rows], env, countQuery));
    return { count, running, bodyBytes: await checkCount(running, count) };
  });
  const turn = ({ running, bodyBytes }: (typeof lengths)[number], ms: number, leastRequests: number) => {
    const { name, port, pid } = running;
    const job = { port, pid, request: requestText(port, countQuery), connections: 4, bodyBytes };
    return rig.run(name, { ...job, leadMs: 0, ms, leastRequests });
  };
  const results = await takeTurns(
    bench,
    lengths,
    options.rounds,
    (length) => turn(length, options.warmUpMs, 0),
    (length) => turn(length, options.turnMs, options.quick ? 4 : 16),
  );
  return [...results].map(([{ count }, rounds]) => ({
    rows,
    count,
    cpuMicros: rounds.map(({ cpuMicros, requests }) => cpuMicros / requests),
  }));
}

/** Throws unless the answer counts all and shows a page of them; returns how many bytes it has. */
async function checkCount({ name, port }: RunningContestant, count: number): Promise<number> {
  const { text } = await ask(port, countQuery);
  const { data } = JSON.parse(text);
  const seen = [data.webhooks.totalCount, new Set(data.webhooks.nodes.map(({ id }: { id: string }) => id)).size];
  if (seen[0] !== 2 * count || seen[1] !== 1000) throw new Error(`${name} counts ${seen} of ${2 * count} webhooks`);
  return Buffer.byteLength(text);
}
