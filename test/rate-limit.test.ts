import { expect, test } from 'vitest';
import { clientNetwork } from '../src/address.ts';
import { createRateLimit } from '../src/door/rate-limit.ts';
import { attack, good, head, host, refusalOf } from './support/abuse.ts';
import { knowTokens } from './support/callers.ts';
import { openGraph } from './support/graph.ts';
import { listen } from './support/server.ts';

const authentication = knowTokens({ hg_a: 'a webhooks:read', hg_b: 'b webhooks:read' });
const as = (token: string, query = '{ __typename }') => good(query, `authorization: Bearer ${token}`);

test('answers 429 beyond the limit, says when to come back, and serves others meanwhile', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication, rateLimit: 3, corsOrigins: ['https://app.test'] });
  const ask = async (bytes: Buffer) => (await attack(server.url, bytes)).answers[0];
  const told: unknown[] = [];
  for (let count = 0; count < 4; count += 1) {
    const answer = await ask(as('hg_a', count === 3 ? '{ webhooks { totalCount } }' : undefined));
    told.push([answer?.status, answer?.headers.ratelimit, answer?.headers['ratelimit-policy']]);
  }
  const policy = '"default";q=3;w=60';
  // Twenty seconds from the first request, of which some have passed.
  const left = (count: number) => expect.stringMatching(new RegExp(`^"default";r=${count};t=(1\\d|20)$`));
  expect(told).toEqual([
    [200, left(2), policy],
    [200, left(1), policy],
    [200, left(0), policy],
    [429, left(0), policy],
  ]);
  const again = await ask(good('{ __typename }', 'authorization: Bearer hg_a', 'origin: https://app.test'));
  expect(again && refusalOf(again)).toEqual({
    status: 429,
    code: 'RATE_LIMITED',
    message: expect.stringMatching(/^At most 3 requests are taken in a minute. Try again in (1\d|20) s.$/),
  });
  expect(again?.headers).toMatchObject({
    'retry-after': expect.stringMatching(/^(1\d|20)$/),
    'access-control-allow-origin': 'https://app.test',
    'access-control-expose-headers': expect.stringMatching(/retry-after.*ratelimit.*ratelimit-policy/),
  });
  expect(graph.calls('apimall')).toEqual([]);
  expect((await ask(as('hg_b')))?.status).toBe(200);
  expect((await ask(good('{ __typename }')))?.status).toBe(401);
});

test('counts what is refused later too, and neither what operators and browsers ask first nor what has no valid token', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { authentication, rateLimit: 2 });
  const ask = async (bytes: Buffer | string) => (await attack(server.url, bytes)).answers[0];
  for (const path of ['/health', '/ready', '/graphql']) {
    const answer = await ask(head(path === '/graphql' ? `OPTIONS ${path}` : `GET ${path}`, host));
    expect([answer?.status, answer?.headers.ratelimit]).toEqual([path === '/graphql' ? 204 : 200, undefined]);
  }
  expect((await ask(as('wrong')))?.headers.ratelimit).toBeUndefined();
  const statuses = [as('hg_a', '{ nonsense'), as('hg_a'), as('hg_a')].map(async (bytes) => (await ask(bytes))?.status);
  expect((await Promise.all(statuses)).sort()).toEqual([200, 200, 429]);
});

test('counts callers by their address where nobody is asked who it is', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { rateLimit: 1 });
  expect((await attack(server.url, good())).answers[0]?.status).toBe(200);
  // A header that anyone can write changes nothing.
  const other = good('{ __typename }', 'x-forwarded-for: 192.0.2.1', 'authorization: Bearer other');
  expect((await attack(server.url, other)).answers[0]?.status).toBe(429);
});

test('says nothing of limits where there is none', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway);
  const { answers } = await attack(server.url, good());
  expect(Object.keys(answers[0]?.headers ?? {}).filter((name) => name.startsWith('ratelimit'))).toEqual([]);
});

/** A limit by a clock that stands still until it is told to move. */
function openLimit(limit: number) {
  const clock = { ms: 1_000_000 };
  const take = createRateLimit(limit, () => clock.ms);
  const isTaken = (caller = 'a') => take(caller).refusal === null;
  return { clock, take, isTaken };
}

test.each([1, 3, 7, 60, 600, 9_999_999])('gives back evenly what was taken, %i a minute', (limit) => {
  const { clock, take, isTaken } = openLimit(limit);
  const burst = Math.min(limit, 1000);
  if (limit === burst) {
    for (let count = 0; count < burst; count += 1) expect(isTaken()).toBe(true);
    expect(isTaken()).toBe(false);
    clock.ms += 60_000 / limit - 0.1;
    expect(isTaken()).toBe(false);
    clock.ms += 0.2;
    expect([isTaken(), isTaken()]).toEqual([true, false]);
    clock.ms += 30_000;
    let taken = 0;
    while (isTaken()) taken += 1;
    expect(Math.abs(taken - limit / 2)).toBeLessThanOrEqual(0.5);
  }
  clock.ms += 3_600_000;
  expect(take('a').headers.ratelimit).toBe(`"default";r=${limit - 1};t=${limit === 1 ? 60 : Math.ceil(60 / limit)}`);
});

test('is right about when to come back', () => {
  const { clock, take, isTaken } = openLimit(7);
  while (isTaken()) clock.ms += 1;
  const seconds = Number(take('a').refusal?.headers?.['retry-after']);
  expect(seconds).toBe(9);
  clock.ms += seconds * 1000;
  expect(isTaken()).toBe(true);
});

test('remembers 10 000 callers, and forgets who was away longest', () => {
  const { isTaken } = openLimit(1);
  for (let number = 0; number < 10_000; number += 1) isTaken(`caller ${number}`);
  expect([isTaken('caller 0'), isTaken('caller 9999')]).toEqual([false, false]);
  isTaken('one more');
  // It was asked for just now, and the second was not.
  expect([isTaken('caller 0'), isTaken('caller 1')]).toEqual([false, true]);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8:0:1::', '2001:db8:0:1::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('counts the address %j as %j', (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
