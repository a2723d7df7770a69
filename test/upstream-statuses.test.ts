import type { RequestListener } from 'node:http';
import { expect, test } from 'vitest';
import type { SourceErrorCode } from '../src/source-error.ts';
import { askInEveryPlace, everyPlace, faultOf, reportQuery, wholeLists } from './support/faults.ts';
import { openGraph } from './support/graph.ts';
import { diligentRow } from './support/rows.ts';
import { json, startUpstream, text } from './support/upstream.ts';

const codes: readonly (readonly [number, SourceErrorCode])[] = [
  [201, 'BAD_RESPONSE'],
  [202, 'BAD_RESPONSE'],
  [204, 'BAD_RESPONSE'],
  [206, 'BAD_RESPONSE'],
  [300, 'BAD_RESPONSE'],
  [304, 'BAD_RESPONSE'],
  [400, 'BAD_RESPONSE'],
  [401, 'UNAUTHORIZED'],
  [402, 'BAD_RESPONSE'],
  [403, 'FORBIDDEN'],
  [404, 'NOT_FOUND'],
  [405, 'BAD_RESPONSE'],
  [407, 'BAD_RESPONSE'],
  [408, 'BAD_RESPONSE'],
  [409, 'BAD_RESPONSE'],
  [410, 'BAD_RESPONSE'],
  [418, 'BAD_RESPONSE'],
  [429, 'RATE_LIMITED'],
  [451, 'BAD_RESPONSE'],
  [500, 'UPSTREAM_ERROR'],
  [501, 'UPSTREAM_ERROR'],
  [502, 'UPSTREAM_ERROR'],
  [503, 'UPSTREAM_ERROR'],
  [504, 'UPSTREAM_ERROR'],
  [599, 'UPSTREAM_ERROR'],
];

/** How often a call is made that is answered so; the others once. */
const tries = new Map([
  [500, 2],
  [502, 3],
  [503, 3],
  [504, 3],
]);

test.concurrent.each(codes)(
  'answers status %i with %s, whatever the body is, and asks as often as may help',
  async (httpStatus, code) => {
    const bodies: readonly RequestListener[] = [
      json({ detail: 'canary' }, httpStatus),
      json([diligentRow()], httpStatus),
      text('<h1>canary</h1>', httpStatus, { 'content-type': 'text/html' }),
      text('', httpStatus),
    ];
    for (const listener of bodies) {
      await using upstream = await startUpstream(listener);
      expect(await askInEveryPlace(upstream.url)).toEqual(everyPlace(code, { httpStatus }));
      expect(upstream.calls).toHaveLength(4 * (tries.get(httpStatus) ?? 1));
    }
  },
);

test('lets what API Mall says of an error through as far as it is a code and an id', async () => {
  const problem = (code: unknown, request_id: unknown) =>
    json({ success: false, error: { code, message: 'canary' }, request_id }, 401);
  const reports = [
    { listener: problem('unauthorized', 'req_1'), providerCode: 'unauthorized', providerRequestId: 'req_1' },
    { listener: problem('a'.repeat(64), 'r.e-q_1'), providerCode: 'a'.repeat(64), providerRequestId: 'r.e-q_1' },
    { listener: problem('a'.repeat(65), 'req 1'), providerCode: null, providerRequestId: null },
    { listener: problem('<b>', 'req\n1'), providerCode: null, providerRequestId: null },
    { listener: problem('', 17), providerCode: null, providerRequestId: null },
    { listener: json({ success: false, error: 'canary' }, 401), providerCode: null, providerRequestId: null },
  ];
  for (const { listener, ...details } of reports) {
    await using graph = await openGraph({ apimall: listener, diligent: wholeLists });
    const { sources } = (await graph.query(reportQuery)).webhooks;
    expect(sources[0].error).toEqual(faultOf('UNAUTHORIZED', { httpStatus: 401, ...details }));
    expect(sources[1].state).toBe('OK');
  }
});

test('fails with what API Mall says in an answer 200 without success', async () => {
  const said = new Map<string, SourceErrorCode>([
    ['unauthorized', 'UNAUTHORIZED'],
    ['not_found', 'NOT_FOUND'],
    ['on_fire', 'UPSTREAM_ERROR'],
  ]);
  for (const [providerCode, code] of said) {
    await using graph = await openGraph({
      apimall: json({ success: false, error: { code: providerCode, message: 'canary' }, request_id: 'req_1' }),
      diligent: wholeLists,
    });
    const { sources } = (await graph.query(reportQuery)).webhooks;
    expect(sources[0].error).toEqual(faultOf(code, { httpStatus: 200, providerCode, providerRequestId: 'req_1' }));
    expect(graph.calls('apimall')).toHaveLength(1);
  }
});

const inTenSeconds = () => new Date(Date.now() + 10_500).toUTCString();

test.each([429, 503])(
  'tells how long to wait after status %i as the provider says it, an hour at most',
  async (httpStatus) => {
    const waits: readonly (readonly [string | string[] | undefined, number | null])[] = [
      [undefined, null],
      ['0', 0],
      ['7', 7000],
      ['3600', 3_600_000],
      ['86400', 3_600_000],
      ['9'.repeat(400), 3_600_000],
      ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_000],
      ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
      ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
      ['Sun Nov  6 08:49:37 1994', 0],
      ['-7', null],
      ['+7', null],
      ['1.5', null],
      ['7, 8', null],
      [['7', '8'], null],
      ['soon', null],
      ['soon 7', null],
      ['canary 2099', null],
      ['Sunny 2099', null],
      ['Sun, 99 Xyz 2099 99:99:99 GMT', null],
      ['2099-01-01', null],
      ['', null],
    ];
    const asked = waits.map(async ([header, retryAfterMs]) => {
      const listener: RequestListener = (request, response) => {
        if (header !== undefined) response.setHeader('retry-after', header);
        json({}, httpStatus)(request, response);
      };
      await using graph = await openGraph({ diligent: listener });
      const { error } = (await graph.query(reportQuery)).webhooks.sources[0];
      expect([header, error.retryAfterMs]).toEqual([header, retryAfterMs]);
    });
    await Promise.all(asked);
  },
);

test('tells how long it is until the moment that the provider names', async () => {
  await using graph = await openGraph({
    diligent: (request, response) => json({}, 429, { 'retry-after': inTenSeconds() })(request, response),
  });
  const { code, retryAfterMs } = (await graph.query(reportQuery)).webhooks.sources[0].error;
  expect(code).toBe('RATE_LIMITED');
  expect(retryAfterMs).toBeGreaterThan(5000);
  expect(retryAfterMs).toBeLessThanOrEqual(10_500);
});

test.each([301, 302, 303, 307, 308])(
  'follows no redirect %i, neither to another host nor to itself',
  async (httpStatus) => {
    await using target = await startUpstream(wholeLists);
    for (const location of [`${target.url}/webhooks`, `//${new URL(target.url).host}/webhooks`, '/webhooks']) {
      await using upstream = await startUpstream(text('', httpStatus, { location }));
      expect(await askInEveryPlace(upstream.url)).toEqual(everyPlace('BAD_RESPONSE', { httpStatus }));
      expect(upstream.calls).toHaveLength(4);
    }
    expect(target.calls).toEqual([]);
  },
);
