import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { faultOf } from '../support/faults.ts';
import { apimallRow, without } from '../support/rows.ts';
import { hang, json, text } from '../support/upstream.ts';
import { type Reading, readList } from './reading.ts';

const requestId = 'req_01HQ9M7J7X9P7Y8T6W5V4U3S2R';

/** `count` rows with ids from `from` on. */
function rowsFrom(from: number, count: number): readonly object[] {
  return Array.from({ length: count }, (_, index) => apimallRow({ id: from + index }));
}

/** One page of the list; `said` replaces what the page says of itself. */
function page(items: readonly object[], said: object = { page: 1, limit: 3 }): RequestListener {
  return json({ success: true, data: { items, ...said }, request_id: requestId });
}

/** Answers the first call with the first of these, and so on; the last one answers all further calls. */
function pages(...listeners: readonly RequestListener[]): RequestListener {
  let asked = 0;
  return (request, response) => listeners[Math.min(asked++, listeners.length - 1)]?.(request, response);
}

/** Endless full pages of `limit` rows, always new. */
function endless(limit: number, answer: (send: () => void) => void = (send) => send()): RequestListener {
  let asked = 0;
  return (request, response) => {
    const listener = page(rowsFrom(asked++ * limit, limit), { limit });
    answer(() => listener(request, response));
  };
}

function ids({ rows }: Reading): readonly string[] {
  return rows.map(({ externalId }) => externalId);
}

function paths({ calls }: Reading): readonly string[] {
  return calls.map(({ path }) => path);
}

function count(most: number): readonly string[] {
  return Array.from({ length: most }, (_, index) => String(index));
}

const whole = { state: 'OK', error: null, rejectedCount: 0 };

test.each([0, 1, 2])('takes a first page of %i rows under a limit of 3 for the whole list', async (size) => {
  const reading = await readList('apimall', page(rowsFrom(0, size)));
  expect(reading.report).toMatchObject({ ...whole, itemCount: size });
  expect(paths(reading)).toEqual(['/webhooks']);
});

test('takes an array for the whole list, however long it is', async () => {
  const reading = await readList('apimall', json({ success: true, data: rowsFrom(0, 500) }));
  expect(reading.report).toMatchObject({ ...whole, itemCount: 500 });
  expect(paths(reading)).toEqual(['/webhooks']);
});

test('asks for further pages of the same size until one is short, each with the key', async () => {
  const listener = pages(page(rowsFrom(0, 3)), page(rowsFrom(3, 3)), page(rowsFrom(6, 2)), hang);
  const reading = await readList('apimall', listener);
  expect(reading.report).toMatchObject({ ...whole, itemCount: 8 });
  expect(ids(reading)).toEqual(count(8));
  expect(paths(reading)).toEqual(['/webhooks', '/webhooks?page=2&limit=3', '/webhooks?page=3&limit=3']);
  expect(reading.calls.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer test-key'));
});

test('takes an empty last page for the end', async () => {
  const reading = await readList('apimall', pages(page(rowsFrom(0, 3)), page([])));
  expect(reading.report).toMatchObject({ ...whole, itemCount: 3 });
  expect(reading.calls).toHaveLength(2);
});

test.each([
  ['missing', { page: 1 }],
  ['null', { limit: null }],
  ['0', { limit: 0 }],
  ['text', { limit: '3' }],
  ['a fraction', { limit: 2.5 }],
])('takes a limit that is %s for 20', async (_name, said) => {
  const short = await readList('apimall', page(rowsFrom(0, 19), said));
  expect(short.report).toMatchObject({ ...whole, itemCount: 19 });
  expect(paths(short)).toEqual(['/webhooks']);
  const full = await readList('apimall', pages(page(rowsFrom(0, 20), said), page(rowsFrom(20, 1), said)));
  expect(full.report).toMatchObject({ ...whole, itemCount: 21 });
  expect(paths(full)).toEqual(['/webhooks', '/webhooks?page=2&limit=20']);
});

test('reads a list whose twentieth page is short whole', async () => {
  const full = Array.from({ length: 19 }, (_, index) => page(rowsFrom(index * 3, 3)));
  const reading = await readList('apimall', pages(...full, page(rowsFrom(57, 1))));
  expect(reading.report).toMatchObject({ ...whole, itemCount: 58 });
  expect(reading.calls).toHaveLength(20);
});

test('ends a list of more than 20 pages there, with the rows that came', async () => {
  const reading = await readList('apimall', endless(3));
  const error = { ...faultOf('TOO_LARGE'), message: "The provider's list has more than 20 pages." };
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 60, rejectedCount: 0, error });
  expect(ids(reading)).toEqual(count(60));
  expect(reading.calls).toHaveLength(20);
});

test('ends at a page that was already seen, with the rows that came', async () => {
  // What an upstream does that has the page form and ignores `page`.
  const reading = await readList('apimall', page(rowsFrom(0, 3)));
  const error = { ...faultOf('BAD_RESPONSE'), message: 'The provider repeats a page of its list.' };
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 3, rejectedCount: 0, error });
  expect(ids(reading)).toEqual(count(3));
  expect(reading.calls).toHaveLength(2);
});

