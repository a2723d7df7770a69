import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import {
  attack,
  expectCommonHeaders,
  good,
  head,
  host,
  jsonType,
  longestWaitMs,
  open,
  parseAnswers,
  withFrontDoor,
  workedMs,
} from './support/abuse.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';

const door = withFrontDoor();

/** Opens connections that say this, and then drip one byte again and again; tells when the last of them was closed. */
async function drip(count: number, start: string, byte: string) {
  const started = performance.now();
  const connections = Array.from({ length: count }, async () => {
    const socket = open(door.url);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write(start);
    const timer = setInterval(() => byte && socket.writable && socket.write(byte), 250);
    // A byte may come when the connection has just ended: that is an error, and no matter.
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    return { answers: parseAnswers(Buffer.concat(chunks)), elapsedMs: performance.now() - started };
  });
  const ended = await Promise.all(connections);
  return {
    slowestMs: Math.max(...ended.map(({ elapsedMs }) => elapsedMs)),
    answers: ended.flatMap(({ answers }) => answers),
  };
}

describe.concurrent('closes, while a bystander is served,', () => {
  test('50 connections that send their headers byte by byte, within 6 s', async () => {
    const { slowestMs, answers } = await drip(50, `GET /health HTTP/1.1\r\n${host}\r\nx-any: `, 'a');
    expect(slowestMs).toBeLessThan(6000 + slackMs);
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(408));
    for (const { headers, body } of answers) {
      expectCommonHeaders(headers);
      expect(JSON.parse(body).errors[0].extensions.code).toBe('BAD_USER_INPUT');
    }
    await door.check();
  });

  test('50 connections that send their body byte by byte, within 11 s', async () => {
    const start = head('POST /graphql', host, jsonType, 'content-length: 1000');
    const { slowestMs, answers } = await drip(50, start, ' ');
    expect(slowestMs).toBeLessThan(11_000 + slackMs);
    // Our own deadline and the timer of node:http are the same.
    for (const { status, body } of answers) {
      expect(['408 BAD_USER_INPUT', '504 DEADLINE_EXCEEDED']).toContain(
        `${status} ${JSON.parse(body).errors[0].extensions.code}`,
      );
    }
    await door.check();
  });

  test('200 connections that say nothing, within 6 s', async () => {
    const { slowestMs } = await drip(200, '', '');
    expect(slowestMs).toBeLessThan(6000 + slackMs);
    await door.check();
  });
});

test('serves a bystander beside 20 clients that do not read, and keeps what they asked for', async () => {
  const asked = good('{ webhooks(first: 1000) { nodes { id url events healthReason source { name } } } }');
  const sockets = Array.from({ length: 20 }, () => {
    const socket = open(door.url).pause();
    for (let index = 0; index < 5; index += 1) socket.write(asked);
    return socket;
  });
  await sleep(500);
  await door.check();
  for (const socket of sockets) {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
    await expect
      .poll(() => parseAnswers(Buffer.concat(chunks)).map(({ status }) => status))
      .toEqual(Array(5).fill(200));
    socket.destroy();
  }
});

test('lets go of a client that does not read its answer within the deadline', async () => {
  const answers = ['a'.repeat(67_108_864)];
  const graphql = { fetch: () => new Response(answers.pop() ?? 'short') };
  await using server = await listen(graphql, { requestDeadlineMs: 1500, maxInFlight: 1 });
  const socket = open(server.url).pause();
  socket.write(good());
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(503);
  // There is one place, and it is free again.
  await expect.poll(async () => (await attack(server.url, good())).answers[0]?.status).toBe(200);
  socket.destroy();
});

test('would see a bystander who is held up', async () => {
  const checked = door.check();
  for (const until = workedMs() + longestWaitMs.work; workedMs() < until; );
  await expect(checked).rejects.toThrow(`to be less than ${longestWaitMs.work}`);
});
