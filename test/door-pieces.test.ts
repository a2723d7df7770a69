import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attack, expectCommonHeaders, good, open, parseAnswers, type RawAnswer } from './support/abuse.ts';
import { eventually } from './support/eventually.ts';
import { openGraph } from './support/graph.ts';
import { readAnswer } from './support/pieces.ts';
import { apimallList, apimallRow, diligentRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { after, hang, json } from './support/upstream.ts';

const forms = ['multipart/mixed', 'text/event-stream'];

/** The rows of each source, as they come. */
const bySource = '{ webhookSources { key ... @defer { webhooks { nodes { url } } } } }';
const rowsBySource = {
  webhookSources: [
    { key: 'apimall', webhooks: { nodes: [{ url: 'https://hooks.acme.example/apimall' }] } },
    { key: 'diligent', webhooks: { nodes: [{ url: 'https://hooks.acme.example/diligent' }] } },
  ],
};

/** Longer than any test waits for what it holds up itself. */
const patient = { deadlineMs: 14_000, attemptTimeoutMs: 14_000 };

/** A gate that is shut, and how it opens. */
function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: () => promise, open: resolve };
}

/** A graph of two sources, of which API Mall waits before it answers. */
function openGated(passed = async () => {}) {
  const sources = { apimall: after(passed, apimallList(apimallRow())), diligent: json([diligentRow()]) };
  return openGraph(sources, { ...patient, shareInFlight: false });
}

/** Asks on a connection of its own, and keeps what comes. */
function ask(url: string, bytes: Buffer) {
  const socket = open(url);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  const all = () => Buffer.concat(chunks);
  return {
    socket,
    text: () => all().toString('latin1'),
    /** The answer once it is whole. */
    async answer(): Promise<RawAnswer> {
      await eventually(() => expect(parseAnswers(all()).length).toBe(1));
      return parseAnswers(all())[0] as RawAnswer;
    },
  };
}

/** What an answer in pieces says in the end, in whichever form it came. */
function dataOf({ body }: RawAnswer): unknown {
  return readAnswer(body.replaceAll(/^data: /gm, '')).data;
}

test.concurrent.each(forms)('sends what is there while a source has not answered: %s', async (form) => {
  const gate = createGate();
  await using graph = await openGated(gate.passed);
  await using door = await listen(graph.gateway, { requestDeadlineMs: 14_000 });
  const asking = ask(door.url, good(bySource, `accept: ${form}`));
  await eventually(() => expect(asking.text()).toContain('hooks.acme.example/diligent'));
  expect(asking.text()).not.toContain('hooks.acme.example/apimall');
  gate.open();
  const answer = await asking.answer();
  expect(dataOf(answer)).toEqual(rowsBySource);
  expect(answer.headers['content-type']).toContain(form);
  asking.socket.destroy();
});

test.concurrent.each(forms)(
  'tells proxies to hold nothing back, and serves the next request on the connection: %s',
  async (form) => {
    await using graph = await openGated();
    await using door = await listen(graph.gateway);
    const [pieces, next] = (await attack(door.url, Buffer.concat([good(bySource, `accept: ${form}`), good()]), 2))
      .answers;
    expect(pieces?.headers['x-accel-buffering']).toBe('no');
    expect(next?.body).toBe('{"data":{"__typename":"Query"}}');
  },
);

test.concurrent.each(forms)('gives them the headers that every answer has: %s', async (form) => {
  await using graph = await openGated();
  await using door = await listen(graph.gateway);
  const [answer] = (await attack(door.url, good(bySource, `accept: ${form}`))).answers;
  expectCommonHeaders(answer?.headers ?? {});
});

test.concurrent.each(forms)('sends to clients of HTTP/1.0 what they can read: %s', async (form) => {
  await using graph = await openGated();
  await using door = await listen(graph.gateway);
  const old = good(bySource, `accept: ${form}`).toString('latin1').replace(' HTTP/1.1', ' HTTP/1.0');
  const { socket, text } = ask(door.url, Buffer.from(old, 'latin1'));
  await once(socket, 'close');
  const [head = '', body = ''] = text().split(/\r\n\r\n(.*)/s);
  expect(head.toLowerCase()).toContain('\r\nconnection: close');
  expect(head.toLowerCase()).not.toContain('transfer-encoding');
  expect(body).not.toMatch(/^[\da-f]+\r$/m);
  expect(dataOf({ status: 200, headers: {}, body })).toEqual(rowsBySource);
});

