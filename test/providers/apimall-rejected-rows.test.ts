import { expect, test } from 'vitest';
import { apimallList, apimallRow, without } from '../support/rows.ts';
import { json } from '../support/upstream.ts';
import { readList } from './reading.ts';

const row = apimallRow();

function unreadRows(rejected: number, all: number): object {
  return {
    code: 'BAD_RESPONSE',
    httpStatus: 200,
    message: `${rejected} of ${all} rows could not be read, or came twice.`,
    retryable: false,
    retryAfterMs: null,
    providerCode: null,
    providerRequestId: null,
  };
}

test.each([
  ['no id', without(row, 'id')],
  ['the id null', apimallRow({ id: null })],
  ['an empty id', apimallRow({ id: '' })],
  ['an id that is a word', apimallRow({ id: 'wh_8' })],
  ['an id with a sign', apimallRow({ id: -8 })],
  ['an id with a fraction', apimallRow({ id: 8.5 })],
  ['an id with a leading zero', apimallRow({ id: '08' })],
  ['an id with a space', apimallRow({ id: '8 ' })],
  ['an id with a line break', apimallRow({ id: '8\n' })],
  ['an id in digits that are not ASCII', apimallRow({ id: '٨' })],
  ['an id above 2^53', apimallRow({ id: 2 ** 53 })],
  ['a flag for an id', apimallRow({ id: true })],
  ['an object for an id', apimallRow({ id: { value: 8 } })],
  ['no url', without(row, 'url')],
  ['the url null', apimallRow({ url: null })],
  ['a number for a url', apimallRow({ url: 5 })],
  ['no events', without(row, 'events')],
  ['the events null', apimallRow({ events: null })],
  ['text for events', apimallRow({ events: 'job.completed' })],
  ['an event that is no text', apimallRow({ events: ['job.completed', null] })],
  ['nothing at all', {}],
])('rejects a row that has %s, and no other', async (_name, bad) => {
  const { rows, report } = await readList('apimall', apimallList(bad, apimallRow({ id: 9 })));
  expect(rows).toMatchObject([{ externalId: '9', health: 'HEALTHY' }]);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1, error: unreadRows(1, 2) });
  expect(report.fetchedAt).toEqual(expect.any(String));
});

test.each([[null], [5], ['8'], [true], [[]], [[row]]])('rejects %j in the place of a row', async (bad) => {
  const { rows, report } = await readList('apimall', json({ success: true, data: [bad, row] }));
  expect(rows).toMatchObject([{ externalId: '8' }]);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 1, rejectedCount: 1, error: unreadRows(1, 2) });
});

test('keeps the first of rows that have the same id, also where one is a number and one is text', async () => {
  const second = apimallRow({ url: 'https://second.example/' });
  const third = apimallRow({ id: '8', url: 'https://third.example/' });
  const { rows, report } = await readList('apimall', apimallList(row, second, third, apimallRow({ id: 9 })));
  expect(rows).toMatchObject([
    { externalId: '8', host: 'hooks.acme.example' },
    { externalId: '9', host: 'hooks.acme.example' },
  ]);
  expect(report).toMatchObject({ state: 'PARTIAL', itemCount: 2, rejectedCount: 2, error: unreadRows(2, 4) });
});

test('reads the good row of an id whose bad row came first', async () => {
  const { rows, report } = await readList('apimall', apimallList(apimallRow({ url: null }), row));
  expect(rows).toMatchObject([{ externalId: '8' }]);
  expect(report).toMatchObject({ state: 'PARTIAL', rejectedCount: 1 });
});

test('fails where all rows are rejected, and counts them', async () => {
  const { rows, report } = await readList('apimall', apimallList(without(row, 'id'), without(row, 'url'), {}));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', itemCount: 0, rejectedCount: 3, error: unreadRows(3, 3) });
  expect(report.fetchedAt).toBeNull();
});
