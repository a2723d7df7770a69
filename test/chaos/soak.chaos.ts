import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { isFailed, listQuery, type Outcome, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, createRandom, diligentRows, sometimes } from './support/upstreams.ts';

const queries = [
  listQuery,
  '{ webhooks(first: 3, orderBy: { field: LAST_DELIVERY_AT, direction: DESC }) { edges { cursor node { id url } } pageInfo { endCursor } complete totalCount nodes { externalId } sources { state source { key } } } }',
  '{ webhooks(filter: { health: [HEALTHY], host: ["acme.example"] }) { totalCount complete healthCounts { health count } nodes { __typename ... on ApiMallWebhook { successRate } } sources { state source { key } } } }',
];

/** Loads the program in many ways for so long, and looks at its memory twice a second. */
async function run(ms: number, start: typeof startGateway, env: Record<string, string>) {
  const random = createRandom(4);
  await using apimall = await startUpstream(sometimes(0.05, random, apimallRows(100)));
  await using diligent = await startUpstream(sometimes(0.05, random, diligentRows(10)));
  const heap = { NODE_OPTIONS: '--max-old-space-size=160' };
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, { ...heap, ...env });
  await using warm = openClient(gateway, 1);
  await warm.ask();
  const descriptorsBefore = gateway.descriptors();
  const failed: Outcome[] = [];
  const memory: number[] = [];
  let answers = 0;
  const until = performance.now() + ms;
  const isOver = () => performance.now() > until;
  {
    await using client = openClient(gateway, 8);
    async function ask(): Promise<void> {
      while (!isOver()) {
        const query = queries[Math.floor(random() * queries.length)];
        const outcome = await client.ask(query);
        answers += 1;
        if (isFailed(outcome)) failed.push(outcome);
      }
    }
    /** Clients that leave, and others that never say a thing in order. */
    async function annoy(): Promise<void> {
      const { hostname, port } = new URL(gateway.url);
      const body = JSON.stringify({ query: listQuery });
      while (!isOver()) {
        const socket = connect(Number(port), hostname).on('error', () => {});
        const head = 'POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
        socket.write(random() < 0.8 ? `${head}content-length: ${body.length}\r\n\r\n${body}` : '\u0000\r\n\r\n');
        await sleep(random() * 40);
        socket.destroy();
      }
    }
    async function watch(): Promise<void> {
      while (!isOver()) {
        memory.push(gateway.memory());
        await sleep(500);
      }
    }
    await Promise.all([...Array.from({ length: 8 }, ask), annoy(), annoy(), watch()]);
  }
  // Connections to upstreams end when they were idle for a few seconds.
  await sleep(6000);
  const third = Math.floor(memory.length / 3);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    answers,
    failed,
    middle: mean(memory.slice(third, 2 * third)),
    last: mean(memory.slice(2 * third)),
    descriptors: [descriptorsBefore, gateway.descriptors()] as const,
    peak: gateway.peakMemory(),
  };
}

type Reached = Awaited<ReturnType<typeof run>>;

const promised = '0 failed, last third of memory at most 10 % over the second, descriptors back';

function describe({ answers, failed, middle, last, descriptors, peak }: Reached): string {
  const memory = `${middle.toFixed(0)} then ${last.toFixed(0)} MiB (peak ${peak.toFixed(0)})`;
  return `${failed.length} of ${answers} failed, ${memory}, descriptors ${descriptors.join(' then ')} ${tally(failed)}`;
}

function isHeld({ failed, middle, last, descriptors }: Reached): boolean {
  return failed.length === 0 && last <= middle * 1.1 && descriptors[1] <= descriptors[0];
}

test('keeps its memory and its descriptors over 150 s', async () => {
  const reached = await run(150_000, startGateway, {});
  hold('150 s with a heap of 160 MiB, 5 % faults', promised, describe(reached), isHeld(reached));
});

test('sees a leak', async () => {
  const reached = await run(20_000, startBareGateway, { LEAK: 'on' });
  fallWithout('letting go of answers', 'soak', promised, describe(reached), isHeld(reached));
});
