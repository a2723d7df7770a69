import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { startUpstream } from '../support/upstream.ts';
import { inParallel, isFailed, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { apimallRows, diligentRows } from './support/upstreams.ts';

/** A way to burden a server: what each connection sends at first, and what it does then. */
interface Burden {
  readonly count: number;
  readonly head: string;
  /** The request whose answer is to be large. */
  readonly query?: string;
  /** Sends more, every half second. */
  readonly more?: (socket: Socket) => void;
  /** Takes nothing of what is sent back. */
  readonly deaf?: true;
  readonly watchMs: number;
}

const canaryQuery = '{ webhooks(first: 5, filter: { source: ["diligent"] }) { complete totalCount nodes { id } } }';
const json = 'content-type: application/json\r\n';
const line = 'POST /graphql HTTP/1.1\r\nhost: a\r\n';

/** Asks for the whole list so many times over, about 700 kB each: in one answer, or each in a piece of its own. */
function askForLists(count: number, inPieces = false): Pick<Burden, 'query' | 'head'> {
  const lists = Array.from({ length: count }, (_, number) => `a${number}: webhooks(first: 1000) { nodes { url } }`);
  const query = `{ ${lists.join(' ')} }`;
  const deferred = `{ ${lists.map((list) => `... @defer { ${list} }`).join(' ')} }`;
  const body = JSON.stringify({ query: inPieces ? deferred : query });
  const accept = inPieces ? 'accept: multipart/mixed\r\n' : '';
  return { query, head: `${line}${json}${accept}content-length: ${body.length}\r\n\r\n${body}` };
}

const burdens = {
  'slow headers': {
    count: 500,
    head: 'POST /graphql HTTP/1.1\r\n',
    more: (socket) => socket.write('x: y\r\n'),
    watchMs: 7000,
  },
  'slow bodies': {
    count: 500,
    head: `${line}${json}content-length: 1000\r\n\r\n{`,
    more: (socket) => socket.write(' '),
    watchMs: 12_000,
  },
  // Where the system lets fewer wait, it makes some try again after one second, or three, or seven.
  'idle connections': { count: 2000, head: '', watchMs: 14_000 },
  'slow readers': { count: 100, ...askForLists(1), deaf: true, watchMs: 14_000 },
  'slow readers of large answers': { count: 100, ...askForLists(8), deaf: true, watchMs: 14_000 },
  'slow readers of large answers in pieces': { count: 100, ...askForLists(8, true), deaf: true, watchMs: 14_000 },
  // As many as may wait.
  'slow readers with room': { count: 6, ...askForLists(8), deaf: true, watchMs: 14_000 },
  'bodies of 50 MiB': {
    count: 60,
    head: `${line}${json}content-length: 52428800\r\n\r\n`,
    more: (socket) => socket.write(Buffer.alloc(1_048_576, 'x')),
    watchMs: 3000,
  },
  'chunked bodies without end': {
    count: 60,
    head: `${line}${json}transfer-encoding: chunked\r\n\r\n`,
    more: (socket) => socket.write(`20000\r\n${'x'.repeat(131_072)}\r\n`),
    watchMs: 3000,
  },
} satisfies Record<string, Burden>;

/** Burdens the server, while a canary asks every 50 ms. */
async function run(
  { count, head, query, more, deaf, watchMs }: Burden,
  start: typeof startGateway = startGateway,
  env: Record<string, string> = {},
) {
  await using apimall = await startUpstream(apimallRows(1000, 'a'.repeat(600)));
  await using diligent = await startUpstream(diligentRows(10));
  await using gateway = await start({ apimall: apimall.url, diligent: diligent.url }, env);
  await using canary = openClient(gateway, 2);
  // Until the heap is as large as these requests make it.
  await inParallel(2, 1500, () => canary.ask(canaryQuery));
  if (query !== undefined) await inParallel(2, 100, () => canary.ask(query));
  // Until the event loop is no longer taken for late.
  await sleep(2000);
  const descriptors = gateway.descriptors();
  const memory = gateway.memory();
  const { hostname, port } = new URL(gateway.url);
  const startedAt = performance.now();
  const closedAt: number[] = [];
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(Number(port), hostname).on('error', () => {});
    socket.once('connect', () => {
      const connectedAt = performance.now();
      socket.once('close', () => closedAt.push(performance.now() - connectedAt));
    });
    if (deaf) socket.pause();
    else socket.resume();
    socket.write(head);
    return socket;
  });
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable && more) more(socket);
  }, 500);
  const outcomes = [];
  let highest = memory;
  while (performance.now() - startedAt < watchMs) {
    outcomes.push(await canary.ask(canaryQuery));
    highest = Math.max(highest, gateway.memory());
    await sleep(50);
  }
  clearInterval(timer);
  const held = gateway.descriptors() - descriptors;
  for (const socket of sockets) socket.destroy();
  return {
    closed: closedAt.length,
    closedMs: Math.max(0, ...closedAt),
    canaryMs: Math.max(...outcomes.map(({ ms }) => ms)),
    failed: outcomes.filter(isFailed),
    /** Connections that the program still has at the end: who is deaf does not hear of its own end. */
    held,
    lastStatus: outcomes.at(-1)?.status,
    grown: highest - memory,
  };
}

