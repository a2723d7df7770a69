import { expect, onTestFinished, test } from 'vitest';
import { startRig } from '../bench/rig/processes.ts';
import { upstreamVariables } from '../bench/rig/upstreams.ts';
import { tuneCollector } from '../src/garbage.ts';
import { collect } from './support/collect.ts';
import { startProgram } from './support/program.ts';

/** Major collections that the program tells of so far. */
async function majorsOf(url: string): Promise<number> {
  const metrics = await (await fetch(new URL('/metrics', url))).text();
  return Number(/^nodejs_gc_duration_seconds_count\{kind="major"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

/** Those that come while the program reads 260 MB of lists which did not change. */
async function countMajors(env: Record<string, string> = {}): Promise<number> {
  await using rig = await startRig();
  const shape = { rows: 'unchanged', count: 2000, delayMs: 0 } as const;
  await using program = await startProgram({ ...upstreamVariables(rig.stubPort, shape), ...env });
  const body = JSON.stringify({ query: '{ webhooks(first: 1) { totalCount } }' });
  const ask = async (): Promise<void> => {
    const response = await fetch(program.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const answer = await response.text();
    // Where the machine is busy with something else, it is told to come back.
    if (response.status === 503) return ask();
    expect(answer).toBe('{"data":{"webhooks":{"totalCount":4000}}}');
  };
  // The first answers are made anew, and what makes them is compiled.
  for (let times = 0; times < 20; times++) await ask();
  const before = await majorsOf(program.url);
  for (let times = 0; times < 300; times++) await ask();
  return (await majorsOf(program.url)) - before;
}

test('begins no major collection for what was read from sockets', async () => {
  expect(await countMajors()).toBeLessThanOrEqual(1);
});

test('does so at every 64 MB where V8 goes by its own rules', async () => {
  const withoutFlags = `import v8 from 'node:v8';
    import { syncBuiltinESMExports } from 'node:module';
    v8.setFlagsFromString = () => {};
    syncBuiltinESMExports();`;
  const majors = await countMajors({
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(withoutFlags)}`,
  });
  // Where this is none, V8 needs no flag any more.
  expect(majors).toBeGreaterThanOrEqual(3);
});

/** KiB that minor collections leave of 300 buffers of 3000 bytes, which nobody holds, where one comes with every fourth. */
function measureOld(): number {
  collect({ type: 'minor' });
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 0; number < 300; number++) {
    Buffer.from('x'.repeat(3000));
    if (number % 4 === 3) collect({ type: 'minor' });
  }
  return (process.memoryUsage().arrayBuffers - before) / 1024;
}

test('lets small buffers go with the young', () => {
  tuneCollector();
  expect(measureOld()).toBeLessThan(100);
});

test('would keep them with as much as Node 26 takes for them at once', () => {
  const { poolSize } = Buffer;
  onTestFinished(() => {
    Buffer.poolSize = poolSize;
  });
  Buffer.poolSize = 65_536;
  expect(measureOld()).toBeGreaterThan(500);
});
