import type { Bench } from './bench.ts';
import { hookgraph, isWanted } from './contestants.ts';
import { median } from './figures.ts';
import { countQuery } from './query.ts';
import { ask, requestText, startContestant } from './rig/contestant-process.ts';
import type { JobResult } from './rig/generator.ts';
import type { RowKind } from './rig/rows.ts';
import { upstreamVariables } from './rig/upstreams.ts';

/** What one request costs hookgraph when the lists are longer than a page. */
export interface Cost {
  readonly rows: RowKind;
  readonly count: number;
  readonly cpuMicros: number;
}

const counts = [500, 1000, 2000, 5000];
const quickCounts = [1000, 5000];

/** Measures a page of a thousand and the number of all rows, by processor time: a few connections are enough. */
export async function measureCost(bench: Bench): Promise<Cost[]> {
  const { options, told } = bench;
  const kinds = ['unchanged', 'changing'] as const;
  const cases = kinds.flatMap((rows) => (options.quick ? quickCounts : counts).map((count) => ({ rows, count })));
  if (!isWanted(hookgraph.unchanged.name, options.only)) return [];
  told(`cost of long lists, up to ${counts.at(-1)} webhooks for each upstream`);
  return await bench.each(cases, ({ rows, count }) => measureCase(bench, rows, count));
}

async function measureCase({ rig, options }: Bench, rows: RowKind, count: number): Promise<Cost> {
  const env = upstreamVariables(rig.stubPort, { rows, count, delayMs: 0 });
  await using running = await startContestant(hookgraph[rows], env, countQuery);
  const { name, port, pid } = running;
  const { text } = await ask(port, countQuery);
  const { data } = JSON.parse(text);
  const seen = [data.webhooks.totalCount, new Set(data.webhooks.nodes.map(({ id }: { id: string }) => id)).size];
  if (seen[0] !== 2 * count || seen[1] !== 1000) throw new Error(`${name} counts ${seen} of ${2 * count} webhooks`);
  const job = { port, pid, request: requestText(port, countQuery), connections: 4, bodyBytes: Buffer.byteLength(text) };
  await rig.run(name, { ...job, leadMs: 0, ms: options.warmUpMs, leastRequests: 0 });
  const results: JobResult[] = [];
  for (let round = 0; round < options.rounds; round++) {
    results.push(await rig.run(name, { ...job, leadMs: 0, ms: options.turnMs, leastRequests: options.quick ? 4 : 16 }));
  }
  return { rows, count, cpuMicros: median(results.map(({ cpuMicros, requests }) => cpuMicros / requests)) };
}
