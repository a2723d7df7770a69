import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attack, expectCommonHeaders, good, head, host, jsonType, leak, open } from './support/abuse.ts';
import { openGraph } from './support/graph.ts';
import { apimallList, apimallRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';
import { after, hang } from './support/upstream.ts';

/** The values of `/metrics` that have no labels. */
async function readMetrics(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Object.fromEntries([...text.matchAll(/^(\w+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]));
}

const asked = good('{ webhooks { totalCount } }');
const whole = '{"data":{"webhooks":{"totalCount":1}}}';
const tooMany = {
  errors: [
    {
      message: 'Too many requests are being served. Try again in a moment.',
      extensions: { code: 'OVERLOADED' },
    },
  ],
};

test('answers what is beyond MAX_IN_FLIGHT with 503 within 10 ms, while those inside finish', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using graph = await openGraph({ apimall: after(() => released, apimallList(apimallRow())) });
  await using server = await listen(graph.gateway, { maxInFlight: 8, drainMs: 1000 });
  const inside = Array.from({ length: 8 }, () => attack(server.url, asked));
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(503);

  const elapsed: number[] = [];
  for (let index = 0; index < 50; index += 1) {
    const { answers, elapsedMs } = await attack(server.url, asked);
    const [answer] = answers;
    elapsed.push(elapsedMs);
    expect([answer?.status, answer?.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(answer?.body ?? '')).toEqual(tooMany);
    expectCommonHeaders(answer?.headers ?? {});
  }
  // The machine may be busy with other things most of the time.
  expect(elapsed.sort((a, b) => a - b)[5]).toBeLessThan(10);
  for (const path of ['/health', '/ready']) {
    expect((await attack(server.url, head(`GET ${path}`, host))).answers[0]?.status).toBe(200);
  }

  release();
  expect((await Promise.all(inside)).map(({ answers }) => answers[0]?.body)).toEqual(Array(8).fill(whole));
  expect((await attack(server.url, asked)).answers[0]?.body).toBe(whole);
});

test('would let everyone in without MAX_IN_FLIGHT', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using graph = await openGraph({ apimall: after(() => released, apimallList(apimallRow())) });
  await using server = await listen(graph.gateway, { maxInFlight: Number.POSITIVE_INFINITY, drainMs: 1000 });
  const inside = Array.from({ length: 58 }, () => attack(server.url, asked));
  await sleep(200);
  release();
  expect((await Promise.all(inside)).map(({ answers }) => answers[0]?.status)).toEqual(Array(58).fill(200));
});

test('gives the places of clients that left to others', async () => {
  await using graph = await openGraph({ apimall: hang }, { deadlineMs: 20_000, attemptTimeoutMs: 20_000 });
  await using server = await listen(graph.gateway, { maxInFlight: 4 });
  const sockets = Array.from({ length: 4 }, () => {
    const socket = open(server.url);
    socket.write(asked);
    return socket;
  });
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(503);
  const leftAt = performance.now();
  for (const socket of sockets) socket.destroy();
  expect(await graph.calls('apimall')[0]?.ended).toBe('left');
  expect(performance.now() - leftAt).toBeLessThan(600 + slackMs);
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(200);
});

test('sheds requests while the event loop is late, and stays ready', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { longestDelayMs: undefined });
  // One reading takes a second; for all of it, every turn of the loop is late.
  for (const until = performance.now() + 2500; performance.now() < until; await sleep(0)) {
    const turn = performance.now() + 200;
    while (performance.now() < turn);
  }
  const before = await readMetrics(server.url);
  const [answer] = (await attack(server.url, asked)).answers;
  expect([answer?.status, answer?.headers['retry-after']]).toEqual([503, '1']);
  expect((await attack(server.url, head('GET /ready', host))).answers[0]?.status).toBe(200);
  expect(before.nodejs_eventloop_lag_max_seconds).toBeGreaterThan(0.15);
  const { hookgraph_requests_shed_total: shed = 0 } = await readMetrics(server.url);
  expect(shed).toBe((before.hookgraph_requests_shed_total ?? 0) + 1);
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(200);
});

test('answers 504 after REQUEST_DEADLINE_MS, and aborts the calls under way', async () => {
  await using graph = await openGraph({ apimall: hang }, { deadlineMs: 20_000, attemptTimeoutMs: 20_000 });
  await using server = await listen(graph.gateway, { requestDeadlineMs: 300 });
  const { answers, text } = await attack(server.url, asked);
  expect(answers.map(({ status }) => status)).toEqual([504]);
  expect(JSON.parse(answers[0]?.body ?? '')).toEqual({
    errors: [
      {
        message: 'The answer took too long. Ask for less, or try again.',
        extensions: { code: 'DEADLINE_EXCEEDED' },
      },
    ],
  });
  expectCommonHeaders(answers[0]?.headers ?? {});
  expect(text).not.toMatch(leak);
  const answeredAt = performance.now();
  expect(await graph.calls('apimall')[0]?.ended).toBe('left');
  expect(performance.now() - answeredAt).toBeLessThan(600 + slackMs);
  expect(graph.calls('apimall')).toHaveLength(1);
});

test('counts the sending of a body into the deadline', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { requestDeadlineMs: 300 });
  const socket = open(server.url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(head('POST /graphql', host, jsonType, 'content-length: 100'));
  await once(socket, 'close');
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 504 /);
  expect(graph.calls('apimall')).toEqual([]);
});
