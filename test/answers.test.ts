import { hash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { createRecord } from '../src/request.ts';
import { askAgain, askOften, createSpeaker } from './support/again.ts';
import { type Graph, type GraphOptions, openGraph } from './support/graph.ts';
import { apimallRow, diligentRow } from './support/rows.ts';
import { json } from './support/upstream.ts';

const list = '{ webhooks { nodes { id url } complete } }';

function envelope(...rows: readonly object[]): string {
  return JSON.stringify({ success: true, data: rows, request_id: `req_${Math.random()}` });
}

async function openSpoken(options: GraphOptions = {}) {
  const apimall = createSpeaker(envelope(apimallRow()));
  const diligent = createSpeaker(JSON.stringify([diligentRow()]));
  const graph = await openGraph({ apimall: apimall.listener, diligent: diligent.listener }, options);
  return { graph, apimall: apimall.speaker, diligent: diligent.speaker };
}

/** Whether two requests after another get the very same bytes. */
async function isKept(
  graph: Graph,
  query: string | undefined,
  options?: Parameters<typeof askAgain>[2],
): Promise<boolean> {
  const { bytes } = await askOften(graph, query, options);
  const again = await askAgain(graph, query, options);
  return bytes !== null && bytes === again.bytes;
}

test('sends the same bytes again where every source says what it said, and asks each for every request', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  expect(await isKept(graph, list)).toBe(true);
  expect([graph.calls('apimall').length, graph.calls('diligent').length]).toEqual([8, 8]);
});

test('asks nobody whom the answer does not need', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  expect(await isKept(graph, '{ webhooks(filter: { provider: [DILIGENT] }) { nodes { id } complete } }')).toBe(true);
  expect(await isKept(graph, '{ webhookSources { key } }')).toBe(true);
  expect([graph.calls('apimall').length, graph.calls('diligent').length]).toEqual([0, 8]);
});

test.each<[string, string, GraphOptions]>([
  ['the switch is off', list, { reuseAnswers: false }],
  ['rows are read anew each time', list, { reuseSnapshots: false }],
  ['the answer says how long it took', '{ webhooks { nodes { id } sources { durationMs } } }', {}],
  ['the answer says when rows came', '{ webhooks { sources { at: fetchedAt } } }', {}],
])('keeps no answer where %s', async (_name, query, options) => {
  const { graph } = await openSpoken(options);
  await using _closed = graph;
  expect(await isKept(graph, query)).toBe(false);
  expect(graph.calls('apimall')).toHaveLength(8);
});

test.each([
  ['by ids', '{ nodes(ids: []) { id } }'],
  ['of the schema', '{ __schema { queryType { name } } }'],
  ['in pieces', '{ webhooks { totalCount ... @defer { nodes { id } } } }'],
  ['below a row', '{ webhooks { nodes { source { webhooks { totalCount complete } } } } }'],
  ['below a source', '{ webhookSources { webhooks { totalCount complete } } }'],
])('leaves what is asked %s to the ordinary executor', async (_name, query) => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  expect((await askOften(graph, query, { headers: { accept: '*/*' } })).bytes).toBeNull();
});

test('registers a document each time that it comes with its id, and answers the id alone from what it knows', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  const persistedQuery = { version: 1, sha256Hash: hash('sha256', list) };
  const both = { extensions: { persistedQuery } };
  expect((await askOften(graph, list, both)).bytes).toBeNull();
  expect(await isKept(graph, undefined, both)).toBe(true);
});

test('shows every change of a row, and what it was before again', async () => {
  const { graph, apimall } = await openSpoken();
  await using _closed = graph;
  const query = '{ webhooks { nodes { ... on ApiMallWebhook { totalSent } } } }';
  for (const sent of [1, 2, 1, 3]) {
    apimall.body = envelope(apimallRow({ total_sent: sent }));
    for (let times = 0; times < 5; times++) {
      expect((await askAgain(graph, query)).text).toContain(`"totalSent":${sent}`);
    }
  }
});

