import { createBench } from './bench.ts';
import { hookgraph, isWanted, others } from './contestants.ts';
import { measureCost } from './cost.ts';
import { buildProgram, installPackages } from './install.ts';
import { measureLatency } from './latency.ts';
import { type Part, readOptions, usage } from './options.ts';
import { measureOutage } from './outage.ts';
import { startRig } from './rig/processes.ts';
import { measureStart } from './start.ts';
import { formatFigures, formatThroughput, formatVerdicts } from './tables.ts';
import { judgeCost, judgeLatency, judgeOutage, judgeStart, judgeThroughput } from './targets.ts';
import { measureThroughput } from './throughput.ts';

/** Measures hookgraph beside others and prints one table for each target. Progress goes to stderr. */

const options = (() => {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}\n`);
    process.exit(2);
  }
})();

// By itself, a signal would end this process and leave those that it started.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const startedAt = performance.now();
function told(what: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  process.stderr.write(`${`${seconds} s`.padStart(6)}  ${what}\n`);
}

if (others.some(({ name, isForeign }) => isForeign && isWanted(name, options.only))) installPackages(told);
if (isWanted(hookgraph.default.name, options.only)) buildProgram(told);
await using rig = await startRig();
const bench = createBench(rig, options, told);
const does = (part: Part) => options.parts.includes(part);
const cells = does('throughput') ? await measureThroughput(bench) : [];
const latencies = does('latency') ? await measureLatency(bench) : [];
const starts = does('start') ? await measureStart(bench) : [];
const costs = does('cost') ? await measureCost(bench) : [];
const outages = does('outage') ? await measureOutage(bench) : [];
const { faults } = bench;
const verdicts = [
  ...judgeThroughput(cells),
  ...judgeLatency(latencies),
  ...judgeStart(starts),
  ...judgeCost(costs),
  ...judgeOutage(outages),
];
told('done');

const tables = [
  ...formatThroughput(cells),
  ...formatFigures(
    'Latency added over an upstream of 20 ms, ms',
    latencies.map(({ contestant, rows, addedMs }) => [`${contestant}, ${rows} rows`, addedMs.toFixed(2)]),
  ),
  ...formatFigures(
    'Start to first answer, ms',
    starts.map(({ contestant, startMs }) => [contestant, startMs.toFixed(0)]),
  ),
  ...formatVerdicts(verdicts),
];
const json = JSON.stringify({ node: process.version, cells, latencies, starts, costs, outages, verdicts, faults });
process.stdout.write(options.json ? `${json}\n` : `\n${tables.join('\n\n')}\n`);
for (const fault of faults) process.stderr.write(`FAULT: ${fault}\n`);
// A floor that is not held is shown and no more: machines are not quiet enough for an exit code.
process.exitCode = faults.length > 0 ? 1 : 0;
