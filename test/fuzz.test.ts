import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { createYoga } from 'graphql-yoga';
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

/** Sends all cases, and says what was wrong with the first that went wrong. */
async function fuzz<T>(
  origin: string,
  cases: fc.Arbitrary<T>,
  attempt: (origin: string, value: T) => Promise<Verdict>,
): Promise<Verdict> {
  const property = fc.asyncProperty(cases, async (value) => {
    const verdict = await attempt(origin, value);
    if (verdict !== null) throw new Error(verdict);
  });
  const { errorInstance, counterexample } = await fc.check(property, { ...settings, endOnFailure: true });
  return errorInstance ? `${errorInstance} of ${fc.stringify(counterexample)}` : null;
}

const valid = (origin: string) => fuzz(origin, validAttempts(schema), (at, value) => tryHttp(at, value, true));
const mutated = (origin: string) => fuzz(origin, mutatedAttempts(schema), tryHttp);
const envelopes = (origin: string) => fuzz(origin, envelopeAttempts(), tryHttp);
const bytes = (origin: string) => fuzz(origin, byteAttempts(), tryBytes);

test.each([
  // Among them what only compositions read.
  ['whatever operation the schema allows', valid, true],
  ['documents that are broken', mutated, false],
  ['envelopes that hold anything', envelopes, false],
  ['bytes that are no HTTP', bytes, false],
])('answers %s, and goes on', async (_name, send, introspection) => {
  await using graph = await openGraph(undefined, { introspection, deliveryPayloads: true });
  await using server = await listen(graph.gateway);
  expect(await send(server.url)).toBeNull();
  expect((await fetch(`${server.url}/graphql?query={webhooks{totalCount}}`)).status).toBe(200);
});

/** The same requests without a front door before what answers them. */
async function sendBare(send: typeof valid, listener: RequestListener): Promise<Verdict> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test('would see operations that break the code behind the schema', async () => {
  expect(await sendBare(valid, createYoga({ schema, logging: false }))).toContain('INTERNAL_SERVER_ERROR');
});

test.each([
  ['documents that are answered with words of the schema', mutated, 'Did you mean'],
  ['envelopes that are refused without a word', envelopes, 'no JSON'],
  ['bytes that are refused without a word', bytes, 'answers HTTP/1.1 4'],
])('would see %s, as without the front door', async (_name, send, expected) => {
  await using graph = await openGraph();
  expect(await sendBare(send, graph.gateway.yoga)).toContain(expected);
});
