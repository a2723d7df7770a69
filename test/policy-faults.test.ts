import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import { asProvider, reportQuery, wholeLists } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { json } from './support/upstream.ts';

const faults: readonly RequestListener[] = [
  (request) => request.socket.resetAndDestroy(),
  json({}, 503),
  (request) => request.socket.end(),
  json({}, 502),
  (request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 900 }).write('[');
    response.write('{', () => request.socket.resetAndDestroy());
  },
  json({}, 504),
  json({}, 500),
];

/** Answers whole lists, but every tenth call with one of the faults that pass. */
function createFaulty(): RequestListener {
  let calls = 0;
  return (...http) => {
    calls += 1;
    const fault = calls % 10 === 0 ? faults[(calls / 10) % faults.length] : undefined;
    (fault ?? wholeLists)(...http);
  };
}

/** Sixteen clients ask one after the other, each its share of `requests`. */
async function askAll(listener: RequestListener, requests: number, shareInFlight: boolean) {
  const upstreams = { apimall: listener, diligent: createFaulty() };
  await using graph = await openGraph(upstreams, { shareInFlight });
  const counts = { failed: 0, whole: 0, calls: 0 };
  let left = requests;
  const clients = Array.from({ length: 16 }, async () => {
    while (left-- > 0) {
      const { data, errors } = await graph.answer(reportQuery);
      counts.failed += Number(errors !== undefined || !data);
      counts.whole += Number(data?.webhooks.complete === true);
    }
  });
  await Promise.all(clients);
  counts.calls = graph.calls('apimall').length + graph.calls('diligent').length;
  return counts;
}

test.each([
  ['shared', true],
  ['not shared', false],
])('answers whole where a tenth of the calls meets a fault: %s', async (_name, shareInFlight) => {
  const { failed, whole, calls } = await askAll(createFaulty(), 300, shareInFlight);
  expect(failed).toBe(0);
  expect(whole).toBeGreaterThanOrEqual(0.95 * 300);
  expect(calls).toBeLessThanOrEqual(2.4 * 300);
  if (!shareInFlight) expect(calls).toBeGreaterThanOrEqual(2 * 300 * 1.09);
});

test('answers as often without whole lists as a tenth of the calls meets a fault that is not to be tried again', async () => {
  let calls = 0;
  const listener = asProvider({
    apimall: (...http) => (++calls % 10 === 0 ? json({}, 501) : wholeLists)(...http),
    diligent: wholeLists,
  });
  const { failed, whole } = await askAll(listener, 300, false);
  expect(failed).toBe(0);
  expect(whole).toBeLessThan(0.95 * 300);
});
