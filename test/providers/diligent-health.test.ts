import { expect, test } from 'vitest';
import { diligentRow, without } from '../support/rows.ts';
import { json } from '../support/upstream.ts';
import { readList, sentence } from './reading.ts';

/** What else a client is told of the same evidence. */
interface Derived {
  readonly enabled: boolean | null;
  readonly lastDelivery: object | null;
}

/** `evidence` is what the reason must name. */
type Case = readonly [name: string, verdict: string, evidence: RegExp, row: object, derived: Derived];

const at = '2026-07-31T02:51:34.155Z';
const never = { last_delivery_at: null, last_delivery_status: null };

function answered(httpStatus: number): object {
  return { at, succeeded: httpStatus >= 200 && httpStatus <= 299, httpStatus, error: null };
}

// Without anything else said: active, and the last delivery was answered with 200.
const usual = { enabled: true, lastDelivery: answered(200) };
const untold = { at, succeeded: null, httpStatus: null, error: null };

async function check(...[, health, evidence, row, derived]: Case): Promise<void> {
  const { rows, report } = await readList('diligent', json([row]));
  expect(report.state).toBe('OK');
  expect(rows[0]).toMatchObject({ health, ...derived });
  expect(rows[0].healthReason).toMatch(sentence);
  expect(rows[0].healthReason).toMatch(evidence);
}

const cases: readonly Case[] = [
  ['an inactive row', 'DISABLED', /not active/, diligentRow({ is_active: false }), { ...usual, enabled: false }],
  [
    'a row of status disabled',
    'DISABLED',
    /"disabled"/,
    diligentRow({ status: 'disabled' }),
    { ...usual, enabled: false },
  ],
  [
    'a row of status disabled that does not say whether it is active',
    'DISABLED',
    /"disabled"/,
    without(diligentRow({ status: 'disabled' }), 'is_active'),
    { ...usual, enabled: false },
  ],
  [
    'a row of status failing',
    'FAILING',
    /"failing".*503/,
    diligentRow({ status: 'failing', last_delivery_status: 503 }),
    { enabled: true, lastDelivery: answered(503) },
  ],
  [
    'a row of status failing whose receiver gave no HTTP status',
    'FAILING',
    /"failing"/,
    diligentRow({ status: 'failing', last_delivery_status: null }),
    { enabled: true, lastDelivery: untold },
  ],
  [
    'a row of status failing that does not say whether it is active',
    'FAILING',
    /"failing"/,
    without(diligentRow({ status: 'failing', last_delivery_status: 503 }), 'is_active'),
    { enabled: true, lastDelivery: answered(503) },
  ],
  ...[0, 123, 199, 300, 302, 404, 500].map(
    (code): Case => [
      `a row without a status whose last delivery was answered with ${code}`,
      'FAILING',
      new RegExp(`HTTP status ${code}\\b`),
      without(diligentRow({ last_delivery_status: code }), 'status'),
      { enabled: true, lastDelivery: answered(code) },
    ],
  ),
  [
    'a row of an unknown status whose last delivery was answered with 500',
    'FAILING',
    /HTTP status 500/,
    diligentRow({ status: 'throttled', last_delivery_status: 500 }),
    { enabled: true, lastDelivery: answered(500) },
  ],
  [
    'a row of an unknown status whose last delivery was taken',
    'UNKNOWN',
    /"throttled"/,
    diligentRow({ status: 'throttled' }),
    usual,
  ],
  [
    'a row of an unknown status that does not say whether it is active',
    'UNKNOWN',
    /"throttled"/,
    without(diligentRow({ status: 'throttled' }), 'is_active'),
    { ...usual, enabled: null },
  ],
  [
    'an active row without anything of deliveries',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    without(diligentRow(), 'last_delivery_at', 'last_delivery_status'),
    { enabled: true, lastDelivery: null },
  ],
  [
    'a row of the oldest documented shape',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    without(diligentRow(), 'has_secret', 'status', 'last_delivery_at', 'last_delivery_status'),
    { enabled: true, lastDelivery: null },
  ],
  [
    'a row of the required members only',
    'UNKNOWN',
    /Nothing tells whether a delivery was tried/,
    without(diligentRow(), 'is_active', 'has_secret', 'status', 'last_delivery_at', 'last_delivery_status'),
    { enabled: null, lastDelivery: null },
  ],
  // Nothing speaks for HEALTHY here.
  [
    'a row without a status that was tried and has no HTTP status',
    'UNKNOWN',
    /nothing tells how it ended/,
    without(diligentRow({ last_delivery_status: null }), 'status'),
    { enabled: true, lastDelivery: untold },
  ],
  [
    'an active row that was never tried',
    'IDLE',
    /No delivery was tried/,
    diligentRow(never),
    { enabled: true, lastDelivery: null },
  ],
  [
    'a row without a status that was never tried',
    'IDLE',
    /No delivery was tried/,
    without(diligentRow(never), 'status'),
    { enabled: true, lastDelivery: null },
  ],
  ...[200, 204, 299].map(
    (code): Case => [
      `an active row whose last delivery was answered with ${code}`,
      'HEALTHY',
      new RegExp(`"active".*HTTP status ${code}\\b`),
      diligentRow({ last_delivery_status: code }),
      { enabled: true, lastDelivery: answered(code) },
    ],
  ),
  [
    'a row without a status whose last delivery was answered with 200',
    'HEALTHY',
    /no status.*HTTP status 200/,
    without(diligentRow(), 'status'),
    usual,
  ],
  [
    'a row with the required members and an HTTP status of 200',
    'HEALTHY',
    /HTTP status 200/,
    without(diligentRow(), 'is_active', 'has_secret', 'status', 'last_delivery_at'),
    { ...usual, enabled: null, lastDelivery: { ...answered(200), at: null } },
  ],
  [
    'an active row that was tried and has no HTTP status',
    'HEALTHY',
    /"active"/,
    without(diligentRow(), 'last_delivery_status'),
    { enabled: true, lastDelivery: untold },
  ],
  [
    'a row that Diligent itself calls active after an answer 500',
    'HEALTHY',
    /"active".*500/,
    diligentRow({ last_delivery_status: 500 }),
    { enabled: true, lastDelivery: answered(500) },
  ],
];

