import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What Linux counts processor time in (`CLK_TCK`), which is the same on every machine of today. */
const microsPerTick = 10_000;

/** The processor time of a process so far in microseconds: user and system, all its threads, to ten milliseconds. */
export function readCpuMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name, in parentheses, may hold spaces. Behind it, user and system time are the 12th and the 13th (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}

const lookMs = 100;
const longestWaitMs = 20_000;

/** Waits until a process has done what it was asked for, though nobody waits for it any more: it would take time from who is next. */
export async function waitUntilIdle(pid: number): Promise<void> {
  let before = Number.NEGATIVE_INFINITY;
  for (let waitedMs = 0; waitedMs < longestWaitMs; waitedMs += lookMs) {
    const now = readCpuMicros(pid);
    // To work for a tenth of the time is what timers take, at most.
    if (now - before <= microsPerTick) return;
    before = now;
    await sleep(lookMs);
  }
}

/** What a process holds in memory now. */
export function readResidentKiB(pid: number): number {
  const [, size] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(size);
}

/** The processors that this process may run on; none where the system is not Linux. */
export function readProcessors(): number[] {
  if (process.platform !== 'linux') return [];
  const [, list = ''] = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_none, index) => first + index);
  });
}
