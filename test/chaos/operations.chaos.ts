import { test } from 'vitest';
import { type Asked, askAgain } from '../support/again.ts';
import { collect } from '../support/collect.ts';
import { type Graph, openGraph } from '../support/graph.ts';
import { apimallList, apimallRow } from '../support/rows.ts';
import { fallWithout, hold } from './support/figures.ts';

/** MiB that are still in use, in and out of the heap. */
function usedMiB(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

/** MiB in use, after a tenth and at the end. */
interface Used {
  readonly early: number;
  readonly late: number;
}

/**
 * Asks so many operations that nobody asked before, of which every hundredth so often that its answer is kept, and returns what is
 * in use after a tenth of them and after all. `keep` gets each answer.
 */
async function ask(graph: Graph, operations: number, keep: (asked: Asked) => void = () => {}): Promise<Used> {
  let early = 0;
  for (let number = 0; number < operations; number++) {
    if (number === operations / 10) early = usedMiB();
    const isAskedOften = number % 100 === 0;
    const query = isAskedOften
      ? `{ a${number}: webhooks { nodes { id url } complete } }`
      : `{ a${number}: __typename }`;
    for (let times = 0; times < (isAskedOften ? 5 : 1); times++) keep(await askAgain(graph, query));
  }
  return { early, late: usedMiB() };
}

const what = 'a million distinct operations, every hundredth of them five times';
const promised = 'memory at most 80 MiB over what it is after a tenth of them: 32 of answers, 48 of queries';
const describe = ({ early, late }: Used) => `${early.toFixed(0)}, then ${late.toFixed(0)} MiB`;
const isHeld = ({ early, late }: Used) => late - early <= 80;

const rows = apimallList(...Array.from({ length: 20 }, (_, id) => apimallRow({ id: id + 1 })));

test('holds no more of a million operations than of a hundred thousand', async () => {
  await using graph = await openGraph({ apimall: rows });
  const used = await ask(graph, 1_000_000);
  hold(what, promised, describe(used), isHeld(used));
}, 900_000);

test('sees what is held of operations', async () => {
  await using graph = await openGraph({ apimall: rows });
  const kept: string[] = [];
  const keep = ({ text }: Asked) => kept.push(`${text}${' '.repeat(8000)}`.split('').join(''));
  const used = await ask(graph, 20_000, keep);
  fallWithout('letting go of answers', what, promised, describe(used), isHeld(used));
}, 300_000);
