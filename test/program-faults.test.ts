import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { eventually } from './support/eventually.ts';
import { ask, type Program, startProgram } from './support/program.ts';
import { apimallList, apimallRow } from './support/rows.ts';
import { after, hang, startUpstream } from './support/upstream.ts';

vi.setConfig({ maxConcurrency: 3 });

/** Runs in the program before it, and lets a fault of ours happen there on a signal: nobody handles it. */
const faults = {
  'a rejection': "Promise.reject(new Error('stray'))",
  'an exception': "setImmediate(() => { throw new Error('stray'); })",
};

function onSignal(fault: keyof typeof faults): Record<string, string> {
  const script = `process.on('SIGUSR2', () => { ${faults[fault]} });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

const query = '{ webhooks { totalCount } }';

/** Starts the program before an upstream, asks it, and lets the fault happen while the upstream is silent. */
async function stray(url: string, fault: keyof typeof faults, calls: () => number, env: Record<string, string> = {}) {
  const program = await startProgram({
    APIMALL_API_KEY: 'sk-canary',
    APIMALL_API_URL: url,
    ...env,
    ...onSignal(fault),
  });
  const answer = ask(program.url, query).catch(() => 'cut');
  await eventually(() => expect(calls()).toBe(1));
  process.kill(program.pid, 'SIGUSR2');
  return { program, answer };
}

function expectTold(program: Program): void {
  expect(program.output()).toContain('stray');
  expect(program.output()).not.toContain('canary');
}

test.concurrent.each(['a rejection', 'an exception'] as const)(
  'tells of %s that nobody handles, and ends with 1',
  async (fault) => {
    await using upstream = await startUpstream(hang);
    const { program } = await stray(upstream.url, fault, () => upstream.calls.length, { DRAIN_MS: '200' });
    await using _ = program;
    expect(await program.ended).toBe(1);
    expectTold(program);
  },
);

test.concurrent.each(['a rejection', 'an exception'] as const)(
  'lets answers under way finish after %s that nobody handles',
  async (fault) => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    await using upstream = await startUpstream(after(() => released, apimallList(apimallRow())));
    const { program, answer } = await stray(upstream.url, fault, () => upstream.calls.length);
    await using _ = program;
    await eventually(() => expect(program.output()).toContain('stray'));
    release();
    expect(await answer).toEqual({ data: { webhooks: { totalCount: 1 } } });
    expect(await program.ended).toBe(1);
    expectTold(program);
  },
);

test.concurrent.each([
  ['a signal comes after a fault', ['SIGUSR2', 'SIGTERM']],
  ['a fault comes after a signal', ['SIGTERM', 'SIGUSR2']],
] as const)('lets answers under way finish and ends with 1 where %s', async (_order, signals) => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using upstream = await startUpstream(after(() => released, apimallList(apimallRow())));
  await using program = await startProgram({
    APIMALL_API_KEY: 'sk-canary',
    APIMALL_API_URL: upstream.url,
    ...onSignal('a rejection'),
  });
  const answer = ask(program.url, query).catch(() => 'cut');
  await eventually(() => expect(upstream.calls.length).toBe(1));
  for (const signal of signals) {
    process.kill(program.pid, signal);
    // Longer than two signals may be apart and still be one.
    await sleep(700);
  }
  release();
  expect(await answer).toEqual({ data: { webhooks: { totalCount: 1 } } });
  expect(await program.ended).toBe(1);
  expectTold(program);
});
