import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { schema } from '../src/schema/index.ts';
import {
  byteAttempts,
  envelopeAttempts,
  mutatedAttempts,
  tryBytes,
  tryHttp,
  type Verdict,
  validAttempts,
} from './support/fuzz.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

/** The same cases in every run; the long run in test/chaos has others each time. */
const settings = { seed: 1, numRuns: 250 };

async function fuzz<T>(cases: fc.Arbitrary<T>, attempt: (origin: string, value: T) => Promise<Verdict>): Promise<void> {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway);
  await fc.assert(
    fc.asyncProperty(cases, async (value) => {
      expect(await attempt(server.url, value)).toBeNull();
    }),
    settings,
  );
  expect((await fetch(`${server.url}/graphql?query={webhooks{totalCount}}`)).status).toBe(200);
}

test('answers whatever operation the schema allows', async () => {
  await fuzz(validAttempts(schema), (origin, value) => tryHttp(origin, value, true));
});

test('answers documents that are broken', async () => {
  await fuzz(mutatedAttempts(schema), tryHttp);
});

test('answers envelopes that hold anything', async () => {
  await fuzz(envelopeAttempts(), tryHttp);
});

test('refuses bytes that are no HTTP', async () => {
  await fuzz(byteAttempts(), tryBytes);
});
