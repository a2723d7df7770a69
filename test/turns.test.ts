import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { createRound } from '../src/round.ts';
import { createTurns, type Turns } from '../src/turns.ts';
import { attack, good } from './support/abuse.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after, json } from './support/upstream.ts';

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

test('who asks for little while another has its turn is the next, though it was read with many others', async () => {
  const turns = createTurns(0);
  const round = createRound();
  const order: string[] = [];
  const all: Promise<void>[] = [];
  const take = async (name: string, cost: number) => {
    const turn = turns.join();
    turn.cost = cost;
    await turn.take();
    if (order.push(name) === 1) setTimeout(() => round.add(() => all.push(take('little', 1))), 1);
    for (const until = performance.now() + 20; performance.now() < until; );
  };
  for (const name of ['much', 'more', 'most']) all.push(take(name, 9));
  await expect.poll(() => order).toEqual(['much', 'little', 'more', 'most']);
  await Promise.all(all);
});

test('nobody waits while the event loop is not held up for long', async () => {
  const turns = createTurns(10_000);
  const order: string[] = [];
  setImmediate(() => order.push('other'));
  for (let number = 0; number < 5; number++) await turns.join().take();
  order.push('five turns');
  expect(order).toEqual(['five turns']);
});

const hold = (ms: number) => {
  for (const until = performance.now() + ms; performance.now() < until; );
};

/** Lets many wait for their turn, each with a moment of work, and tells how many still do. */
function startMany(turns: Turns, number: number, ms = 2, cost = 9) {
  let left = number;
  const all = Array.from({ length: number }, async () => {
    const turn = turns.join();
    turn.cost = cost;
    await turn.take();
    left -= 1;
    hold(ms);
  });
  return { left: () => left, all: Promise.all(all) };
}

test('what is asked for while many wait for their turn is asked for as they are done', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 20);
  const leftAtBegin: number[] = [];
  const later = Array.from({ length: 5 }, () =>
    turns
      .join()
      .begin(9)
      .then(() => leftAtBegin.push(many.left())),
  );
  await Promise.all(later);
  await many.all;
  expect(Math.max(...leftAtBegin)).toBeLessThan(9);
  expect(new Set(leftAtBegin).size).toBeGreaterThan(1);
});

test('who asks for little begins at once, though many who ask for more wait for their turn', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 20);
  await turns.join().begin(1);
  expect(many.left()).toBe(20);
  await many.all;
});

test('who waits for many turns counts once: others who ask for as much begin at once', async () => {
  const turns = createTurns(0);
  const turn = turns.join();
  turn.cost = 1;
  let left = 20;
  const all = Promise.all(
    Array.from({ length: left }, async () => {
      await turn.take();
      left -= 1;
    }),
  );
  await turns.join().begin(1);
  expect(left).toBe(20);
  await all;
});

test('of those who are to begin later, who asks for least is the first', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 20);
  const order: number[] = [];
  await Promise.all(
    [12, 11, 10, 11].map((cost) =>
      turns
        .join()
        .begin(cost)
        .then(() => order.push(cost)),
    ),
  );
  expect(order).toEqual([10, 11, 11, 12]);
  await many.all;
});

test('all begin while there is nothing to do, however long those before them wait for what they asked for', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 10);
  let begun = 0;
  const later = Array.from({ length: 300 }, () =>
    turns
      .join()
      .begin(9)
      .then(() => (begun += 1)),
  );
  await many.all;
  expect(begun).toBeLessThan(20);
  const started = performance.now();
  await Promise.all(later);
  expect(performance.now() - started).toBeLessThan(500);
});

test('who needs no turn lets the next begin', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 10);
  let begun = 0;
  const ask = async () => {
    const turn = turns.join();
    await turn.begin(9);
    begun += 1;
    turn.pass();
  };
  const later = Array.from({ length: 300 }, ask);
  await many.all;
  expect(begun).toBe(300);
  await Promise.all(later);
});

