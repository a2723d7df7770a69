import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  askInEveryPlace,
  everyPlace,
  onRequest,
  openGraphAt,
  rawAnswer,
  reportQuery,
  startRaw,
  timeInEveryPlace,
  wholeBody,
  wholeEverywhere,
  wholeLists,
} from './support/faults.ts';
import { startBlackHole } from './support/laboratory.ts';
import { slackMs } from './support/slack.ts';
import { startUpstream } from './support/upstream.ts';

const kibibyte = 'x'.repeat(1023);

/** Answers with header lines without end, as fast as they are taken. */
function endlessHeaders(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n');
  const pour = () => {
    while (!socket.destroyed && socket.write(`x-filler: ${kibibyte}\r\n`));
  };
  socket.on('drain', pour);
  pour();
}

const brokenConnections: readonly (readonly [string, (socket: Socket) => void])[] = [
  ['is reset when accepted', (socket) => socket.resetAndDestroy()],
  ['is ended when accepted', (socket) => socket.end()],
  ['is reset before an answer', onRequest((socket) => socket.resetAndDestroy())],
  ['is ended before an answer', onRequest((socket) => socket.end())],
  ['is ended amid the headers', onRequest((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-type: appli'))],
  ['greets as SSH', (socket) => socket.write('SSH-2.0-OpenSSH_9.9\r\n')],
  ['answers in HTTP/2', onRequest((socket) => socket.write(Buffer.from('00000604000000000000050000ffff', 'hex')))],
  ['answers with noise', onRequest((socket) => socket.write(Buffer.alloc(512, 0xa7)))],
  ['sends headers without end', onRequest(endlessHeaders)],
  [
    'sends 17 KiB of headers',
    onRequest((socket) => socket.write(rawAnswer(wholeBody, `x-filler: ${kibibyte}\r\n`.repeat(17)))),
  ],
  ['asks to switch protocols', onRequest((socket) => socket.write('HTTP/1.1 101 Over\r\nupgrade: canary\r\n\r\n'))],
  [
    'says continue unasked',
    onRequest((socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${rawAnswer(wholeBody)}`)),
  ],
  [
    'is reset amid the body',
    onRequest((socket) => socket.write(rawAnswer('[', 'content-length: 900'), () => socket.resetAndDestroy())),
  ],
  ['is ended before the length it declared', onRequest((socket) => socket.end(rawAnswer('[]', 'content-length: 900')))],
  [
    'is ended amid the chunks',
    onRequest((socket) => socket.end(rawAnswer('2\r\n[]\r\n', 'transfer-encoding: chunked'))),
  ],
  [
    'declares two lengths',
    onRequest((socket) => socket.write(rawAnswer(wholeBody, 'content-length: 2\r\ncontent-length: 3'))),
  ],
];

test.concurrent.each(brokenConnections)(
  'calls a source unreachable, after three tries, whose connection %s',
  async (_name, greet) => {
    await using server = await startRaw(greet);
    expect(await askInEveryPlace(server.url)).toEqual(everyPlace('UNREACHABLE'));
    expect(server.sockets).toHaveLength(4 * 3);
  },
);

test('calls a source unreachable whose port is closed', async () => {
  const server = await startRaw(() => {});
  await server.stop();
  expect(await askInEveryPlace(server.url)).toEqual(everyPlace('UNREACHABLE'));
});

test('calls a source unreachable whose name is none, and shows no part of the name', async () => {
  // No label of a name may be longer than 63 characters, so that nobody is asked about this one.
  const host = `${'canary'.repeat(11)}.test`;
  const answers = await askInEveryPlace(`http://${host}`);
  expect(answers).toEqual(everyPlace('UNREACHABLE'));
  expect(JSON.stringify(answers)).not.toContain('canary');
});

test.concurrent.each([
  ['one try', { attemptTimeoutMs: 200, deadlineMs: 20_000 }],
  ['the whole operation', { attemptTimeoutMs: 20_000, deadlineMs: 200 }],
])('waits no longer for a connection that never comes about than %s may take', async (_name, limits) => {
  await using hole = await startBlackHole();
  const { answers, slowestMs } = await timeInEveryPlace(`http://127.0.0.1:${hole.port}`, limits);
  expect(answers).toEqual(everyPlace('TIMEOUT'));
  expect(slowestMs).toBeLessThan(200 + slackMs);
});

test('accepts hints that come before the answer', async () => {
  await using server = await startUpstream((request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' });
    wholeLists(request, response);
  });
  expect(await askInEveryPlace(server.url)).toEqual(wholeEverywhere);
});

test('accepts 12 KiB of headers', async () => {
  await using server = await startUpstream((request, response) => {
    for (let index = 0; index < 12; index++) response.setHeader(`x-filler-${index}`, kibibyte);
    wholeLists(request, response);
  });
  expect(await askInEveryPlace(server.url)).toEqual(wholeEverywhere);
});

test.each([
  ['in one piece with the first', 0],
  ['later, on the idle connection', 50],
])('never takes an answer for the next one that nobody asked for: %s', async (_name, delayMs) => {
  let asked = 0;
  await using server = await startRaw(
    onRequest(async (socket) => {
      const own = rawAnswer(JSON.stringify([{ id: `own${++asked}`, webhook_url: 'https://a.example', events: [] }]));
      const foreign = rawAnswer(JSON.stringify([{ id: 'foreign', webhook_url: 'https://a.example', events: [] }]));
      if (delayMs === 0) return socket.write(own + foreign);
      socket.write(own);
      await sleep(delayMs);
      return socket.write(foreign);
    }),
  );
  await using graph = await openGraphAt({ diligent: server.url });
  const ids: string[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const { webhooks } = await graph.query('{ webhooks { complete nodes { externalId } } }');
    ids.push(...webhooks.nodes.map(({ externalId }: { externalId: string }) => externalId));
    await sleep(2 * delayMs);
  }
  expect(ids).toEqual(['own1', 'own2', 'own3']);
});

test('tries again, unseen by the client, after a connection that failed', async () => {
  await using server = await startRaw((socket) => {
    if (server.sockets.length === 1) socket.resetAndDestroy();
    else onRequest(() => socket.write(rawAnswer(wholeBody)))(socket);
  });
  await using graph = await openGraphAt({ diligent: server.url });
  expect((await graph.query(reportQuery)).webhooks).toMatchObject({ totalCount: 2, complete: true });
  expect(server.sockets).toHaveLength(2);
});
