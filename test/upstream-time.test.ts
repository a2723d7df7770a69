import type { RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  everyPlace,
  faultOf,
  onRequest,
  openGraphAt,
  reportQuery,
  startRaw,
  timeInEveryPlace,
} from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { apimallRow } from './support/rows.ts';
import { slackMs } from './support/slack.ts';
import { hang, json, startUpstream } from './support/upstream.ts';

/** Starts an answer and never ends it. */
const hangMidBody: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('[{"id":');
};

/** Sends a byte every 20 ms, so that the connection is never idle for long. */
const drip: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('[');
  everyTick(response, () => response.write(' '));
};

/** Sends one hint after the other, and never the answer. */
const hintForever: RequestListener = (_request, response) => {
  everyTick(response, () => response.writeEarlyHints({ link: '</style.css>; rel=preload' }));
};

function everyTick(response: ServerResponse, act: () => void): void {
  const timer = setInterval(act, 20);
  response.once('close', () => clearInterval(timer));
}

/** What gives up after this time is the try: nothing else would in the time of a test. */
const oneTry = { attemptTimeoutMs: 500, deadlineMs: 20_000 };

const slowAnswers: readonly (readonly [string, RequestListener])[] = [
  ['hangs before the headers', hang],
  ['hangs amid the body', hangMidBody],
  ['drips', drip],
  ['hints without end', hintForever],
];

test.concurrent.each(slowAnswers)(
  'gives up an upstream that %s when one try has taken its time',
  async (_name, listener) => {
    await using upstream = await startUpstream(listener);
    const { answers, slowestMs } = await timeInEveryPlace(upstream.url, oneTry);
    expect(answers).toEqual(everyPlace('TIMEOUT'));
    expect(slowestMs).toBeLessThan(500 + slackMs);
    expect(new Set(await endings(upstream))).toEqual(new Set(['left']));
  },
);

test.concurrent.each(slowAnswers)('gives up an upstream that %s at the deadline', async (_name, listener) => {
  await using upstream = await startUpstream(listener);
  const limits = { deadlineMs: 500, attemptTimeoutMs: 20_000 };
  const { answers, slowestMs } = await timeInEveryPlace(upstream.url, limits);
  expect(answers).toEqual(everyPlace('TIMEOUT'));
  expect(slowestMs).toBeLessThan(500 + slackMs);
  expect(new Set(await endings(upstream))).toEqual(new Set(['left']));
});

test('gives up headers that drip', async () => {
  await using server = await startRaw(
    onRequest(async (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      for (let index = 0; !socket.destroyed; index++) {
        socket.write(`x-${index}: 0\r\n`);
        await sleep(20);
      }
    }),
  );
  const { answers, slowestMs } = await timeInEveryPlace(server.url, oneTry);
  expect(answers).toEqual(everyPlace('TIMEOUT'));
  expect(slowestMs).toBeLessThan(500 + slackMs);
});

test('holds the deadline over pages none of which takes as long', async () => {
  let page = 0;
  await using upstream = await startUpstream(async (request, response) => {
    await sleep(800);
    json({ success: true, data: { items: [apimallRow({ id: ++page })], page, limit: 1 } })(request, response);
  });
  await using graph = await openGraphAt({ apimall: upstream.url }, { deadlineMs: 1200, attemptTimeoutMs: 1200 });
  const started = performance.now();
  const { webhooks } = await graph.query(reportQuery);
  expect(performance.now() - started).toBeLessThan(1200 + slackMs);
  expect(webhooks).toEqual({
    totalCount: 1,
    complete: false,
    sources: [{ source: { key: 'apimall' }, state: 'PARTIAL', error: faultOf('TIMEOUT') }],
  });
  expect(await endings(upstream)).toEqual(['answered', 'left']);
});

test('keeps the pages that came when a later one takes longer than one try may', async () => {
  await using graph = await openGraph(
    {
      apimall: (request, response) => {
        if (request.url !== '/webhooks') return;
        json({ success: true, data: { items: [apimallRow()], page: 1, limit: 1 } })(request, response);
      },
    },
    { attemptTimeoutMs: 500 },
  );
  const { webhooks } = await graph.query(reportQuery);
  expect(webhooks).toMatchObject({ totalCount: 1, complete: false });
  expect(webhooks.sources).toMatchObject([{ state: 'PARTIAL', error: faultOf('TIMEOUT') }]);
  expect(graph.calls('apimall').map(({ path }) => path)).toEqual(['/webhooks', '/webhooks?page=2&limit=1']);
});

test('leaves neither connections nor timers behind after fifty answers that never came', async () => {
  const limits = { attemptTimeoutMs: 300, deadlineMs: 20_000, shareInFlight: false };
  const timersBefore = countTimers();
  await using server = await startRaw(() => {});
  await using graph = await openGraphAt({ apimall: server.url, diligent: server.url }, limits);
  const answers = await Promise.all(Array.from({ length: 50 }, () => graph.query(reportQuery)));
  for (const { webhooks } of answers) {
    expect(webhooks.sources).toMatchObject([{ error: { code: 'TIMEOUT' } }, { error: { code: 'TIMEOUT' } }]);
  }
  expect(server.sockets.length).toBeGreaterThan(20);
  await expect.poll(() => server.sockets.filter(({ closed }) => !closed).length).toBe(0);
  await expect.poll(countTimers).toBeLessThanOrEqual(timersBefore + 2);
});

test('opens no more than a few connections for fifty failures one after the other', async () => {
  await using server = await startRaw(
    onRequest((socket) => socket.write('HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\nnull')),
  );
  await using graph = await openGraphAt({ diligent: server.url });
  for (let turn = 0; turn < 50; turn++) {
    const { webhooks } = await graph.query(reportQuery);
    expect(['UPSTREAM_ERROR', 'CIRCUIT_OPEN']).toContain(webhooks.sources[0].error.code);
  }
  expect(server.sockets.length).toBeLessThanOrEqual(3);
});

function endings({ calls }: { readonly calls: readonly { readonly ended: Promise<string> }[] }): Promise<string[]> {
  return Promise.all(calls.map(({ ended }) => ended));
}

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
