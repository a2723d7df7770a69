import { payloadOf, uuidOf, type WireDelivery, writeDelivery } from './sandbox-delivery.ts';
import type { Traffic } from './sandbox-log.ts';

/** A webhook as the API writes it (`upstreams.md` B3). */
export interface WireRow {
  readonly id: string;
  readonly webhook_url: string;
  readonly is_active?: boolean;
  readonly has_secret?: boolean;
  readonly status?: string;
  readonly last_delivery_at?: string | null;
  readonly last_delivery_status?: number | null;
  readonly events: readonly string[];
  readonly [undocumented: string]: unknown;
}

/** A webhook that is there at first. */
export interface Seed {
  /** As the API shows it, but for its last delivery where it has one: that is the log's. */
  readonly wire: WireRow;
  /** Null where nothing is sent to it. */
  readonly traffic: Traffic | null;
  /** What was delivered long ago, oldest first. */
  readonly past: readonly WireDelivery[];
}

/** What the webhooks that are there at first sign with, if they sign. */
export const seedSecret = 'sandbox-signing-secret';

const never = { traffic: null, past: [] };

/** One short of the ten that a customer may have. The words after the URL are `status`. */
export const seed: readonly Seed[] = [
  {
    wire: row('df89eb16-4c6a-439f-b668-7cca0cd786fa', 'https://crm.acme.example/diligent', 'active', {
      events: ['cdd_state_changed', 'alert_remediated'],
    }),
    traffic: { every: 71_155, code: 200, slowCode: 504 },
    past: [],
  },
  {
    wire: row('5a1c0b2e-9f3d-4a7b-8c6d-2e1f0a9b8c7d', 'https://warehouse.acme.example/ingest', 'disabled', {
      is_active: false,
      has_secret: false,
      events: ['search_completed'],
    }),
    ...never,
  },
  {
    wire: row('7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2', 'https://staging.acme.example/diligent', 'failing', {
      has_secret: false,
      events: ['search_completed', 'flow_run_failed'],
    }),
    traffic: { every: 300_000, code: 200, brokenCode: 503 },
    past: [],
  },
  {
    wire: row('2c9e4f71-83b5-4d06-9a1e-6f0d7b3c5e88', 'https://hooks.globex.example/diligent/flows', 'active', {
      events: ['flow_run_completed', 'flow_run_failed'],
    }),
    ...never,
  },
  {
    wire: row('e3a9f7c4-11d2-4b57-b0f5-8a64c2d91f30', 'https://hooks.acme.example/billing', 'throttled', {
      events: ['monitoring_alert_fired'],
    }),
    traffic: { every: 12_500, code: 202, slowCode: 429 },
    past: [],
  },
  {
    wire: row('0b8f5d0e-6a53-4a0f-9c54-0d1a3f6f2a11', 'https://hooks.acme.example/orders', 'active', {
      events: ['cdd_document_fetched', 'sanctions_list_refreshed'],
      description: 'Onboarding of new suppliers',
    }),
    traffic: { every: 130_441, code: 204, slowCode: 500 },
    past: [],
  },
  {
    // The generated sample on every page of the documents: no `status`, no events, a date without milliseconds.
    wire: {
      id: '94d07a3b-5e1c-4f28-b6c9-1a8e2d4f7063',
      webhook_url: 'webhooks.acme.example/diligent',
      is_active: true,
      has_secret: true,
      last_delivery_at: '2023-11-07T05:31:56Z',
      last_delivery_status: 200,
      events: [],
    },
    traffic: null,
    past: [
      delivered('94d07a3b-5e1c-4f28-b6c9-1a8e2d4f7063', 'cdd_state_changed', '2023-11-06T16:20:03Z', 500),
      delivered('94d07a3b-5e1c-4f28-b6c9-1a8e2d4f7063', 'monitoring_alert_fired', '2023-11-07T05:31:56Z', 200),
    ],
  },
  {
    // The oldest documented shape.
    wire: {
      id: 'b1f6c8d2-07e4-4953-8d3a-c5e90f1b2a76',
      webhook_url: 'https://ops.umbrella.example/diligent',
      is_active: true,
      events: ['cdd_state_changed', 'monitoring_alert_fired'],
    },
    ...never,
  },
  {
    wire: {
      id: '68a3e5f0-d9b7-4c12-a4f8-3b7c1e6d0925',
      webhook_url: 'https://hooks.soylent.example/diligent',
      events: ['alert_remediated'],
    },
    ...never,
  },
];

/** A webhook to which nothing was delivered. Naming every member first keeps the documented order. */
export function row(
  id: string,
  webhook_url: string,
  status: string,
  said: Pick<WireRow, 'events'> & Partial<WireRow>,
): WireRow {
  const nothing = { last_delivery_at: null, last_delivery_status: null };
  return { id, webhook_url, is_active: true, has_secret: true, status, ...nothing, ...said };
}

function delivered(webhookId: string, event: string, timestamp: string, code: number): WireDelivery {
  const source = `${webhookId} ${timestamp}`;
  const payload = payloadOf(event, source, timestamp);
  return writeDelivery({ id: uuidOf(source), webhookId, secret: seedSecret, event, payload, timestamp, code });
}