test.concurrent.each(forms)('sends the whole once it is told to stop, and ends the connection: %s', async (form) => {
  const gate = createGate();
  await using graph = await openGated(gate.passed);
  await using door = await listen(graph.gateway, { drainMs: 12_000, requestDeadlineMs: 14_000 });
  const underWay = ask(door.url, good(bySource, `accept: ${form}`));
  await eventually(() => expect(underWay.text()).toContain('hooks.acme.example/diligent'));
  // Of this one there is no head before the source answers.
  const list = 'webhooks(filter: { provider: [API_MALL] }) { nodes { url } }';
  const awaited = ask(door.url, good(`{ ${list} ... @defer { later: ${list} } }`, `accept: ${form}`));
  await eventually(() => expect(graph.calls('apimall').length).toBe(2));
  const stopped = door.stop();
  await eventually(async () => expect((await attack(door.url, good())).text).toBe(''));
  gate.open();
  expect(dataOf(await underWay.answer())).toEqual(rowsBySource);
  const answer = await awaited.answer();
  const rows = { nodes: [{ url: 'https://hooks.acme.example/apimall' }] };
  expect(dataOf(answer)).toEqual({ webhooks: rows, later: rows });
  expect(answer.headers.connection).toBe('close');
  await eventually(() => expect([underWay, awaited].map(({ socket }) => socket.destroyed)).toEqual([true, true]));
  expect(await stopped).toBe(true);
});

test.concurrent.each(forms)(
  'says so in the head of an answer that begins once it is told to stop: %s',
  async (form) => {
    await using graph = await openGated();
    await using door = await listen(graph.gateway, { drainMs: 5000 });
    const stopped = door.stop(2000);
    const [answer] = (await attack(door.url, good(bySource, `accept: ${form}`))).answers;
    expect(answer?.headers.connection).toBe('close');
    expect(answer && dataOf(answer)).toEqual(rowsBySource);
    expect(await stopped).toBe(true);
  },
);

test.concurrent.each(forms)('ends the call of a client that leaves amid the pieces: %s', async (form) => {
  await using graph = await openGraph({ apimall: hang, diligent: json([diligentRow()]) }, patient);
  await using door = await listen(graph.gateway, { requestDeadlineMs: 14_000 });
  const asking = ask(door.url, good(bySource, `accept: ${form}`));
  await eventually(() => expect(asking.text()).toContain('hooks.acme.example/diligent'));
  await eventually(() => expect(graph.calls('apimall').length).toBe(1));
  const [call] = graph.calls('apimall');
  expect(await Promise.race([call?.ended, 'under way'])).toBe('under way');
  asking.socket.destroy();
  expect(await Promise.race([call?.ended, sleep(8000)])).toBe('left');
});

const mebibyte = 1_048_576;

/** Asks for two pieces of more than 4 MiB, which is more than the system takes. */
const largePieces = good(
  '{ webhookSources { key ... @defer { webhooks(first: 1000) { nodes { url } } } } }',
  `accept: ${forms[0]}`,
);

/** Reads what is left on a connection, and tells whether an answer in chunks ended there. */
async function isWhole(socket: Socket): Promise<boolean> {
  let tail = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  const hasEnded = () => tail.endsWith('\r\n0\r\n\r\n');
  socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.subarray(-16).toString('latin1')).slice(-16);
    if (hasEnded()) resolve();
  });
  socket.once('close', () => resolve());
  if (socket.destroyed) resolve();
  socket.resume();
  await promise;
  socket.destroy();
  return hasEnded();
}

/** Asks for that on so many connections, reads nothing of it, and counts those that can have all of it after `meanwhile`. */
async function countKept(readers: number, maxWaitingBytes: number, meanwhile: (url: string) => Promise<void>) {
  const rows = Array.from({ length: 130 }, (_, id) => ({
    id,
    url: `https://hooks.acme.example/${id}`.padEnd(32_768, 'a'),
  }));
  const apimall = apimallList(...rows.map(({ id, url }) => apimallRow({ id: id + 1, url })));
  const diligent = json(rows.map(({ id, url }) => diligentRow({ id: `d${id}`, webhook_url: url })));
  await using graph = await openGraph({ apimall, diligent }, patient);
  await using door = await listen(graph.gateway, { maxWaitingBytes, requestDeadlineMs: 14_000 });
  const deaf = Array.from({ length: readers }, () => open(door.url).pause());
  for (const socket of deaf) socket.write(largePieces);
  await meanwhile(door.url);
  const whole = await Promise.all(deaf.map(isWhole));
  return whole.filter((it) => it).length;
}

test('cuts off readers of pieces for which there is no room, and nobody who reads', async () => {
  const kept = await countKept(40, 20 * mebibyte, async (url) => {
    // Whoever took nothing for three seconds gives way.
    await sleep(3000);
    await eventually(async () => {
      const reader = open(url);
      reader.write(largePieces);
      expect(await isWhole(reader)).toBe(true);
    }, 500);
  });
  // Of each there waits one piece at least.
  expect(kept).toBeLessThanOrEqual(4);
});

test('would keep all of them without the bound', async () => {
  expect(await countKept(10, Number.POSITIVE_INFINITY, () => sleep(500))).toBe(10);
});
