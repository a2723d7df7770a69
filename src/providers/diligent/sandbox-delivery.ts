import { createHash, createHmac } from 'node:crypto';
import { STATUS_CODES } from 'node:http';

/** One row of a delivery log as the API writes it (`upstreams.md` B6). What is undefined is missing from the JSON. */
export interface WireDelivery {
  readonly id: string;
  readonly webhook_id?: string | undefined;
  readonly event_type: string;
  readonly timestamp: string;
  readonly status_code: number;
  readonly request: {
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly payload: Payload;
  };
  readonly response: { readonly headers?: object; readonly body: object | string };
}

/** Text where it is JSON within JSON. */
type Payload = object | string;

/** One attempt to deliver an event. */
export interface Attempt {
  readonly id: string;
  readonly webhookId: string;
  /** null where the webhook has none: then nothing is signed. */
  readonly secret: string | null;
  readonly event: string;
  readonly payload: Payload;
  /** When it was sent, as the log writes it. */
  readonly timestamp: string;
  /** What the receiver answered. */
  readonly code: number;
}

interface Kind {
  readonly target?: string;
  readonly name?: string;
  payload(id: string, at: string): Payload;
}

const customerId = '3d0a6f58-27c4-4e19-9b83-f6e15c702d9a';
const website = 'https://shop.example';
const party = 'Example Trading Ltd';

const alert: Kind['payload'] = (id, at) => ({
  id,
  monitoring_id: uuidOf(`${id} monitoring`),
  customer_id: customerId,
  execution_result_id: uuidOf(`${id} result`),
  website,
  failed_checks: [
    { check: 'non_operational_website', explanation: 'The site shows no content', method_used: '', status: 'FAILED' },
  ],
  execution_time: at,
  created_at: at,
  acknowledged_at: null,
  external_id: null,
});

const search: Kind['payload'] = (id, at) => ({
  id,
  reference: `search-${id.slice(0, 8)}`,
  status: 'COMPLETED',
  input: [{ name: party }],
  hit_counts: {},
  hits: [],
  created_at: at,
  updated_at: at,
});

const remediated: Kind['payload'] = (id, at) => ({
  id,
  reference: `alert-${id.slice(0, 8)}`,
  alt_reference: null,
  remediation_status: 'REMEDIATED',
  profile_facts: [{ predicate: 'name', value: party, citations: [{ name: 'PROFILE', url: null }] }],
  hits: [],
  created_at: at,
  updated_at: at,
});

// Names as on the page of the log, else as in the guide (B7). Of flow runs nothing is documented but the event.
const kinds: Readonly<Record<string, Kind>> = {
  cdd_state_changed: { target: 'CDD', name: 'CDD_COMPLETED', payload: cdd('COMPLETED', {}) },
  cdd_document_fetched: { name: 'CDD_DOCUMENT_FETCHED', payload: cdd('IN_PROGRESS', { documents: [{}] }) },
  monitoring_alert_fired: { target: 'MONITORING_ALERT', name: 'MONITORING_ALERT_FIRED', payload: alert },
  search_completed: { target: 'NAME_SCREENING', name: 'NAME_SCREENING_SEARCH_COMPLETED', payload: search },
  alert_remediated: { target: 'NAME_SCREENING_ALERT', name: 'ALERT_REMEDIATED', payload: remediated },
};

/** The same UUID for the same text (version 8 of RFC 9562: made in a way of one's own). */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return parts.join('-');
}

/** What an event of this type tells, about a subject whose id follows from `source`. */
export function payloadOf(event: string, source: string, at: string): Payload {
  return kinds[event]?.payload(uuidOf(`${source} subject`), at) ?? {};
}

/**
 * An attempt as the log shows it. CDD events look as in the worked sample (no `webhook_id`, the payload as text, no headers
 * of the response, its body as text), monitoring alerts as in the schema, and the others have something of both (B6).
 */
export function writeDelivery({ id, webhookId, secret, event, payload, timestamp, code }: Attempt): WireDelivery {
  const isSample = event.startsWith('cdd_');
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': 'DiligentAI/1.0',
    'X-Webhook-Id': webhookId,
    'X-Event-Id': id,
    'X-Customer-Id': customerId,
    'X-Target-type': kinds[event]?.target,
    'X-Event-Name': kinds[event]?.name,
    'X-Signature': secret === null ? undefined : sign(payload, secret),
  };
  return {
    id,
    webhook_id: isSample ? undefined : webhookId,
    event_type: event,
    timestamp,
    status_code: code,
    request: { headers, payload },
    response: responseOf(event, code),
  };
}

function cdd(state: string, more: object): Kind['payload'] {
  return (id, at) => JSON.stringify({ id, state, input: { website }, created_at: at, ...more });
}

function sign(payload: Payload, secret: string): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;
}

function responseOf(event: string, code: number): WireDelivery['response'] {
  const reason = code === 204 ? '' : (STATUS_CODES[code] ?? '');
  if (event.startsWith('cdd_')) return { body: reason };
  if (event === 'monitoring_alert_fired') return { headers: {}, body: code < 300 ? {} : { error: reason } };
  return { headers: { 'content-type': 'text/plain' }, body: reason };
}