test('nobody waits for much longer than a second to begin, however much others have to do', async () => {
  const turns = createTurns(0);
  const many = startMany(turns, 60, 50);
  const started = performance.now();
  await Promise.all(Array.from({ length: 10 }, () => turns.join().begin(9)));
  expect(performance.now() - started).toBeLessThan(2000);
  expect(many.left()).toBeGreaterThan(8);
  await many.all;
});

/** Forty times 8000 rows: far more than what goes on at once. */
const larges = 40;
/** However long all of them take together. */
const patient = { deadlineMs: 60_000, attemptTimeoutMs: 60_000 };
const list = 'webhooks(first: 1000, filter: { provider: [API_MALL] }) { nodes { id url } }';
const large = `{ ${Array.from({ length: 8 }, (_, n) => `l${n}: ${list}`).join(' ')} }`;
const small = '{ webhooks(first: 5, filter: { provider: [DILIGENT] }) { nodes { id } } }';
const rows = Array.from({ length: 1000 }, (_, id) => apimallRow({ id: id + 1 }));

/** What was made while the first of them was read goes out before it on any machine: 8 to 24 of them, on a fast one. */
const clearlyFewer = (larges * 3) / 4;

/** How many large answers go out before a small one, whose source answers when the first of the large ones is there. */
async function countBeforeSmall(shareInFlight: boolean, sliceMs?: number): Promise<number> {
  const { promise: first, resolve: startLarge } = Promise.withResolvers<void>();
  const { promise: second, resolve: startSmall } = Promise.withResolvers<void>();
  const apimall = after(() => first, apimallList(...rows));
  const diligent = after(() => second, json([diligentRow()]));
  await using graph = await openGraph({ apimall, diligent }, { ...patient, shareInFlight, sliceMs });
  await using server = await listen(graph.gateway, { requestDeadlineMs: 60_000 });
  const order: string[] = [];
  const ask = async (query: string) => {
    expect((await attack(server.url, good(query))).answers[0]?.status).toBe(200);
    order.push(query);
    startSmall();
  };
  const all = [...Array.from({ length: larges }, () => large), small].map(ask);
  await expect
    .poll(() => graph.calls('apimall').length + graph.calls('diligent').length)
    .toBe(shareInFlight ? 2 : larges + 1);
  startLarge();
  await Promise.all(all);
  return order.indexOf(small);
}

test.each([
  ['their rows come one after the other', false],
  ['they all have their rows at once', true],
])('a small answer goes out before the large ones that were asked for before it, where %s', async (_name, sharing) => {
  expect(await countBeforeSmall(sharing)).toBeLessThan(clearlyFewer);
});

test('of a query that is known, what is asked for waits while enough of what came before is to be worked on', async () => {
  const { promise: all, resolve: startAll } = Promise.withResolvers<void>();
  let calls = 0;
  const apimall = after(
    () => (calls > 2 ? all : Promise.resolve()),
    (request, response) =>
      apimallList(apimallRow({ id: 0, url: `https://x.test/${calls}` }), ...rows)(request, response),
  );
  const counted: RequestListener = (request, response) => {
    calls += 1;
    return apimall(request, response);
  };
  await using graph = await openGraph({ apimall: counted, diligent: json([]) }, { ...patient, shareInFlight: false });
  await using server = await listen(graph.gateway, { requestDeadlineMs: 60_000 });
  const callsThen: number[] = [];
  const ask = async () => {
    expect((await attack(server.url, good(large))).answers[0]?.status).toBe(200);
    callsThen.push(calls);
  };
  for (let times = 0; times < 2; times++) await ask();
  const before = Array.from({ length: larges }, ask);
  await expect.poll(() => calls).toBe(2 + larges);
  startAll();
  await Promise.all(graph.calls('apimall').map(({ ended }) => ended));
  const later = Array.from({ length: larges }, ask);
  await Promise.all([...before, ...later]);
  expect(callsThen[larges / 2]).toBe(2 + larges);
  expect(calls).toBe(2 + 2 * larges);
});

test.each([false, true])('would go out after them if nobody waited for a turn: sharing %s', async (sharing) => {
  expect(await countBeforeSmall(sharing, Number.POSITIVE_INFINITY)).toBeGreaterThan(clearlyFewer);
});
