import type { RequestListener } from 'node:http';
import { diligentRow } from './rows.ts';
import { json } from './upstream.ts';

/** The id of the webhook of `diligentRow`. */
export const webhookId = 'df89eb16-4c6a-439f-b668-7cca0cd786fa';

/** A row of Diligent's log as in its schema, delivered without a fault, but for what is given. */
export function deliveryRow(fields: Record<string, unknown> = {}): object {
  return {
    id: '9c0f2a44-0a5e-4b0a-8d0c-6b8b2f2f7d10',
    webhook_id: webhookId,
    event_type: 'cdd_state_changed',
    timestamp: '2026-07-31T02:51:34.155Z',
    status_code: 200,
    request: {
      headers: { 'Content-Type': 'application/json', 'X-Event-Id': '9c0f2a44-0a5e-4b0a-8d0c-6b8b2f2f7d10' },
      payload: { id: 'cdd-1', state: 'COMPLETED' },
    },
    response: { headers: { 'content-type': 'text/plain' }, body: 'OK' },
    ...fields,
  };
}

/** An attempt so many minutes after midnight, with this id and answer. */
export function attemptAt(minute: number, id: string, status: unknown = 200, fields: Record<string, unknown> = {}) {
  const timestamp = new Date(Date.UTC(2026, 6, 31, 0, minute)).toISOString();
  return deliveryRow({ id, timestamp, status_code: status, webhook_id: undefined, ...fields });
}

/** Diligent with these webhooks, one if not given; `log` answers whoever asks for a log. */
export function diligentWith(log: RequestListener, ...webhooks: readonly object[]): RequestListener {
  const list = json(webhooks.length > 0 ? webhooks : [diligentRow()]);
  return (request, response) => (request.url === '/webhooks' ? list : log)(request, response);
}

/** So many webhooks, whose ids are `w0`, `w1` and so on. */
export function manyWebhooks(count: number): object[] {
  return Array.from({ length: count }, (_, index) => diligentRow({ id: `w${index}` }));
}
