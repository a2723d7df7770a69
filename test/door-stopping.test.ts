import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { attack, good, head, host, jsonType, open, parseAnswers } from './support/abuse.ts';
import { eventually } from './support/eventually.ts';
import { openGraph } from './support/graph.ts';
import { startProgram } from './support/program.ts';
import { apimallList, apimallRow } from './support/rows.ts';
import { listen } from './support/server.ts';
import { slackMs } from './support/slack.ts';
import { after, hang, startUpstream } from './support/upstream.ts';

const ready = head('GET /ready', host);

test.concurrent('says at once that it stops, and serves old and new connections during the grace', async () => {
  await using graph = await openGraph();
  await using server = await listen(graph.gateway, { drainMs: 5000 });
  const old = open(server.url);
  const chunks: Buffer[] = [];
  old.on('data', (chunk: Buffer) => chunks.push(chunk));
  old.write(good());
  await eventually(() => expect(parseAnswers(Buffer.concat(chunks)).length).toBe(1));

  const stopped = server.stop(2000);
  const [said] = (await attack(server.url, ready)).answers;
  expect([said?.status, said?.body, said?.headers.connection]).toEqual([503, 'stopping\n', 'close']);
  expect((await attack(server.url, head('GET /health', host))).answers[0]?.status).toBe(200);
  expect((await attack(server.url, good())).answers[0]?.status).toBe(200);
  old.write(good());
  await eventually(() => expect(parseAnswers(Buffer.concat(chunks)).map(({ status }) => status)).toEqual([200, 200]));
  // Its client is told not to come back on it.
  await eventually(() => expect(old.destroyed).toBe(true));

  expect(await stopped).toBe(true);
  expect((await attack(server.url, good())).text).toBe('');
});

test.concurrent('waits for answers under way, and for nobody who is silent or has sent a half', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await using graph = await openGraph({ apimall: after(() => released, apimallList(apimallRow())) });
  await using server = await listen(graph.gateway, { drainMs: 10_000 });
  const answer = attack(server.url, good('{ webhooks { totalCount } }'));
  await eventually(() => expect(graph.calls('apimall').length).toBe(1));
  const halves = ['', 'GET /hea', head('GET /health', host).slice(0, -2)];
  const bodies = [
    head('POST /graphql', host, jsonType, 'content-length: 100'),
    head('PUT /x', host, 'content-length: 9'),
  ];
  const sockets = [...halves, ...bodies].map((start) => {
    const socket = open(server.url).resume();
    if (start) socket.write(start);
    return socket;
  });
  const idle = open(server.url).resume();
  idle.write(ready);
  await sleep(200);

  const stopped = server.stop();
  await sleep(100);
  release();
  expect((await answer).answers[0]?.body).toBe('{"data":{"webhooks":{"totalCount":1}}}');
  const answeredAt = performance.now();
  expect(await stopped).toBe(true);
  expect(performance.now() - answeredAt).toBeLessThan(1000 + slackMs);
  await eventually(() => expect([idle, ...sockets].every(({ destroyed }) => destroyed)).toBe(true));
});

test.concurrent('gives up on answers that take longer than the drain time, and says so', async () => {
  await using graph = await openGraph({ apimall: hang }, { deadlineMs: 20_000, attemptTimeoutMs: 20_000 });
  await using server = await listen(graph.gateway, { drainMs: 200, requestDeadlineMs: 20_000 });
  const answer = attack(server.url, good('{ webhooks { totalCount } }'));
  await eventually(() => expect(graph.calls('apimall').length).toBe(1));
  expect(await server.stop()).toBe(false);
  expect((await answer).text).toBe('');
});

test('cuts none of the answers to 32 clients who heed /ready, and ends with 0 in time', async () => {
  await using program = await startProgram();
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const counted = { whole: 0, other: [] as string[] };
  let leaving = false;
  const get = (path: string, body?: string) =>
    new Promise<string>((resolve) => {
      const sent = request(new URL(path, program.url), {
        ...(body === undefined ? {} : { agent, method: 'POST', headers: { 'content-type': 'application/json' } }),
      });
      sent.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response
          .on('end', () => resolve(`${response.statusCode} ${text}`))
          .on('error', (error) => resolve(String(error)));
      });
      sent.on('error', (error) => resolve(String(error)));
      sent.end(body);
    });
  const clients = Array.from({ length: 32 }, async () => {
    while (!leaving) {
      const answer = await get('/graphql', '{"query":"{ webhooks(filter: { provider: [API_MALL] }) { totalCount } }"}');
      if (answer === '200 {"data":{"webhooks":{"totalCount":24}}}') counted.whole += 1;
      else counted.other.push(answer);
    }
  });
  await eventually(() => expect(counted.whole).toBeGreaterThan(200));
  const beforeStop = counted.whole;
  program.signal('SIGTERM');
  // As a load balancer does: it sends no more once it is told.
  while ((await get('/ready')) === '200 ready\n') await sleep(10);
  const toldAt = performance.now();
  leaving = true;
  await Promise.all(clients);
  expect(await program.ended).toBe(0);
  expect(performance.now() - toldAt).toBeLessThan(5000 + slackMs);
  expect(counted.other).toEqual([]);
  expect(counted.whole).toBeGreaterThanOrEqual(beforeStop);
  agent.destroy();
});

test.concurrent('ends with 1 where an answer hangs beyond DRAIN_MS', async () => {
  await using apimall = await startUpstream(hang);
  await using program = await startProgram({
    APIMALL_API_KEY: 'k',
    APIMALL_API_URL: apimall.url,
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
    REQUEST_DEADLINE_MS: '60000',
    DRAIN_MS: '200',
  });
  const answer = attack(program.url, good('{ webhooks { totalCount } }'));
  await eventually(() => expect(apimall.calls.length).toBe(1));
  program.signal('SIGTERM');
  expect([await program.ended, (await answer).text]).toEqual([1, '']);
  expect(await apimall.calls[0]?.ended).toBe('left');
});
