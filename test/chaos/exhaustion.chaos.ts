import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { isWhole, openClient } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { type Gateway, startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows } from './support/upstreams.ts';

const head = 'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
const bodies = 60;
const bodyBytes = 256 * 1_048_576;

/** Sends bodies of 256 MiB at once, with their length or in chunks, for as long as each connection takes them. */
async function pour({ url }: Gateway, framing: 'length' | 'chunks'): Promise<void> {
  const { hostname, port } = new URL(url);
  const piece = Buffer.alloc(1_048_576, '[');
  const sent = framing === 'length' ? piece : Buffer.concat([Buffer.from('100000\r\n'), piece, Buffer.from('\r\n')]);
  const start = framing === 'length' ? `content-length: ${bodyBytes}` : 'transfer-encoding: chunked';
  const connections = Array.from({ length: bodies }, async () => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.resume().write(`${head}${start}\r\n\r\n`);
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    for (let bytes = 0; bytes < bodyBytes && socket.writable; bytes += piece.length) {
      const isFull = !socket.write(sent);
      if (isFull) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), ended]);
    }
    socket.destroy();
  });
  await Promise.race([Promise.all(connections), sleep(12_000)]);
}

async function press(start: typeof startGateway = startGateway) {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startUpstream(diligentRows(10));
  const env = { NODE_OPTIONS: '--max-old-space-size=96' };
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, env);
  for (const framing of ['length', 'chunks'] as const) await Promise.race([pour(gateway, framing), gateway.ended]);
  await using client = openClient(gateway, 1, 5000);
  return isWhole(await client.ask());
}

test('lives through large bodies with a small heap', async () => {
  const answersAfter = await press();
  const reached = answersAfter ? 'answers' : 'does not answer';
  hold(`heap of 96 MiB, 2 x ${bodies} bodies of 256 MiB`, 'alive, answers', reached, answersAfter);
});

test('a bare Yoga does not', async () => {
  const answersAfter = await press(startBareGateway);
  const reached = answersAfter ? 'answers' : 'does not answer';
  fallWithout('a limit to bodies', 'heap of 96 MiB', 'alive, answers', reached, answersAfter);
});

/** Opens more connections than the program may have files, and sees whether it serves again once they are gone. */
async function exhaust() {
  await using apimall = await startUpstream(apimallRows(20));
  await using diligent = await startUpstream(diligentRows(10));
  await using gateway = await startGateway({ apimall: apimall.url, diligent: diligent.url });
  await using client = openClient(gateway, 1, 5000);
  const answersBefore = isWhole(await client.ask());
  spawnSync('prlimit', ['--pid', String(gateway.pid), '--nofile=256:256']);
  const { hostname, port } = new URL(gateway.url);
  const sockets = Array.from({ length: 600 }, () =>
    connect(Number(port), hostname)
      .on('error', () => {})
      .resume(),
  );
  await sleep(2000);
  const most = gateway.descriptors();
  await using late = openClient(gateway, 1, 5000);
  const during = await late.ask();
  for (const socket of sockets) socket.destroy();
  await sleep(1000);
  await using after = openClient(gateway, 1, 5000);
  return { answersBefore, during, most, answersAfter: isWhole(await after.ask()), left: gateway.descriptors() };
}

test('lives through more connections than it may have files', async () => {
  const { answersBefore, during, most, answersAfter, left } = await exhaust();
  hold(
    '600 connections, 256 files',
    'alive, answers once they are gone',
    `${most} files open, then ${left}; meanwhile ${during.fault ?? during.status}, afterwards ${answersAfter ? 'whole' : 'not whole'}`,
    answersBefore && most >= 250 && answersAfter && left < 60,
  );
});
