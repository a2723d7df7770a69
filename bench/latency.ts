import { type Bench, takeTurns } from './bench.ts';
import { hookgraph, isWanted, others, ownOthers } from './contestants.ts';
import { medianDifference } from './figures.ts';
import { queries } from './query.ts';
import { requestText, startContestant } from './rig/contestant-process.ts';
import type { JobResult } from './rig/generator.ts';
import type { RowKind } from './rig/rows.ts';
import { upstreamKey, upstreamVariables } from './rig/upstreams.ts';

/** Milliseconds that one contestant adds to those of its upstreams, at the median, with one request at a time. */
export interface Latency {
  readonly contestant: string;
  readonly rows: RowKind;
  readonly addedMs: number;
}

const kinds = ['unchanged', 'changing'] as const;
const quickKinds = ['changing'] as const;

/** Measures all over upstreams that take 20 ms. What they take is measured beside, as timers are late. */
export async function measureLatency(bench: Bench): Promise<Latency[]> {
  const latencies: Latency[] = [];
  for (const rows of bench.options.quick ? quickKinds : kinds) latencies.push(...(await measureOver(bench, rows)));
  return latencies;
}

async function measureOver(bench: Bench, rows: RowKind): Promise<Latency[]> {
  const { rig, options, told } = bench;
  told(`latency over upstreams of 20 ms, ${rows} rows`);
  const shape = { rows, count: 50, delayMs: 20 };
  await using stack = new AsyncDisposableStack();
  const env = upstreamVariables(rig.stubPort, shape);
  const known = options.quick ? ownOthers : others;
  const contestants = [hookgraph[rows], ...known].filter(({ name }) => isWanted(name, options.only));
  const running = await bench.each(contestants, async (contestant) => {
    const { name, port, pid } = stack.use(await startContestant(contestant, env, queries.list));
    return { name, port, pid, request: requestText(port, queries.list) };
  });
  const path = `/${shape.rows}-${shape.count}-${shape.delayMs}/api/v1/webhooks`;
  const request = `GET ${path} HTTP/1.1\r\nauthorization: Bearer ${upstreamKey}\r\n\r\n`;
  const upstream = { name: 'the upstream', port: rig.stubPort, pid: process.pid, request };
  const turn = (one: typeof upstream, connections: number, ms: number): Promise<JobResult> => {
    const { name, port, pid, request } = one;
    const job = { port, pid, request, connections, leadMs: 100, ms, leastRequests: 0, bodyBytes: null };
    return rig.run(name, job);
  };
  const results = await takeTurns(
    bench,
    [upstream, ...running],
    options.rounds,
    // What is compiled only when it is used often enough is compiled after this.
    (one) => turn(one, 64, options.warmUpMs),
    (one) => turn(one, 1, options.turnMs),
  );
  const taken = (one: typeof upstream) => (results.get(one) ?? []).map(({ medianMs }) => medianMs);
  return running.map((one) => ({ contestant: one.name, rows, addedMs: medianDifference(taken(one), taken(upstream)) }));
}
