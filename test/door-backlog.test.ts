import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { good, open } from './support/abuse.ts';
import { eventually } from './support/eventually.ts';
import { listen } from './support/server.ts';

const mebibyte = 1_048_576;
/** More than the system takes of an answer that nobody reads. */
const large = 'a'.repeat(16 * mebibyte);

/** A front door that gives these answers, one after the other, and then short ones; two large ones may wait. */
async function openDoor(answers: readonly (string | Promise<string>)[], maxWaitingBytes = 2 * large.length) {
  const left = [...answers];
  const graphql = { fetch: async () => new Response(await (left.shift() ?? 'short')) };
  return await listen(graphql, { maxWaitingBytes, requestDeadlineMs: 14_000 });
}

/** Asks, and takes `bytes` of the answer four times a second. */
function read(url: string, bytes: number): { readonly socket: Socket; taken(): number; hurry(): void } {
  const socket = open(url).pause();
  socket.write(good());
  let taken = 0;
  let allowed = 0;
  socket.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken >= allowed) socket.pause();
  });
  const timer = setInterval(() => {
    allowed += bytes;
    if (bytes > 0) socket.resume();
  }, 250);
  socket.once('close', () => clearInterval(timer));
  const hurry = () => {
    allowed = Number.POSITIVE_INFINITY;
    socket.resume();
  };
  return { socket, taken: () => taken, hurry };
}

/** Asks, and reads as fast as it can. */
async function ask(url: string) {
  const answer = await fetch(`${url}/graphql?query={__typename}`);
  return { status: answer.status, headers: answer.headers, body: await answer.text() };
}

/** Whether the server has ended a connection that nobody read from: what the system holds of the answer comes first. */
async function isCut({ socket }: { readonly socket: Socket }): Promise<boolean> {
  socket.removeAllListeners('data').resume();
  await Promise.race([once(socket, 'close'), sleep(1000)]);
  return socket.destroyed;
}

test.concurrent('refuses an answer that has no room, and cuts off the oldest reader once it took nothing for three seconds', async () => {
  await using door = await openDoor(Array(50).fill(large));
  const [first, second] = [read(door.url, 0), read(door.url, 0)];
  await sleep(300);
  const refused = await ask(door.url);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(JSON.parse(refused.body)).toEqual({
    errors: [
      { message: 'Too many answers wait to be read. Try again in a moment.', extensions: { code: 'OVERLOADED' } },
    ],
  });

  await sleep(2500);
  await eventually(async () => {
    const answer = await ask(door.url);
    expect([answer.status, answer.body.length]).toEqual([200, large.length]);
  }, 500);
  expect(await isCut(first)).toBe(true);
  expect(second.socket.destroyed).toBe(false);
  second.socket.destroy();
});

test.concurrent('would let all of them wait without the bound', async () => {
  await using door = await openDoor([large, large, large], Number.POSITIVE_INFINITY);
  const readers = [read(door.url, 0), read(door.url, 0)];
  await sleep(300);
  expect((await ask(door.url)).status).toBe(200);
  for (const { socket } of readers) socket.destroy();
});

test.concurrent('cuts off nobody who reads, however slowly', async () => {
  await using door = await openDoor(Array(50).fill(large));
  const [slow, deaf] = [read(door.url, 0.375 * mebibyte), read(door.url, 0)];
  await sleep(3500);
  await eventually(async () => expect((await ask(door.url)).status).toBe(200), 500);
  expect(await isCut(deaf)).toBe(true);
  expect(slow.taken()).toBeLessThan(large.length);
  slow.hurry();
  await eventually(() => expect(slow.taken()).toBeGreaterThan(large.length));
  slow.socket.destroy();
});

test('does not count the time in which nobody could read', async () => {
  const { promise: third, resolve: release } = Promise.withResolvers<string>();
  await using door = await openDoor([large, large, third]);
  const readers = [read(door.url, 0), read(door.url, 0)];
  await sleep(300);
  const answer = ask(door.url);
  await sleep(300);
  for (const until = performance.now() + 3500; performance.now() < until; );
  release(large);
  expect((await answer).status).toBe(503);
  for (const { socket } of readers) socket.destroy();
});

test.concurrent('sends short answers whatever waits, and gives the room of readers who left to others', async () => {
  await using door = await openDoor([large, large, 'short', large]);
  const readers = [read(door.url, 0), read(door.url, 0)];
  await sleep(300);
  expect((await ask(door.url)).body).toBe('short');
  for (const { socket } of readers) socket.destroy();
  await sleep(300);
  expect((await ask(door.url)).status).toBe(200);
});

test.concurrent('sends an answer that is larger than the bound where no other waits', async () => {
  await using door = await openDoor([large], mebibyte);
  const { status, body } = await ask(door.url);
  expect([status, body.length]).toEqual([200, large.length]);
});

test.concurrent('sends answers whole whatever their characters, and says how long they are', async () => {
  const text = 'é€😀'.repeat(50_000);
  await using door = await openDoor([text]);
  const { headers, body } = await ask(door.url);
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
  expect(body).toBe(text);
});
