import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findRequestId } from '../src/providers/apimall/wire.ts';
import { createCollector } from '../src/upstream/reuse.ts';
import { askAgain, createSpeaker } from './support/again.ts';
import { openContext, openGraph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';

const query = `{ webhooks { nodes { id url host events status health healthReason enabled lastDelivery { at error }
  ... on ApiMallWebhook { totalSent totalFailed lastError createdAt updatedAt } ... on DiligentWebhook { hasSecret lastDeliveryStatus }
} complete sources { state itemCount rejectedCount error { code providerCode providerRequestId } } } }`;

const rows = [apimallRow(), apimallRow({ id: 9, last_error: 'says "request_id":"x"}', total_sent: 3 })];
const requestId = 'req_01HQ9M7J7X9P7Y8T6W5V4U3S2R';
const whole = JSON.stringify({ success: true, data: rows, request_id: requestId });

/** A graph that reuses what it can beside one that reuses nothing, with the same upstream behind both. */
async function openBoth(first: string) {
  const { speaker, listener } = createSpeaker(first);
  const upstreams = { apimall: listener };
  const [reusing, plain] = await Promise.all([
    openGraph(upstreams),
    openGraph(upstreams, { reuseAnswers: false, reuseSnapshots: false }),
  ]);
  /** Throws where the two say different things of the same body. */
  async function compare(body: string | Buffer): Promise<void> {
    speaker.body = body;
    const askBoth = () => Promise.all([askAgain(reusing, query), askAgain(plain, query)]);
    let [a, b] = await askBoth();
    // Each has a circuit of its own, and the two may open and close at different times.
    while (a.text !== b.text && (a.text + b.text).includes('CIRCUIT_OPEN')) {
      await sleep(1100);
      [a, b] = await askBoth();
    }
    expect(a.text).toBe(b.text);
  }
  return {
    compare,
    async [Symbol.asyncDispose]() {
      await Promise.all([reusing[Symbol.asyncDispose](), plain[Symbol.asyncDispose]()]);
    },
  };
}

/** An edit somewhere in a text: characters that are taken out, and others that are put in. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  out: fc.nat({ max: 12 }),
  in: fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom(
      '"',
      '\\',
      '}',
      ']',
      ',',
      '0',
      '"request_id":"',
      '"},{"',
      ',"request_id":"a"}',
      ' ',
      '\\u0041',
      'é',
    ),
  ),
});

test('says of any body, however it was edited, what is said where nothing is reused', async () => {
  await using both = await openBoth(whole);
  const step = fc.oneof(
    { weight: 3, arbitrary: edit },
    // What follows the rows is where the rule looks.
    { weight: 2, arbitrary: edit.map((it) => ({ ...it, at: 1 - it.at * 0.12 })) },
    { weight: 3, arbitrary: fc.constantFrom('again', 'back') },
  );
  const edits = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
    let body = whole;
    for (let times = 0; times < 3; times++) await both.compare(body);
    for (const it of steps) {
      if (it === 'back') body = whole;
      else if (typeof it === 'object') {
        const at = Math.floor(it.at * body.length);
        body = body.slice(0, at) + it.in + body.slice(at + it.out);
      }
      await both.compare(body);
    }
  });
  await fc.assert(edits, { numRuns: 300 });
}, 60_000);

const fooling: readonly (readonly [string, string])[] = [
  [
    'a row that ends as the envelope does',
    `{"success":true,"data":[{"id":1,"url":"https://a.test","events":[],"request_id":"a"}]}`,
  ],
  [
    'a text that looks like the end',
    `{"success":true,"data":[],"note":"x,\\"request_id\\":\\"a\\"}","request_id":"a"}`,
  ],
  ['an end that is a text', `{"success":true,"data":[],"request_id":"a","note":",\\"request_id\\":\\"a\\"}"}`],
  ['the name twice', `{"success":true,"request_id":"a","data":[],"request_id":"a"}`],
  ['a request_id of two lines', `{"success":true,"data":[],"request_id":"a\\nb"}`],
  ['rows behind the request_id', `{"success":true,"request_id":"a","data":[]}`],
  ['data twice', `{"success":true,"data":[{"id":1}],"data":[],"request_id":"a"}`],
  ['a failure behind a success', `{"success":true,"data":[],"success":false,"error":{"code":"x"},"request_id":"a"}`],
  ['a failure', `{"success":false,"error":{"code":"not_found","message":"a"},"request_id":"a"}`],
  [
    'a page',
    `{"success":true,"data":{"items":[{"id":1,"url":"https://a.test","events":[]}],"limit":5},"request_id":"a"}`,
  ],
];

test.each(fooling)('is not fooled by %s', async (_name, body) => {
  await using both = await openBoth(body);
  const texts = ['"a"', '"b"', '"abc"', '"a\\u0022"'].map((text) => body.replaceAll('"a"', text));
  const others = texts.flatMap((text) => [text, text.slice(0, -1), text.replace(/}$/, ']'), `${text} `, `${text}}`]);
  for (const other of [...others, ...others.toReversed()])
    for (let times = 0; times < 3; times++) await both.compare(other);
});

test.each([
  ['is the last member', whole, requestId],
  ['is the last member, with blanks', `{"data":[] , "request_id" : "req_1" }\n`, 'req_1'],
  ['is empty', `{"data":[],"request_id":""}`, ''],
  ['is alone', `{"request_id":"a"}`, null],
  ['is no text', `{"data":[],"request_id":7}`, null],
  ['has an escape', `{"data":[],"request_id":"a\\u0041"}`, null],
  ['is not ASCII', `{"data":[],"request_id":"é"}`, null],
  ['is very long', `{"data":[],"request_id":"${'a'.repeat(300)}"}`, null],
  ['is followed by another member', `{"data":[],"request_id":"a","x":1}`, null],
])('finds the request_id where it %s', (_name, text, expected) => {
  const body = Buffer.from(text);
  const span = findRequestId(body);
  expect(span && body.subarray(span.start, span.end).toString()).toBe(expected);
});

/** The lists that requests get one after the other of what an upstream says. */
async function read(source: 'apimall' | 'diligent', bodies: readonly (string | Buffer)[], reuseSnapshots = true) {
  const { speaker, listener } = createSpeaker('');
  await using graph = await openGraph({ [source]: listener }, { reuseSnapshots });
  const serials: (number | null | undefined)[] = [];
  for (const body of bodies) {
    speaker.body = body;
    serials.push((await openContext(graph.sources).sources.get(source)?.read())?.serial);
  }
  expect(graph.calls(source)).toHaveLength(bodies.length);
  return serials;
}

const ids = ['req_1', 'req_2', 'req_longer', 'r', 'req_5'].map((id) => whole.replace(requestId, id));

test('takes lists of API Mall that differ in their request_id only for one, from the second on', async () => {
  const [first, second, ...others] = await read('apimall', ids);
  expect(second).not.toBe(first);
  expect(others).toEqual([second, second, second]);
});

test('takes every other difference for one', async () => {
  const changed = whole.replace('"total_sent":3', '"total_sent":4');
  const [, , last, other, ...again] = await read('apimall', [...ids.slice(0, 3), changed, ...ids.slice(0, 3)]);
  expect(new Set([last, other, ...again]).size).toBe(4);
});

test('takes the same list of Diligent for the same, and one with another blank for another', async () => {
  const body = JSON.stringify([diligentRow()]);
  const [, second, third, other] = await read('diligent', [body, body, body, `${body} `]);
  expect(third).toBe(second);
  expect(other).not.toBe(second);
});

test('takes a list for the one that came last, also where that came while both calls waited', async () => {
  const waiting: ServerResponse[] = [];
  const listener = (_request: IncomingMessage, response: ServerResponse) => waiting.push(response);
  await using graph = await openGraph({ apimall: listener }, { shareInFlight: false });
  const serials: unknown[] = [];
  const reads = [1, 2, 3].map(async () => {
    serials.push((await openContext(graph.sources).sources.get('apimall')?.read())?.serial);
  });
  await expect.poll(() => waiting.length).toBe(reads.length);
  for (const [before, response] of waiting.entries()) {
    response.setHeader('content-type', 'application/json').end(whole);
    await expect.poll(() => serials.length).toBe(before + 1);
  }
  await Promise.all(reads);
  const [first, second, third] = serials;
  expect(second).not.toBe(first);
  expect(third).toBe(second);
});

test('takes lists of two keys for two, whatever they say', async () => {
  const { listener } = createSpeaker(whole);
  await using graph = await openGraph({ apimall: listener });
  const serials = [];
  for (const key of ['a', 'b', 'a', 'b', 'a', 'b']) {
    serials.push((await openContext(graph.sources, key).sources.get('apimall')?.read())?.serial);
  }
  expect(new Set(serials.slice(-4)).size).toBe(2);
  expect(serials[4]).toBe(serials[2]);
});

test('takes no list for another where the switch is off', async () => {
  expect(new Set(await read('apimall', ids, false)).size).toBe(ids.length);
});

test('takes pages for the same list while every page says the same', async () => {
  const page = (items: readonly object[]) =>
    JSON.stringify({ success: true, data: { items, limit: 1 }, request_id: 'a' });
  let sent = 1;
  await using graph = await openGraph({
    apimall(request, response) {
      const number = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      response.setHeader('content-type', 'application/json');
      response.end(page(number === 3 ? [] : [apimallRow({ id: number, total_sent: number === 2 ? sent : 1 })]));
    },
  });
  const serials = [];
  for (const now of [1, 1, 1, 2, 2, 2]) {
    sent = now;
    serials.push((await openContext(graph.sources).sources.get('apimall')?.read())?.serial);
  }
  const [, second, third, fourth, fifth, sixth] = serials;
  expect([third, sixth]).toEqual([second, fifth]);
  expect(new Set([second, fourth, fifth]).size).toBe(3);
});

test('puts a body together from its chunks, and takes the one that is known for what says the same', () => {
  const body = Buffer.from(whole);
  const known = { body, span: findRequestId(body) };
  const texts = fc.oneof(
    fc.constant(whole),
    fc.constantFrom('"', 'x', '', 'req_').map((id) => whole.replace(requestId, id)),
    fc.tuple(edit, fc.constant(whole)).map(([{ at, out, in: put }, text]) => {
      const place = Math.floor(at * text.length);
      return text.slice(0, place) + put + text.slice(place + out);
    }),
  );
  fc.assert(
    fc.property(texts, fc.array(fc.nat({ max: 700 }), { maxLength: 6 }), fc.boolean(), (text, cuts, hasSpan) => {
      const last = hasSpan ? known : { body, span: null };
      const said = Buffer.from(text);
      const places = [0, ...cuts.filter((cut) => cut < said.length).sort((a, b) => a - b), said.length];
      const collector = createCollector(last);
      for (const [index, from] of places.slice(0, -1).entries()) collector.add(said.subarray(from, places[index + 1]));
      const taken = collector.end();
      const id = /^[^"\\]*$/.exec(text.slice(whole.indexOf(requestId), text.length - '"}'.length))?.[0];
      const isSame = hasSpan
        ? id !== undefined && text === whole.replace(requestId, id) && /^[\x20-\x7e]*$/.test(id)
        : text === whole;
      if (isSame) expect(taken).toBe(body);
      else expect(taken.equals(said) && taken !== body).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
