import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { schema } from '../../src/schema/index.ts';
import {
  byteAttempts,
  envelopeAttempts,
  mutatedAttempts,
  shedCount,
  tryBytes,
  tryHttp,
  type Verdict,
  validAttempts,
} from '../support/fuzz.ts';
import { startUpstream } from '../support/upstream.ts';
import { isWhole, openClient } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { type Gateway, startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows } from './support/upstreams.ts';

/** Tries so many cases of each kind at the same time, and tells what was wrong with the first case of each kind that went wrong. */
async function run(cases: number, start: typeof startGateway, isUnderTest: (gateway: Gateway) => Promise<void>) {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startUpstream(diligentRows(10));
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url });
  const { origin } = new URL(gateway.url);
  async function fuzz<T>(values: fc.Arbitrary<T>, attempt: (value: T) => Promise<Verdict>): Promise<string> {
    const property = fc.asyncProperty(values, async (value) => {
      const verdict = await attempt(value);
      if (verdict !== null) throw new Error(verdict);
    });
    const result = await fc.check(property, { numRuns: cases, interruptAfterTimeLimit: 240_000 });
    if (result.failed && !result.interrupted) {
      return `seed ${result.seed}: ${fc.stringify(result.counterexample)}: ${result.errorInstance}`;
    }
    return result.numRuns === cases ? '' : `only ${result.numRuns} cases in time`;
  }
  const violations = await Promise.all([
    fuzz(validAttempts(schema), (attempt) => tryHttp(origin, attempt, true)),
    fuzz(mutatedAttempts(schema), (attempt) => tryHttp(origin, attempt)),
    fuzz(envelopeAttempts(), (attempt) => tryHttp(origin, attempt)),
    fuzz(byteAttempts(), (bytes) => tryBytes(origin, bytes)),
  ]);
  await isUnderTest(gateway);
  return violations.filter((violation) => violation !== '');
}

test('answers whatever comes, and goes on', async () => {
  const cases = 5000;
  const violations = await run(cases, startGateway, async (gateway) => {
    await using client = openClient(gateway, 1);
    expect(isWhole(await client.ask())).toBe(true);
    expect(gateway.output().split('\n')).toHaveLength(3);
  });
  hold(
    'fuzz',
    `${4 * cases} cases, 0 violations`,
    violations.length === 0
      ? `0 violations, ${shedCount()} answers OVERLOADED and asked again`
      : violations.join('; ').slice(0, 2000),
    violations.length === 0,
  );
});

test('finds what a bare Yoga does', async () => {
  const violations = await run(200, startBareGateway, async () => {});
  const found = `${violations.length} of 4 kinds with violations`;
  fallWithout('the front door', 'fuzz', '0 violations', found, violations.length === 0);
});
