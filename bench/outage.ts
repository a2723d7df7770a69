import { type Bench, takeTurns } from './bench.ts';
import { hookgraph, isWanted } from './contestants.ts';
import { queries } from './query.ts';
import { askPatiently, type RunningContestant, requestText, startContestant } from './rig/contestant-process.ts';
import type { RowKind } from './rig/rows.ts';
import { upstreamVariables } from './rig/upstreams.ts';

/** What one request costs hookgraph while Diligent cannot be reached, and while both upstreams answer. */
export interface Outage {
  readonly rows: RowKind;
  /** Processor time of one request, round by round: what was measured in the same round may be compared. */
  readonly failingMicros: readonly number[];
  readonly wholeMicros: readonly number[];
}

const kinds = ['unchanged', 'changing'] as const;
const quickKinds = ['changing'] as const;
const count = 50;
/** Nobody listens there. */
const unreachable = { DILIGENT_API_URL: 'http://127.0.0.1:1' };

/** Whoever loses a provider must not lose the room for others as well: an answer with fewer rows should not cost more. */
export async function measureOutage(bench: Bench): Promise<Outage[]> {
  const { options, told } = bench;
  if (!isWanted(hookgraph.unchanged.name, options.only)) return [];
  const outages: Outage[] = [];
  for (const rows of options.quick ? quickKinds : kinds) {
    told(`cost while a source fails, ${rows} rows`);
    outages.push(...(await measureKind(bench, rows)));
  }
  return outages;
}

async function measureKind(bench: Bench, rows: RowKind): Promise<Outage[]> {
  const { rig, options } = bench;
  await using stack = new AsyncDisposableStack();
  const variables = upstreamVariables(rig.stubPort, { rows, count, delayMs: 0 });
  const states = await bench.each([unreachable, {}], async (more) => {
    const running = stack.use(await startContestant(hookgraph[rows], { ...variables, ...more }, queries.list));
    return { running, fails: more === unreachable };
  });
  const turn = async ({ running, fails }: (typeof states)[number], ms: number) => {
    const { name, port, pid } = running;
    // Why it fails, and with it the length of the answer, changes when the circuit opens.
    const job = { port, pid, request: requestText(port, queries.list), connections: 64, bodyBytes: null };
    const result = await rig.run(name, { ...job, leadMs: 100, ms, leastRequests: 128 });
    await checkState(running, fails);
    return result;
  };
  const results = await takeTurns(
    bench,
    states,
    options.rounds,
    (state) => turn(state, options.warmUpMs),
    (state) => turn(state, options.turnMs),
  );
  const [failingMicros, wholeMicros] = [...results.values()].map((rounds) =>
    rounds.map(({ cpuMicros, requests }) => cpuMicros / requests),
  );
  return failingMicros && wholeMicros ? [{ rows, failingMicros, wholeMicros }] : [];
}

/** Throws unless the answer has all rows, or those of API Mall and an error for the others. */
async function checkState({ name, port }: RunningContestant, fails: boolean): Promise<void> {
  const { text } = await askPatiently(port, queries.list);
  const { data, errors = [] } = JSON.parse(text);
  const seen = [data.webhooks.nodes.length, ...errors.map((error: FailedSource) => error.extensions.source)];
  const wanted = fails ? [count, 'diligent'] : [2 * count];
  if (String(seen) !== String(wanted)) throw new Error(`${name} shows ${seen} where ${wanted} was due`);
}

interface FailedSource {
  readonly extensions: { readonly source: string };
}
