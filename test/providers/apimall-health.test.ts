import { expect, test } from 'vitest';
import { apimallList, apimallRow, without } from '../support/rows.ts';
import { readList, sentence } from './reading.ts';

/** What else a client is told of the same evidence. */
interface Derived {
  readonly enabled: boolean | null;
  readonly lastDelivery: object | null;
  readonly successRate: number | null;
}

/** `evidence` is what the reason must name. */
type Case = readonly [name: string, verdict: string, evidence: RegExp, row: object, derived: Derived];

const at = '2026-03-12T08:58:00.000Z';
const untold = { at, succeeded: null, httpStatus: null, error: null };
const succeeded = { ...untold, succeeded: true };
const failed = { ...untold, succeeded: false };
const refused = { ...failed, error: 'connect ECONNREFUSED' };
const laterUnknown = /API Mall does not say whether later deliveries succeeded/;

// Without anything else said: active, 32 deliveries succeeded and 1 failed, no error recorded.
const usual = { enabled: true, lastDelivery: untold, successRate: 32 / 33 };
const never = { last_sent_at: null, total_sent: 0, total_failed: 0 };
const untried = { lastDelivery: null, successRate: null };

function silent(fields: Record<string, unknown> = {}, ...also: readonly string[]): object {
  return { ...without(apimallRow(), 'last_sent_at', 'last_error', 'total_sent', 'total_failed', ...also), ...fields };
}

async function check(...[, health, evidence, row, derived]: Case): Promise<void> {
  const { rows, report } = await readList('apimall', apimallList(row));
  expect(report.state).toBe('OK');
  expect(rows[0]).toMatchObject({ health, ...derived });
  expect(rows[0].healthReason).toMatch(sentence);
  expect(rows[0].healthReason).toMatch(evidence);
}

const cases: readonly Case[] = [
  ...['disabled', 'inactive', 'paused', 'revoked'].map(
    (status): Case => [
      `a row of status ${status}`,
      'DISABLED',
      new RegExp(`"${status}"`),
      apimallRow({ status }),
      { ...usual, enabled: false },
    ],
  ),
  [
    'a row with an error on record',
    'FAILING',
    /error is recorded/,
    apimallRow({ last_error: 'connect ECONNREFUSED' }),
    { ...usual, lastDelivery: refused },
  ],
  [
    'a row with an error on record and no counters',
    'FAILING',
    laterUnknown,
    silent({ last_error: 'connect ECONNREFUSED' }),
    { enabled: true, lastDelivery: { ...refused, at: null }, successRate: null },
  ],
  [
    'a row of which nothing was sent and something failed',
    'FAILING',
    /No delivery succeeded and 12 failed/,
    apimallRow({ total_sent: 0, total_failed: 12 }),
    { enabled: true, lastDelivery: failed, successRate: 0 },
  ],
  [
    'a row of an unknown status',
    'UNKNOWN',
    /"quarantined"/,
    apimallRow({ status: 'quarantined' }),
    { ...usual, enabled: null },
  ],
  [
    'a row as the answer to a create has it, without counters and times of delivery',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    silent(),
    { ...untried, enabled: true },
  ],
  [
    'a row of which only one counter is there, at 0',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    silent({ total_failed: 0 }),
    { ...untried, enabled: true },
  ],
  [
    'a row of the required members only',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    silent({}, 'status', 'api_key_id', 'created_at', 'updated_at'),
    { ...untried, enabled: null },
  ],
  [
    'a row whose time of the last attempt is null, without counters',
    'IDLE',
    /No delivery was tried/,
    silent({ last_sent_at: null }),
    { ...untried, enabled: true },
  ],
  [
    'a row whose counters are both 0, without a time of the last attempt',
    'IDLE',
    /No delivery was tried/,
    silent({ total_sent: 0, total_failed: 0 }),
    { ...untried, enabled: true },
  ],
  [
    'a row of status created that never sent',
    'IDLE',
    /No delivery was tried/,
    apimallRow({ ...never, status: 'created' }),
    { ...untried, enabled: true },
  ],
  [
    'an active row of which some deliveries failed',
    'HEALTHY',
    /No delivery error is recorded; 32 succeeded and 1 failed/,
    apimallRow(),
    usual,
  ],
  [
    'an active row of which no delivery failed',
    'HEALTHY',
    /32 succeeded and 0 failed/,
    apimallRow({ total_failed: 0 }),
    { enabled: true, lastDelivery: succeeded, successRate: 1 },
  ],
  [
    'a row of status created that sends',
    'HEALTHY',
    /No delivery error is recorded/,
    apimallRow({ status: 'created' }),
    usual,
  ],
  [
    'a row without a status that sends',
    'HEALTHY',
    /No delivery error is recorded/,
    without(apimallRow(), 'status'),
    { ...usual, enabled: null },
  ],
  [
    'a row whose error is empty text',
    'HEALTHY',
    /No delivery error is recorded/,
    apimallRow({ last_error: '' }),
    usual,
  ],
  [
    'a row with a time of the last attempt and no counters',
    'HEALTHY',
    /No delivery error is recorded/,
    silent({ last_sent_at: at }),
    { ...usual, successRate: null },
  ],
  [
    'a row whose counter of failures is missing',
    'HEALTHY',
    /32 succeeded/,
    without(apimallRow(), 'total_failed'),
    { ...usual, successRate: null },
  ],
  [
    'a row of which some failed and nothing tells whether any succeeded',
    'UNKNOWN',
    /1 failed/,
    apimallRow({ total_sent: null }),
    { ...usual, successRate: null },
  ],
  // What was counted was attempted, whatever the time says.
  [
    'a row that counts deliveries beside a time of the last attempt that is null',
    'HEALTHY',
    /5 succeeded and 0 failed/,
    apimallRow({ last_sent_at: null, total_sent: 5, total_failed: 0 }),
    { enabled: true, lastDelivery: { ...succeeded, at: null }, successRate: 1 },
  ],
];

