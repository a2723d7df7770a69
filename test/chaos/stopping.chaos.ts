import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { isFailed, type Outcome, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, createRandom, diligentRows } from './support/upstreams.ts';

const clients = 32;
/** As the program says it on `/ready`. */
const graceMs = 500;

/** Stops the program while clients ask, each on a connection that it keeps until it is told that this was the last answer. */
async function run(silent: number, start: typeof startGateway = startGateway) {
  const random = createRandom(2);
  await using apimall = await startUpstream(async (request, response) => {
    await sleep(random() * 900);
    apimallRows(20)(request, response);
  });
  await using diligent = await startUpstream(diligentRows(10));
  const urls = { apimall: apimall.url, diligent: diligent.url };
  await using gateway = await start(urls, { SHARE_IN_FLIGHT: 'off' });
  const { hostname, port, origin } = new URL(gateway.url);
  const sockets = Array.from({ length: silent }, (_, number) => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    // Some of them say half a word.
    if (number % 3 === 0) socket.write('POST /graphql HTTP/1.1\r\nhost: x\r\n');
    return socket;
  });
  await using client = openClient(gateway, clients);
  const outcomes: Outcome[] = [];
  let lastAnswerAt = 0;
  async function goOn(): Promise<void> {
    for (;;) {
      const outcome = await client.ask();
      if (outcome.fault === 'ECONNREFUSED') return;
      outcomes.push(outcome);
      lastAnswerAt = performance.now();
      if (outcome.last) return;
    }
  }
  const all = Array.from({ length: clients }, goOn);
  await sleep(2000);
  const stoppedAt = performance.now();
  gateway.signal('SIGTERM');
  await sleep(100);
  const ready = await fetch(`${origin}/ready`).catch(() => ({ status: 0 }));
  const code = await gateway.ended;
  const endedAt = performance.now();
  await Promise.all(all);
  for (const socket of sockets) socket.destroy();
  return {
    answers: outcomes.length,
    cut: outcomes.filter(isFailed),
    ready: ready.status,
    code,
    afterDrainMs: endedAt - Math.max(lastAnswerAt, stoppedAt + graceMs),
    wholeMs: endedAt - stoppedAt,
  };
}

test.each([0, 50, 50])('cuts no answer when it is told to stop, beside %i silent sockets', async (silent) => {
  const { answers, cut, ready, code, afterDrainMs, wholeMs } = await run(silent);
  hold(
    `SIGTERM under ${clients} clients, ${silent} silent sockets`,
    '0 answers cut, /ready 503, exit 0 within 1 s of draining',
    `${cut.length} of ${answers} cut, /ready ${ready}, exit ${code} ${afterDrainMs.toFixed(0)} ms after it, ${wholeMs.toFixed(0)} ms in all ${tally(cut)}`,
    cut.length === 0 && ready === 503 && code === 0 && afterDrainMs <= 1000,
  );
});

test('cuts answers where nothing waits for them', async () => {
  const { answers, cut } = await run(0, startBareGateway);
  fallWithout('draining', 'SIGTERM under load', '0 answers cut', `${cut.length} of ${answers} cut`, cut.length === 0);
});