type Reached = Awaited<ReturnType<typeof run>>;

function describe({ closed, closedMs, canaryMs, failed, grown }: Reached): string {
  const closing = closed > 0 ? `, the last after ${(closedMs / 1000).toFixed(1)} s` : '';
  return `${closed} closed${closing}; canary ${canaryMs.toFixed(0)} ms, ${failed.length} failed; memory +${grown.toFixed(0)} MiB ${tally(failed)}`;
}

test.each<[keyof typeof burdens, number, number, number]>([
  ['slow headers', 6000, 300, 50],
  ['slow bodies', 11_000, 300, 50],
  ['idle connections', 6000, 300, 50],
  ['bodies of 50 MiB', 1500, 300, 20],
  ['chunked bodies without end', 1500, 300, 20],
])('bears %s', async (what, closedMs, canaryMs, mostMiB) => {
  const { count } = burdens[what];
  const reached = await run(burdens[what]);
  hold(
    `${count} x ${what}`,
    `all closed within ${closedMs / 1000} s, canary ${canaryMs} ms, memory +${mostMiB} MiB`,
    describe(reached),
    reached.closed === count &&
      reached.closedMs <= closedMs &&
      reached.canaryMs <= canaryMs &&
      reached.failed.length === 0 &&
      reached.grown <= mostMiB,
  );
});

// In a small heap: what grows in a larger one is garbage that the engine sees no need to collect.
test.each<[keyof typeof burdens, number, number, number]>([
  ['slow readers', 96, 500, 50],
  ['slow readers of large answers', 160, 1000, 150],
  ['slow readers of large answers in pieces', 160, 1000, 150],
])('serves others beside %s', async (what, heapMiB, canaryMs, mostMiB) => {
  const reached = await run(burdens[what], startGateway, { NODE_OPTIONS: `--max-old-space-size=${heapMiB}` });
  hold(
    `100 x ${what}, ${heapMiB} MiB heap`,
    `canary ${canaryMs} ms, memory +${mostMiB} MiB`,
    describe(reached),
    reached.canaryMs <= canaryMs && reached.failed.length === 0 && reached.grown <= mostMiB,
  );
});

test('lets go of slow readers once their time is over', async () => {
  const reached = await run(burdens['slow readers with room']);
  hold(
    '6 x slow readers of large answers',
    'all closed after 14 s (REQUEST_DEADLINE_MS=10000)',
    `${reached.held} open, ${describe(reached)}`,
    reached.lastStatus === 200 && reached.held <= 0,
  );
});

test('a bare Yoga keeps places and memory for slow readers', async () => {
  const reached = await run(burdens['slow readers of large answers'], startBareGateway);
  const { held, grown } = reached;
  fallWithout('a request deadline', 'slow readers', 'all closed', `${held} open`, held <= 0);
  fallWithout('a bound on what waits', 'slow readers', 'memory +150 MiB', describe(reached), grown <= 150);
});

test.each<keyof typeof burdens>(['slow headers', 'slow bodies', 'idle connections', 'chunked bodies without end'])(
  'a bare Yoga bears %s for longer',
  async (what) => {
    const { count } = burdens[what];
    const reached = await run(burdens[what], startBareGateway);
    fallWithout('the front door', what, 'all closed in time', describe(reached), reached.closed === count);
  },
);