test('ends at a page that states another limit, because rows may lie between', async () => {
  const reading = await readList('apimall', pages(page(rowsFrom(0, 3)), page(rowsFrom(9, 2), { limit: 50 })));
  const error = { ...faultOf('BAD_RESPONSE'), message: 'The provider changes the size of its pages.' };
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 5, rejectedCount: 0, error });
});

test('ends at a third page that repeats the second', async () => {
  const listener = pages(page(rowsFrom(0, 3)), page(rowsFrom(3, 3)), page(rowsFrom(3, 3)));
  const reading = await readList('apimall', listener);
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 6, error: { code: 'BAD_RESPONSE' } });
  expect(reading.calls).toHaveLength(3);
});

test('ends at pages that come round again after several', async () => {
  const listener = pages(page(rowsFrom(0, 3)), page(rowsFrom(3, 3)), page(rowsFrom(0, 3)));
  const reading = await readList('apimall', listener);
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 6, error: { code: 'BAD_RESPONSE' } });
  expect(reading.calls).toHaveLength(3);
});

test('goes on behind a page that repeats some rows, and says that they were there twice', async () => {
  const reading = await readList('apimall', pages(page(rowsFrom(0, 3)), page(rowsFrom(2, 3)), page(rowsFrom(5, 1))));
  expect(ids(reading)).toEqual(count(6));
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 6, rejectedCount: 1 });
  expect(reading.report.error).toMatchObject({ message: '1 of 7 rows could not be read, or came twice.' });
});

test('counts rejected rows of all pages', async () => {
  const bad = without(apimallRow({ id: 7 }), 'url');
  const reading = await readList('apimall', pages(page([...rowsFrom(0, 2), bad]), page([{ ...bad, id: 8 }])));
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 2, rejectedCount: 2 });
});

const said = { providerCode: 'storage_down', providerRequestId: requestId };
const problem = { success: false, error: { code: 'storage_down', message: 'db-7.internal' }, request_id: requestId };

test.each([
  ['is answered with 403', json(problem, 403), { code: 'FORBIDDEN', httpStatus: 403, ...said }],
  ['is answered with 500', json(problem, 500), { code: 'UPSTREAM_ERROR', httpStatus: 500, ...said }],
  ['is answered with success false', json(problem), { code: 'UPSTREAM_ERROR', httpStatus: 200, ...said }],
  ['is no JSON', text('<html>db-7.internal</html>'), { code: 'BAD_RESPONSE', httpStatus: 200 }],
  ['has no data', json({ success: true }), { code: 'BAD_RESPONSE', httpStatus: 200 }],
  ['breaks off', (_, response) => void response.destroy(), { code: 'UNREACHABLE', httpStatus: null }],
] satisfies [string, RequestListener, object][])(
  'keeps the first page where the second %s',
  async (_name, second, error) => {
    const reading = await readList('apimall', pages(page(rowsFrom(0, 3)), second));
    expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 3, rejectedCount: 0, error });
    expect(ids(reading)).toEqual(count(3));
    expect(reading.text).not.toContain('db-7.internal');
  },
);

test('fails where the first page does, without asking for a second', async () => {
  const reading = await readList('apimall', pages(json(problem), page(rowsFrom(0, 3))));
  expect(reading.report).toMatchObject({ state: 'FAILED', itemCount: 0, error: { code: 'UPSTREAM_ERROR', ...said } });
  expect(reading.calls).toHaveLength(1);
});

test('says why pages are missing rather than that rows were rejected', async () => {
  const bad = without(apimallRow(), 'url');
  const reading = await readList('apimall', pages(page([bad, ...rowsFrom(0, 2)]), json(problem, 403)));
  expect(reading.report).toMatchObject({ state: 'PARTIAL', rejectedCount: 1, error: { code: 'FORBIDDEN' } });
});

test('keeps the pages that came before the deadline', async () => {
  const reading = await readList('apimall', pages(page(rowsFrom(0, 3)), hang), {
    deadlineMs: 500,
    attemptTimeoutMs: 10_000,
  });
  expect(reading.report).toMatchObject({ state: 'PARTIAL', itemCount: 3, error: { code: 'TIMEOUT', retryable: true } });
  expect(reading.report.durationMs).toBeLessThan(5000);
});

test('holds one deadline over all pages together', async () => {
  const slow = endless(3, (send) => setTimeout(send, 100));
  const reading = await readList('apimall', slow, { deadlineMs: 700, attemptTimeoutMs: 10_000 });
  expect(reading.report).toMatchObject({ state: 'PARTIAL', error: { code: 'TIMEOUT' } });
  expect(reading.report.itemCount).toBeGreaterThanOrEqual(3);
  expect(reading.calls.length).toBeLessThan(20);
  expect(ids(reading)).toEqual(count(reading.report.itemCount));
});