test.each(cases)('%s is %s', check);

const contests: readonly Case[] = [
  [
    'a paused row with an error on record',
    'DISABLED',
    /"paused"/,
    apimallRow({ status: 'paused', last_error: 'connect ECONNREFUSED' }),
    { ...usual, enabled: false, lastDelivery: refused },
  ],
  [
    'a revoked row after failures only',
    'DISABLED',
    /"revoked"/,
    apimallRow({ status: 'revoked', total_sent: 0, total_failed: 3 }),
    { enabled: false, lastDelivery: failed, successRate: 0 },
  ],
  [
    'a disabled row that tells nothing of deliveries',
    'DISABLED',
    /"disabled"/,
    silent({ status: 'disabled' }),
    { ...untried, enabled: false },
  ],
  [
    'an inactive row that never sent',
    'DISABLED',
    /"inactive"/,
    apimallRow({ ...never, status: 'inactive' }),
    { ...untried, enabled: false },
  ],
  [
    'a row of an unknown status with an error on record',
    'FAILING',
    laterUnknown,
    apimallRow({ status: 'quarantined', last_error: 'connect ECONNREFUSED' }),
    { ...usual, enabled: null, lastDelivery: refused },
  ],
  [
    'a row of an unknown status after failures only',
    'FAILING',
    /3 failed/,
    apimallRow({ status: 'quarantined', total_sent: 0, total_failed: 3 }),
    { enabled: null, lastDelivery: failed, successRate: 0 },
  ],
  [
    'a row that never sent with an error on record',
    'FAILING',
    /error is recorded/,
    apimallRow({ ...never, last_error: 'connect ECONNREFUSED' }),
    { enabled: true, lastDelivery: { ...refused, at: null }, successRate: null },
  ],
  [
    'a row of an unknown status that never sent',
    'UNKNOWN',
    /"quarantined"/,
    apimallRow({ ...never, status: 'quarantined' }),
    { ...untried, enabled: null },
  ],
];

test.each(contests)('%s is %s: the first rule that matches decides', check);

test('every reason for FAILING says that later deliveries may have succeeded', async () => {
  const recorded = apimallRow({ last_error: 'connect ECONNREFUSED' });
  const onlyFailures = apimallRow({ id: 9, total_sent: 0, total_failed: 12 });
  const { rows } = await readList('apimall', apimallList(recorded, onlyFailures));
  for (const { healthReason } of rows) expect(healthReason).toMatch(laterUnknown);
  expect(rows).toHaveLength(2);
});
