import { Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createCounter, createHistogram } from '../src/series.ts';

const bounds = [0.001, 0.01, 0.25, 1];
const description = { name: 'seconds', help: 'How long it took.', labelNames: ['route', 'status'] };

/** The lines of a scrape, in an order of their own: how a series is written does not depend on when it was first seen. */
async function scrape(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').sort();
}

test('shows a histogram as prom-client shows one that was told the same', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const histogram = createHistogram(ours, description, bounds);
  const model = new Histogram({ ...description, buckets: bounds, registers: [theirs] });
  histogram.add(['graphql', 404]);
  model.zero({ route: 'graphql', status: 404 });
  const edges = bounds.flatMap((bound) => [bound - 1e-9, bound, bound + 1e-9]);
  for (const [place, seconds] of [0, ...edges, 3600].entries()) {
    const [route, status] = [place % 2 ? 'graphql' : 'probe', place % 3 ? 200 : 503];
    histogram.add([route, status], seconds);
    model.observe({ route, status }, seconds);
  }
  const lines = await scrape(ours);
  expect(lines).toEqual(await scrape(theirs));
  expect(lines).toContain('seconds_count{route="graphql",status="404"} 0');
  // At each scrape the same, and what came since.
  expect(await scrape(ours)).toEqual(lines);
  histogram.add(['probe', 200], 0.01);
  expect(await scrape(ours)).not.toEqual(await scrape(theirs));
});

test('counts each combination of labels apart', async () => {
  const registry = new Registry();
  const counter = createCounter(registry, { name: 'reads_total', help: 'Reads.', labelNames: ['source', 'state'] });
  counter.add(['apimall', 'OK']);
  counter.add(['apimall', 'FAILED'], 2);
  counter.add(['OK', 'apimall'], 0);
  counter.add(['apimall', 'OK']);
  const expected = [
    'reads_total{source="OK",state="apimall"} 0',
    'reads_total{source="apimall",state="FAILED"} 2',
    'reads_total{source="apimall",state="OK"} 2',
  ];
  for (let scrapes = 0; scrapes < 2; scrapes++) {
    expect((await scrape(registry)).filter((line) => line.startsWith('reads_total'))).toEqual(expected);
  }
});
