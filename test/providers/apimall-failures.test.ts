import { expect, test } from 'vitest';
import { bytes, faultOf } from '../support/faults.ts';
import { apimallRow } from '../support/rows.ts';
import { json, text } from '../support/upstream.ts';
import { readList } from './reading.ts';

const requestId = 'req_01HQ9M7J7X9P7Y8T6W5V4U3S2R';
const secretText = 'db-7.internal refused sk-live-4711';

function problem(error: unknown): object {
  return { success: false, error, request_id: requestId };
}

const said = { providerRequestId: requestId };

test.concurrent.each([
  ['unauthorized', { code: 'unauthorized' }, faultOf('UNAUTHORIZED', { ...said, providerCode: 'unauthorized' })],
  ['not_found', { code: 'not_found' }, faultOf('NOT_FOUND', { ...said, providerCode: 'not_found' })],
  ['another code', { code: 'quota.used-up' }, faultOf('UPSTREAM_ERROR', { ...said, providerCode: 'quota.used-up' })],
  ['a code in capitals', { code: 'NOT_FOUND' }, faultOf('UPSTREAM_ERROR', { ...said, providerCode: 'NOT_FOUND' })],
  ['no code', {}, faultOf('UPSTREAM_ERROR', said)],
  ['a code that is a number', { code: 401 }, faultOf('UPSTREAM_ERROR', said)],
  ['text for an error', 'unauthorized', faultOf('UPSTREAM_ERROR', said)],
  ['a list for an error', [{ code: 'unauthorized' }], faultOf('UPSTREAM_ERROR', said)],
  ['null for an error', null, faultOf('UPSTREAM_ERROR', said)],
  ['no error', undefined, faultOf('UPSTREAM_ERROR', said)],
])('fails where success is false in an answer 200 with %s', async (_name, error, expected) => {
  const { rows, report } = await readList('apimall', json(problem(error)));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', itemCount: 0, rejectedCount: 0, fetchedAt: null });
  expect(report.error).toEqual({ ...expected, httpStatus: 200 });
});

test.concurrent('fails where success is false beside rows', async () => {
  const { rows, report } = await readList('apimall', json({ success: false, data: [apimallRow()] }));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', error: { code: 'UPSTREAM_ERROR', providerCode: null } });
});

test.concurrent.each([
  ['missing', { data: [apimallRow()] }],
  ['null', { success: null, data: [apimallRow()] }],
  ['no flag', { success: 'yes', data: [apimallRow()] }],
])('reads the rows of an answer 200 where success is %s', async (_name, body) => {
  const { rows, report } = await readList('apimall', json(body));
  expect(rows).toMatchObject([{ externalId: '8' }]);
  expect(report).toMatchObject({ state: 'OK', error: null });
});

test.concurrent.each([
  ['no data', { success: true }],
  ['no data and no success', {}],
  ['null for data', { success: true, data: null }],
  ['text for data', { success: true, data: secretText }],
  ['one row for data', { success: true, data: apimallRow() }],
  ['a page without items', { success: true, data: { page: 1, limit: 20 } }],
  ['a page whose items are no list', { success: true, data: { items: { 0: apimallRow() }, limit: 20 } }],
  ['rows without the envelope', [apimallRow()]],
  ['null', null],
  ['text', secretText],
])('cannot read an answer 200 that is %s', async (_name, body) => {
  const { rows, report, text: answer } = await readList('apimall', json(body));
  expect(rows).toEqual([]);
  expect(report).toMatchObject({ state: 'FAILED', rejectedCount: 0 });
  expect(report.error).toEqual(faultOf('BAD_RESPONSE', { httpStatus: 200 }));
  expect(answer).not.toContain(secretText);
});

