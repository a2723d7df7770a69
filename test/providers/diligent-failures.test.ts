import { expect, test } from 'vitest';
import { bytes, faultOf } from '../support/faults.ts';
import { diligentRow } from '../support/rows.ts';
import { json, text } from '../support/upstream.ts';
import { readList } from './reading.ts';

// In every text of an error body, to be looked for in the answer.
const mark = 'LEAK';

const issue = { code: `${mark}_type`, expected: mark, received: mark, path: [mark, 0], message: `${mark} required` };

/** All that Diligent is known to answer errors with, and two that it is not. */
const shapes: readonly (readonly [name: string, body: unknown])[] = [
  ['zod issues', { error: [issue] }],
  ['an error text', { error: mark }],
  ['a list of errors', { errors: [{ path: mark, message: mark, code: mark }] }],
  ['an array of lists of errors', [{ errors: [{ path: mark, message: mark, code: mark }] }]],
  ['an error text with details', { error: mark, details: [{ field: mark, message: mark }] }],
  ['a message', { message: mark }],
  ['error, errors and message together', { error: { code: mark }, errors: [mark], message: mark, request_id: mark }],
  ["API Mall's envelope", { success: false, error: { code: mark, message: mark }, request_id: mark }],
  ['text', mark],
  ['null', null],
];

const statuses = [
  [400, 'BAD_RESPONSE'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [409, 'BAD_RESPONSE'],
  [429, 'RATE_LIMITED'],
  [500, 'UPSTREAM_ERROR'],
  [503, 'UPSTREAM_ERROR'],
] as const;

test.concurrent.each(shapes)(
  'goes by the status where the body is %s, and shows nothing of it',
  async (_name, body) => {
    for (const [status, code] of statuses) {
      const { rows, report, text: answer } = await readList('diligent', json(body, status));
      expect(rows).toEqual([]);
      expect(report).toMatchObject({ state: 'FAILED', itemCount: 0, rejectedCount: 0, fetchedAt: null });
      expect(report.error).toEqual(faultOf(code, { httpStatus: status }));
      expect(answer).not.toContain(mark);
    }
  },
);

test.concurrent.each(statuses)('goes by the status %i where there is no body, or HTML: %s', async (status, code) => {
  const empty = await readList('diligent', text('', status));
  const html = await readList('diligent', text(`<h1>${mark}</h1>`, status, { 'content-type': 'text/html' }));
  expect([empty.report.error, html.report.error]).toEqual(Array(2).fill(faultOf(code, { httpStatus: status })));
  expect(html.text).not.toContain(mark);
});

test.concurrent('goes by the status where rows come with an error', async () => {
  const { rows, report } = await readList('diligent', json([diligentRow()], 500));
  expect(rows).toEqual([]);
  expect(report.error).toEqual(faultOf('UPSTREAM_ERROR', { httpStatus: 500 }));
});

test.concurrent.each([
  ['an object with the rows', { items: [diligentRow()] }],
  ['an error text', { error: mark }],
  ["API Mall's envelope", { success: true, data: [diligentRow()] }],
  ['one row', diligentRow()],
  ['text', mark],
  ['null', null],
])('cannot read an answer 200 that is %s', async (_name, body) => {
  const { rows, report, text: answer } = await readList('diligent', json(body));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', rejectedCount: 0 });
  expect(report.error).toEqual(faultOf('BAD_RESPONSE', { httpStatus: 200 }));
  expect(answer).not.toContain(mark);
});

test.concurrent.each([
  ['empty', ''],
  ['HTML', `<html>${mark}</html>`],
  ['cut short', JSON.stringify([diligentRow()]).slice(0, -9)],
])('cannot read an answer 200 whose body is %s', async (_name, body) => {
  const { report, text: answer } = await readList('diligent', bytes(body));
  expect(report.error).toEqual(faultOf('BAD_RESPONSE', { httpStatus: 200 }));
  expect(answer).not.toContain(mark);
});

test.concurrent('cannot read an answer 204 without a body', async () => {
  const { report } = await readList('diligent', text('', 204));
  expect(report.error).toEqual(faultOf('BAD_RESPONSE', { httpStatus: 204 }));
});

test.concurrent.each([
  ['without Retry-After', {}, null],
  ['with Retry-After', { 'retry-after': '90' }, 90_000],
])('is RATE_LIMITED at 429 %s', async (_name, headers, retryAfterMs) => {
  const { report } = await readList('diligent', json({ error: mark }, 429, headers));
  expect(report.error).toEqual(faultOf('RATE_LIMITED', { httpStatus: 429, retryAfterMs }));
});
