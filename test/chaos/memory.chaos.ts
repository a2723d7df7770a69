import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { inParallel, isFailed, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows, flood } from './support/upstreams.ts';

const bodyBytes = 268_435_456;
const piece = Buffer.alloc(1_048_576, 'x');
const start = 'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
const declared = { head: `${start}content-length: ${bodyBytes}\r\n\r\n`, before: '', after: '' };
const chunked = { head: `${start}transfer-encoding: chunked\r\n\r\n`, before: '100000\r\n', after: '\r\n' };

/** Sends a body as fast as it is taken, until all of it is or the connection ends. */
async function pour(url: string, { head, before, after }: typeof declared): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname).on('error', () => {});
  socket.resume().write(head);
  for (let sent = 0; sent < bodyBytes && !socket.destroyed; sent += piece.length) {
    socket.write(before);
    socket.write(piece);
    if (socket.write(after)) continue;
    await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', () => resolve()));
  }
  socket.destroy();
}

/** Gives the program a small heap, and sends it bodies from below and above at once, while a canary asks. */
async function run(count: number, begin = startGateway) {
  await using apimall = await startUpstream(flood);
  await using diligent = await startUpstream(diligentRows(10));
  const env = { NODE_OPTIONS: '--max-old-space-size=96', SHARE_IN_FLIGHT: 'off' };
  await using gateway = await begin({ apimall: apimall.url, diligent: diligent.url }, env);
  let ended = false;
  void gateway.ended.then(() => {
    ended = true;
  });
  await using client = openClient(gateway, count, 10_000);
  await using canary = openClient(gateway, 1, 10_000);
  const query = '{ webhooks(filter: { source: ["diligent"] }) { complete totalCount nodes { id } } }';
  const outcomes = [await canary.ask(query)];
  let over = false;
  async function watch(): Promise<void> {
    while (!over && !ended) {
      outcomes.push(await canary.ask(query));
      await sleep(50);
    }
  }
  const watched = watch();
  await inParallel(count, count, () => pour(gateway.url, declared));
  await inParallel(count, count, () => pour(gateway.url, chunked));
  outcomes.push(...(await inParallel(count, count, () => client.ask())));
  over = true;
  await watched;
  // Until the event loop is no longer taken for late.
  await sleep(2000);
  const last = await canary.ask(query);
  return { ended, outcomes, last, peak: gateway.peakMemory() };
}

type Reached = Awaited<ReturnType<typeof run>>;

const promised = 'alive, all answered (503 at worst), whole at the end, 500 MiB';

function describe({ ended, outcomes, last, peak }: Reached): string {
  const failed = outcomes.filter(isFailed).length;
  const life = ended ? 'ended' : 'alive';
  return `${life}, ${failed} of ${outcomes.length} failed, status ${last.status}, ${peak.toFixed(0)} MiB ${tally(outcomes)}`;
}

function isHeld({ ended, outcomes, last, peak }: Reached): boolean {
  const answered = outcomes.every((outcome) => !isFailed(outcome) || outcome.status === 503);
  return !ended && answered && !isFailed(last) && peak <= 500;
}

const bodies = (count: number) => `96 MiB heap, ${count} x 256 MiB from clients, then from an upstream`;

test('outlives bodies that are larger than its memory', async () => {
  const reached = await run(60);
  hold(bodies(60), promised, describe(reached), isHeld(reached));
});

test('falls without limits to bodies', async () => {
  const reached = await run(4, startBareGateway);
  fallWithout('limits to bodies', bodies(4), promised, describe(reached), isHeld(reached));
});

/** Sends documents that differ in a comment of 120 KiB, good ones and broken ones, and sees whether the program lives on. */
async function fill() {
  await using apimall = await startUpstream(apimallRows(10));
  await using diligent = await startUpstream(diligentRows(10));
  const env = { NODE_OPTIONS: '--max-old-space-size=96' };
  await using gateway = await startGateway({ apimall: apimall.url, diligent: diligent.url }, env);
  await using client = openClient(gateway, 4, 10_000);
  const padding = 'x'.repeat(120_000);
  let number = 0;
  await inParallel(4, 2000, () => {
    number += 1;
    return client.ask(`${number % 2 ? '{ __typename }' : '{ no'} #${number} ${padding}`);
  });
  const last = await client.ask();
  return { last, peak: gateway.peakMemory() };
}

test('outlives documents that it could keep', async () => {
  const { last, peak } = await fill();
  const what = '96 MiB heap, 2000 documents of 120 KiB';
  hold(what, 'alive, whole at the end', `status ${last.status}, ${peak.toFixed(0)} MiB`, !isFailed(last));
});