test.concurrent.each([
  ['empty', ''],
  ['HTML', `<html>${secretText}</html>`],
  ['cut short', JSON.stringify({ success: true, data: [apimallRow()] }).slice(0, -9)],
  ['two bodies', '{"success":true,"data":[]}{"success":true,"data":[]}'],
  ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('cannot read an answer 200 whose body is %s', async (_name, body) => {
  const { report, text: answer } = await readList('apimall', bytes(body));
  expect(report.error).toEqual(faultOf('BAD_RESPONSE', { httpStatus: 200 }));
  expect(answer).not.toContain(secretText);
});

const statuses = [
  [400, 'BAD_RESPONSE'],
  [401, 'UNAUTHORIZED'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [429, 'RATE_LIMITED'],
  [500, 'UPSTREAM_ERROR'],
  [503, 'UPSTREAM_ERROR'],
] as const;

test.concurrent.each(statuses)('goes by the status %i, whatever code comes with it: %s', async (status, code) => {
  const body = problem({ code: 'plan_expired', message: secretText });
  const { report, text: answer } = await readList('apimall', json(body, status));
  expect(report).toMatchObject({ state: 'FAILED', rejectedCount: 0 });
  expect(report.error).toEqual(faultOf(code, { httpStatus: status, providerCode: 'plan_expired', ...said }));
  expect(answer).not.toContain(secretText);
});

test.concurrent.each(statuses)('goes by the status %i where success is true: %s', async (status, code) => {
  const { rows, report } = await readList('apimall', json({ success: true, data: [apimallRow()] }, status));
  expect(rows).toEqual([]);
  expect(report.error).toEqual(faultOf(code, { httpStatus: status }));
});

test.concurrent.each(statuses)('goes by the status %i where the body is no JSON: %s', async (status, code) => {
  const { report, text: answer } = await readList('apimall', text(`<h1>${secretText}</h1>`, status));
  expect(report.error).toEqual(faultOf(code, { httpStatus: status }));
  expect(answer).not.toContain(secretText);
});

test.concurrent('goes by the status where a known code contradicts it', async () => {
  const { report } = await readList('apimall', json(problem({ code: 'unauthorized' }), 404));
  expect(report.error).toMatchObject({ code: 'NOT_FOUND', httpStatus: 404, providerCode: 'unauthorized' });
});

test.concurrent.each([
  ['without Retry-After', {}, null],
  ['with Retry-After in seconds', { 'retry-after': '120' }, 120_000],
  ['with a Retry-After beyond an hour', { 'retry-after': '86400' }, 3_600_000],
  ['with a Retry-After that is past', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
  ['with a Retry-After that says nothing', { 'retry-after': 'soon' }, null],
])('is RATE_LIMITED at 429 %s', async (_name, headers, retryAfterMs) => {
  const { report } = await readList('apimall', json(problem({ code: 'slow_down' }), 429, headers));
  const details = { httpStatus: 429, retryAfterMs, providerCode: 'slow_down', ...said };
  expect(report.error).toEqual(faultOf('RATE_LIMITED', details));
  expect(report.error.retryable).toBe(true);
});

test.concurrent.each([
  ['a', 'a'],
  ['Job_1.failed-2', 'Job_1.failed-2'],
  ['x'.repeat(64), 'x'.repeat(64)],
  ['x'.repeat(65), null],
  ['', null],
  ['two words', null],
  ['line\nbreak', null],
  ['unauthorized\n', null],
  ['<b>bold</b>', null],
  ['https://db-7.internal/', null],
  ['größe', null],
  [5, null],
  [null, null],
  [{ code: 'a' }, null],
])('shows the word %j of an error answer as %j', async (word, shown) => {
  const code = { success: false, error: { code: word }, request_id: requestId };
  const id = { success: false, error: { code: 'odd' }, request_id: word };
  for (const status of [200, 503]) {
    const [byCode, byId] = [await readList('apimall', json(code, status)), await readList('apimall', json(id, status))];
    const error = { code: 'UPSTREAM_ERROR', httpStatus: status };
    expect(byCode.report.error).toMatchObject({ ...error, providerCode: shown, providerRequestId: requestId });
    expect(byId.report.error).toMatchObject({ ...error, providerCode: 'odd', providerRequestId: shown });
  }
});

test.concurrent('reads the rows of an answer whose request id is no text', async () => {
  const { report } = await readList('apimall', json({ success: true, data: [apimallRow()], request_id: 5 }));
  expect(report).toMatchObject({ state: 'OK', itemCount: 1 });
});

test.concurrent('shows the request id of the call, not one that is inside data or the error', async () => {
  const body = { success: false, error: { code: 'x', request_id: 'inner' }, data: { request_id: 'inner' } };
  const { report } = await readList('apimall', json(body, 500));
  expect(report.error).toMatchObject({ providerCode: 'x', providerRequestId: null });
});
