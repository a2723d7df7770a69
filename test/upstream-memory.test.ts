import type { RequestListener } from 'node:http';
import { Client } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { collect } from './support/collect.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow } from './support/rows.ts';
import { startUpstream } from './support/upstream.ts';

/** What lived through two minor collections is collected late: old, for V8. */
function growOld(): void {
  collect({ type: 'minor' });
  collect({ type: 'minor' });
}

const answers = 100;
/** A list of another text at each call, which comes with its headers in one read. */
const bodyBytes = 40_000;
let count = 0;
const listener: RequestListener = (request, response) => {
  count += 1;
  apimallList(apimallRow({ url: `https://example.com/${count}/${'x'.repeat(bodyBytes)}` }))(request, response);
};

/** Bodies that are still in memory after a hundred answers on a connection that grew old before each of them. */
async function countKept(ask: () => Promise<unknown>): Promise<number> {
  await ask();
  growOld();
  const before = process.memoryUsage().arrayBuffers;
  for (let number = 0; number < answers; number++) {
    await ask();
    growOld();
  }
  return (process.memoryUsage().arrayBuffers - before) / bodyBytes;
}

test('keeps no body that came over a connection which had waited', async () => {
  // What is kept on purpose is the body that came last.
  await using graph = await openGraph({ apimall: listener }, { reuseSnapshots: false });
  expect(await countKept(() => graph.query('{ webhooks { nodes { id } } }'))).toBeLessThan(answers / 4);
});

test('would keep most of them if it left to undici what came with their headers', async () => {
  await using upstream = await startUpstream(listener);
  const client = new Client(upstream.url);
  onTestFinished(() => client.destroy());
  const ask = async () => (await client.request({ method: 'GET', path: '/' })).body.text();
  // Where these are few, undici lets go by itself.
  expect(await countKept(ask)).toBeGreaterThan(answers / 2);
});
