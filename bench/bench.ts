import type { Options } from './options.ts';
import type { JobResult } from './rig/generator.ts';
import type { Rig } from './rig/processes.ts';

/** What every measurement works with. */
export interface Bench {
  readonly rig: Rig;
  readonly options: Options;
  /** What went wrong so far: the figures of whoever it concerns are missing. */
  readonly faults: readonly string[];
  /** Hears of progress. */
  told(what: string): void;
  /** Does this for one after the other, and returns what came of those with whom it went well. */
  each<T, R>(those: readonly T[], work: (one: T) => Promise<R>): Promise<R[]>;
}

export function createBench(rig: Rig, options: Options, told: (what: string) => void): Bench {
  const faults: string[] = [];
  return {
    rig,
    options,
    faults,
    told,
    async each(those, work) {
      const results: Awaited<ReturnType<typeof work>>[] = [];
      for (const one of those) {
        try {
          results.push(await work(one));
        } catch (error) {
          const fault = error instanceof Error ? error.message : String(error);
          told(`FAULT: ${fault}`);
          faults.push(fault);
        }
      }
      return results;
    },
  };
}

/** All warm up, then take turns for so many rounds. Whoever fails in one is left out. */
export async function takeTurns<T>(
  bench: Bench,
  those: readonly T[],
  rounds: number,
  warmUp: (one: T) => Promise<JobResult>,
  turn: (one: T) => Promise<JobResult>,
): Promise<Map<T, JobResult[]>> {
  let left = await bench.each(those, async (one) => {
    await warmUp(one);
    return { one, results: [] as JobResult[] };
  });
  for (let round = 0; round < rounds; round++) {
    left = await bench.each(left, async (it) => {
      it.results.push(await turn(it.one));
      return it;
    });
    // Who begins changes: none always comes after the same other.
    left.push(...left.splice(0, 1));
  }
  const byOne = new Map(left.map(({ one, results }) => [one, results]));
  return new Map(those.flatMap((one) => (byOne.has(one) ? [[one, byOne.get(one) ?? []]] : [])));
}
