import { afterEach, expect, test } from 'vitest';
import { medianRatio } from '../bench/figures.ts';
import { askAgain } from './support/again.ts';
import { openGraph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { json, text } from './support/upstream.ts';

interface Writing {
  readonly data: { readonly webhooks: { readonly nodes: { more?: string }[] } };
}

const write = JSON.stringify;

afterEach(() => {
  JSON.stringify = write;
});

/** Nanoseconds that it takes to write a value for the first time: what is in pieces then is in one afterwards. */
function time(value: object): number {
  const before = process.hrtime.bigint();
  write(value);
  return Number(process.hrtime.bigint() - before);
}

/**
 * How many times as long it takes to write the answers to a query as copies of them, whose texts all are in one piece; the
 * same for copies that were given one text which is not.
 */
async function measureAnswers(
  selection: string,
  diligentFails: boolean,
): Promise<readonly [own: number, mixed: number]> {
  const numbers = Array.from({ length: 50 }, (_, number) => number);
  const hook = (number: number) => `https://hooks-${number}.acme.example/`;
  let sent = 0;
  let last = '{}';
  const apimall = () => {
    sent += 1;
    const error = 'e'.repeat(1001);
    const data = numbers.map((number) =>
      apimallRow({ id: number, url: hook(number), total_sent: sent, last_error: number === 0 ? error : null }),
    );
    return text(write({ success: true, data }));
  };
  const diligent = json(numbers.map((number) => diligentRow({ id: `wh-${number}`, webhook_url: hook(number) })));
  await using graph = await openGraph({
    apimall: (...call) => apimall()(...call),
    diligent: diligentFails ? text('', 403) : diligent,
  });
  const own: number[] = [];
  const copies: number[] = [];
  const mixed: number[] = [];
  JSON.stringify = ((value: Writing, ...rest: []) => {
    if (!value?.data?.webhooks) return write(value, ...rest);
    // What is written first takes longest.
    time(JSON.parse(last));
    own.push(time(value));
    const written = write(value);
    last = written;
    copies.push(time(JSON.parse(written)));
    const copy: Writing = JSON.parse(written);
    for (const node of copy.data.webhooks.nodes) node.more = '';
    Object.assign(copy.data.webhooks.nodes[0] ?? {}, { more: `written for the ${own.length}th time` });
    mixed.push(time(copy));
    return written;
  }) as typeof write;
  for (let times = 0; times < 400; times++) await askAgain(graph, `{ webhooks { nodes { id ${selection} } } }`);
  expect(own.length).toBeGreaterThan(300);
  return [medianRatio(own, copies), medianRatio(mixed, copies)];
}

test.each([
  ['sentences', 'healthReason', false],
  ['names of hosts', 'host', false],
  ['what was cut', '... on ApiMallWebhook { lastError }', false],
  ['errors', 'url', true],
])('writes %s on the fast path of V8', async (_name, selection, diligentFails) => {
  const [own, mixed] = await measureAnswers(selection, diligentFails);
  expect(own).toBeLessThan(1.5);
  // Where this fails, V8 has the fast path for all texts, and `flat` can go.
  expect(mixed).toBeGreaterThan(1.5);
});
