import type { Bench } from './bench.ts';
import { hookgraph, isWanted, others, ownOthers } from './contestants.ts';
import { median } from './figures.ts';
import { queries } from './query.ts';
import { startContestant } from './rig/contestant-process.ts';
import { upstreamVariables } from './rig/upstreams.ts';

/** Milliseconds from the start of a contestant's process to its first answer. */
export interface Start {
  readonly contestant: string;
  readonly startMs: number;
}

/** Starts each as often as there are rounds. */
export async function measureStart({ rig, options, told, each }: Bench): Promise<Start[]> {
  told('start');
  const env = upstreamVariables(rig.stubPort, { rows: 'unchanged', count: 50, delayMs: 0 });
  const known = options.quick ? ownOthers : others;
  const contestants = [hookgraph.default, ...known].filter(({ name }) => isWanted(name, options.only));
  return await each(contestants, async (contestant) => {
    const times: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      await using running = await startContestant(contestant, env, queries.list);
      times.push(running.startMs);
    }
    return { contestant: contestant.name, startMs: median(times) };
  });
}