test('shows a source that fails, whatever it said before', async () => {
  const { graph, diligent } = await openSpoken({ deadlineMs: 300 });
  await using _closed = graph;
  const unreported = '{ webhooks { nodes { id } } }';
  const whole = await askOften(graph, list);
  await askOften(graph, unreported);
  diligent.status = 403;
  const failed = await askAgain(graph, list);
  expect(JSON.parse(failed.text).data.webhooks).toMatchObject({ complete: false, nodes: [{ id: expect.anything() }] });
  const { errors } = JSON.parse((await askAgain(graph, unreported)).text);
  expect(errors).toMatchObject([{ extensions: { code: 'SOURCE_FAILED', source: 'diligent' } }]);
  diligent.status = 200;
  expect((await askAgain(graph, list)).text).toBe(whole.text);
});

const report = '{ webhooks { nodes { url } complete } }';
const bare = 'query Bare {\n  mine: webhooks { nodes { url } }\n  yours: webhooks(first: 1) { totalCount }\n}';

test.each<[string, string, GraphOptions]>([
  ['as data', report, {}],
  ['in errors beside the rows', bare, {}],
  ['in errors in place of the list', bare, { partialResults: 'null' }],
])(
  'answers byte for byte what the ordinary executor does where a source that fails is told of %s',
  async (_name, query, options) => {
    const { graph, diligent } = await openSpoken(options);
    await using _closed = graph;
    diligent.status = 403;
    const first = await askAgain(graph, query);
    expect(first.bytes).toBeNull();
    expect(first.text).toContain(query === report ? '"complete":false' : '"SOURCE_FAILED"');
    for (let times = 0; times < 3; times++) {
      const { bytes, ...again } = await askAgain(graph, query);
      expect(bytes).not.toBeNull();
      expect({ ...again, bytes: null }).toEqual(first);
    }
    diligent.status = 200;
    const whole = await askAgain(graph, query);
    expect(whole.text).toContain('diligent');
    expect(whole.text).not.toContain('errors');
  },
);

test('leaves to the ordinary executor what fails in place of its field', async () => {
  const { graph, apimall } = await openSpoken();
  await using _closed = graph;
  const { data } = await graph.answer('{ webhooks(filter: { provider: [API_MALL] }) { nodes { id } } }');
  const query = `{ webhook(id: "${data.webhooks.nodes[0].id}") { id } webhooks { nodes { id } } }`;
  await askOften(graph, query);
  apimall.status = 403;
  const failed = await askAgain(graph, query);
  expect(failed.bytes).toBeNull();
  expect(JSON.parse(failed.text).errors).toMatchObject([{ path: ['webhook'] }, { path: ['webhooks'] }]);
  apimall.status = 200;
  expect((await askAgain(graph, query)).bytes).not.toBeNull();
});

test('keeps no answer that lacks rows', async () => {
  const { graph, diligent } = await openSpoken();
  await using _closed = graph;
  diligent.body = JSON.stringify([diligentRow(), { id: 'x' }]);
  expect(await isKept(graph, list)).toBe(false);
  expect((await askAgain(graph, list)).text).toContain('"complete":false');
});

test('reads an operation by all that it depends on', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  const query = 'query A($n: Int) { webhooks(first: $n) { nodes { id } complete } }';
  const count = ({ text }: { text: string }) => JSON.parse(text).data.webhooks.nodes.length;
  const asked = [1, 2, 1].map((n) => ({ variables: { n } }));
  for (const options of asked) await askOften(graph, query, options);
  const counts = [];
  for (const options of asked) counts.push(count(await askAgain(graph, query, options)));
  expect(counts).toEqual([1, 2, 1]);
});

test('answers in the media type that is asked for', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  const ask = async (accept: string) => (await askOften(graph, list, { headers: { accept } })).type;
  for (const type of ['application/json', 'application/graphql-response+json']) {
    expect(await ask(type)).toBe(`${type}; charset=utf-8`);
  }
});

