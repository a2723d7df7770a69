import { others } from './contestants.ts';
import { readOptions, usage } from './options.ts';
import { startRig } from './rig/processes.ts';
import { formatThroughput, judgeThroughput } from './targets.ts';
import { isWanted, measureThroughput } from './throughput.ts';

/** Measures hookgraph beside others and prints one table for each target. Progress goes to stderr. */

const options = (() => {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}\n`);
    process.exit(2);
  }
})();

const startedAt = performance.now();
const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
const told = (what: string) => process.stderr.write(`${seconds().padStart(6)}  ${what}\n`);

const contestants = others.filter(({ name }) => isWanted(name, options.only));
await using rig = await startRig();
const cells = options.parts.includes('throughput') ? await measureThroughput(rig, contestants, options, told) : [];
const verdicts = judgeThroughput(cells);
if (options.json) {
  process.stdout.write(`${JSON.stringify({ node: process.version, cells, verdicts })}\n`);
} else {
  for (const table of formatThroughput(cells)) process.stdout.write(`\n${table}\n`);
}
told('done');
