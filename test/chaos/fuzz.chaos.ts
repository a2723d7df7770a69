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

interface Run {
  /** Of each kind. */
  readonly cases: number;
  readonly start?: typeof startGateway;
  readonly env: Record<string, string>;
  readonly check?: (gateway: Gateway) => Promise<void>;
}

/** Tries cases of each kind at the same time, and tells what was wrong with the first of each that went wrong; '' for nothing. */
async function run({ cases, start = startGateway, env, check }: Run) {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startUpstream(diligentRows(10));
  const urls = { apimall: apimall.url, diligent: diligent.url };
  await using gateway = await start(urls, env);
  const { origin } = new URL(gateway.url);
  // Some of what the schema allows is hidden with it.
  await using open = await start(urls, { ...env, INTROSPECTION: 'on' });
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
  const [valid, mutated, envelopes, bytes] = await Promise.all([
    fuzz(validAttempts(schema), (attempt) => tryHttp(new URL(open.url).origin, attempt, true)),
    fuzz(mutatedAttempts(schema), (attempt) => tryHttp(origin, attempt)),
    fuzz(envelopeAttempts(), (attempt) => tryHttp(origin, attempt)),
    fuzz(byteAttempts(), (bytes) => tryBytes(origin, bytes)),
  ]);
  await check?.(gateway);
  return { valid, mutated, envelopes, bytes };
}

test('answers whatever comes, and goes on', async () => {
  const cases = 5000;
  const found = await run({
    cases,
    env: { INTROSPECTION: 'off' },
    async check(gateway) {
      await using client = openClient(gateway, 1);
      expect(isWhole(await client.ask())).toBe(true);
      expect(gateway.lines().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    },
  });
  const violations = Object.values(found).filter((violation) => violation !== '');
  hold(
    'fuzz',
    `${4 * cases} cases, 0 violations`,
    violations.length === 0
      ? `0 violations, ${shedCount()} answers OVERLOADED and asked again`
      : violations.join('; ').slice(0, 2000),
    violations.length === 0,
  );
});

test('finds what a bare Yoga does, by each kind of what is not in order', async () => {
  const { mutated, envelopes, bytes } = await run({
    cases: 1000,
    start: startBareGateway,
    env: { INTROSPECTION: 'on' },
  });
  for (const [kind, violation] of Object.entries({ 'mutated documents': mutated, envelopes, bytes })) {
    const found = violation
      .replace(/^.*?Error: /s, '')
      .replace(/\s+/g, ' ')
      .slice(0, 60);
    fallWithout('the front door', `fuzz: ${kind}`, `0 violations (${kind})`, found, violation === '');
  }
});