test.each(['text/event-stream', 'multipart/mixed'])(
  'frames each answer as %s, however often it is asked for',
  async (accept) => {
    const { graph } = await openSpoken();
    await using _closed = graph;
    const first = await askAgain(graph, list, { headers: { accept } });
    expect(await askOften(graph, list, { headers: { accept } })).toEqual(first);
    expect(first.text).not.toMatch(/^\{/);
  },
);

test('forgets queries by what was made of them: a fragment counts at each of its places', async () => {
  const { graph } = await openSpoken();
  await using _closed = graph;
  const fields = [...fieldNames, 'lastDelivery { at error }', 'source { key name provider }'];
  const ask = (name: string, places: number) => {
    const lists = Array.from({ length: places }, (_, place) => `a${place}: webhooks(first: 1) { nodes { ...Row } }`);
    return `query ${name} { ${lists.join(' ')} } fragment Row on Webhook { ${fields.join(' ')} }`;
  };
  const names = Array.from({ length: 90 }, (_, index) => `Q${index}`);
  for (const places of [1, 80]) {
    for (const name of names) for (let times = 0; times < 2; times++) await askAgain(graph, ask(name, places));
    const isKnown = (await askAgain(graph, ask('Q0', places))).bytes !== null;
    expect(isKnown).toBe(places === 1);
  }
});

const fieldNames = [
  'id',
  'url',
  'host',
  'events',
  'status',
  'enabled',
  'health',
  'healthReason',
  'createdAt',
  'updatedAt',
];

/** Gives each key its own row, and lets nobody else in. */
const byKey: RequestListener = (request, response) => {
  const key = request.headers['x-api-key'];
  const body = key === 'a' || key === 'b' ? [diligentRow({ id: `of-${key}` })] : { error: 'Unauthorized' };
  json(body, Array.isArray(body) ? 200 : 401)(request, response);
};

test('gives each tenant its own rows, and those without a key none', async () => {
  await using graph = await openGraph({ diligent: byKey }, { passthrough: true });
  const query = '{ webhooks { nodes { externalId } complete } }';
  const ask = async (key: string) => {
    const { text } = await askAgain(graph, query, { headers: { 'x-diligent-api-key': key } });
    const { nodes, complete } = JSON.parse(text).data.webhooks;
    return [...nodes.map((node: { externalId: string }) => node.externalId), complete];
  };
  for (let times = 0; times < 7; times++) {
    expect([await ask('a'), await ask('b'), await ask('c')]).toEqual([['of-a', true], ['of-b', true], [false]]);
  }
});

test.each([
  ['says whether it is whole', list],
  ['does not', '{ webhooks { nodes { id } } }'],
])(
  'keeps nothing of what was made for a caller who left while it waited for its turn, where the query %s',
  async (_name, query) => {
    const speaker = createSpeaker(envelope(apimallRow()));
    await using inner = await openGraph({ apimall: speaker.listener });
    let leave: (() => void) | undefined;
    const sources = inner.sources.map((source) => ({
      ...source,
      upstream: {
        ...source.upstream,
        async run<T>(...run: Parameters<typeof source.upstream.run<T>>) {
          const result = await source.upstream.run<T>(...run);
          leave?.();
          return result;
        },
      },
    }));
    await using graph = await openGraph({}, { sources, findCredentials: () => () => ({ 'x-api-key': 'test-key' }) });
    const { text } = await askAgain(graph, query);
    for (let times = 0; times < 2; times++) await askAgain(graph, query);
    for (let times = 0; times < 3; times++) {
      const caller = new AbortController();
      leave = () => caller.abort();
      // Yoga answers nobody who left.
      await askAgain(graph, query, { signal: caller.signal }).catch(() => null);
      leave = undefined;
      expect((await askAgain(graph, query)).text).toBe(text);
    }
    expect(await isKept(graph, query)).toBe(true);
  },
);

/** Asks as the front door does, of what was learnt only. */
function askLearnt({ gateway }: Graph, query: string, send: () => void, signal = new AbortController().signal) {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const request = { method: 'POST', url: 'http://graph.test/graphql', headers, body: JSON.stringify({ query }) };
  return gateway.answer({ ...request, signal, record: createRecord() }, send);
}

test('has nothing left to do for a caller who left before it could begin', async () => {
  const { graph } = await openSpoken();
  await using _graph = graph;
  await askOften(graph, list);
  const before = graph.calls('apimall').length;
  let sent = 0;
  const send = () => {
    sent += 1;
  };
  expect(await askLearnt(graph, list, send, AbortSignal.abort())).toBe(true);
  expect([sent, graph.calls('apimall').length]).toEqual([0, before]);
  expect(await askLearnt(graph, list, send)).toBe(true);
  expect([sent, graph.calls('apimall').length]).toEqual([1, before + 1]);
});
