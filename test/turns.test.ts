import { expect, test } from 'vitest';
import { createTurns } from '../src/turns.ts';
import { attack, good } from './support/abuse.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after } from './support/upstream.ts';

test('the cheapest goes first, and of equals whoever came first', async () => {
  const turns = createTurns(0);
  const order: string[] = [];
  const costs = { much: 9, little: 1, more: 9, less: 1 };
  const all = Object.entries(costs).map(async ([name, cost]) => {
    const turn = turns.join();
    turn.cost = cost;
    await turn.take();
    order.push(name);
  });
  await Promise.all(all);
  expect(order).toEqual(['little', 'less', 'much', 'more']);
});

test('a turn ends before the next begins, and others are served between', async () => {
  const turns = createTurns(0);
  const order: string[] = [];
  const all = Array.from({ length: 5 }, async (_, number) => {
    await turns.join().take();
    order.push(`start of ${number}`);
    for (const until = performance.now() + 20; performance.now() < until; );
    await Promise.resolve();
    order.push(`end of ${number}`);
  });
  setTimeout(() => order.push('other'), 10);
  await Promise.all(all);
  const served = order.indexOf('other');
  expect([order.length, served < 9, served % 2]).toEqual([11, true, 0]);
  expect(order.filter((what) => what !== 'other')).toEqual(
    [0, 1, 2, 3, 4].flatMap((number) => [`start of ${number}`, `end of ${number}`]),
  );
});

test('nobody waits while the event loop is not held up for long', async () => {
  const turns = createTurns(10_000);
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  for (let number = 0; number < 5; number++) await turns.join().take();
  order.push('five turns');
  expect(order).toEqual(['five turns']);
});

test('a small answer goes out before the large ones that were asked for before it', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const rows = Array.from({ length: 1000 }, (_, id) => apimallRow({ id: id + 1 }));
  await using graph = await openGraph({ apimall: after(() => released, apimallList(...rows)) });
  await using server = await listen(graph.gateway);
  const order: string[] = [];
  const ask = async (name: string, query: string) => {
    expect((await attack(server.url, good(query))).answers[0]?.status).toBe(200);
    order.push(name);
  };
  const large = Array.from({ length: 10 }, (_, n) =>
    ask(`large ${n}`, '{ webhooks(first: 1000) { nodes { id url } } }'),
  );
  await expect.poll(() => graph.calls('apimall').length).toBe(1);
  const small = ask('small', '{ webhooks(first: 5) { nodes { id } } }');
  // One that is asked for last, and is not worked on before.
  await attack(server.url, good());
  release();
  await Promise.all([...large, small]);
  expect(order.indexOf('small')).toBeLessThan(5);
});