test.each(cases)('%s is %s', check);

const contests: readonly Case[] = [
  [
    'an inactive row of status failing',
    'DISABLED',
    /not active/,
    diligentRow({ is_active: false, status: 'failing', last_delivery_status: 503 }),
    { enabled: false, lastDelivery: answered(503) },
  ],
  [
    'an inactive row without a status whose last delivery was answered with 503',
    'DISABLED',
    /not active/,
    without(diligentRow({ is_active: false, last_delivery_status: 503 }), 'status'),
    { enabled: false, lastDelivery: answered(503) },
  ],
  [
    'an inactive row of an unknown status',
    'DISABLED',
    /not active/,
    diligentRow({ is_active: false, status: 'throttled' }),
    { ...usual, enabled: false },
  ],
  [
    'an inactive row that was never tried',
    'DISABLED',
    /not active/,
    diligentRow({ ...never, is_active: false, status: 'disabled' }),
    { enabled: false, lastDelivery: null },
  ],
  [
    'a row of status failing that was never tried',
    'FAILING',
    /"failing"/,
    diligentRow({ ...never, status: 'failing' }),
    { enabled: true, lastDelivery: null },
  ],
  [
    'a row of an unknown status that was never tried',
    'UNKNOWN',
    /"throttled"/,
    diligentRow({ ...never, status: 'throttled' }),
    { enabled: true, lastDelivery: null },
  ],
];

test.each(contests)('%s is %s: the first rule that matches decides', check);
