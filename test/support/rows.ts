import type { RequestListener } from 'node:http';
import { json } from './upstream.ts';

/** API Mall's documented envelope around rows. */
export function apimallList(...rows: readonly object[]): RequestListener {
  return json({ success: true, data: rows, request_id: 'req_01HQ9M7J7X9P7Y8T6W5V4U3S2R' });
}

/** A healthy row of API Mall, but for what is given. */
export function apimallRow(fields: Record<string, unknown> = {}): object {
  return {
    id: 8,
    url: 'https://hooks.acme.example/apimall',
    events: ['job.completed'],
    status: 'active',
    api_key_id: 12,
    total_sent: 32,
    total_failed: 1,
    last_sent_at: '2026-03-12T08:58:00.000Z',
    last_error: null,
    created_at: '2026-03-10T08:05:00.000Z',
    updated_at: '2026-03-12T08:58:00.000Z',
    ...fields,
  };
}

/** A healthy row of Diligent, but for what is given. */
export function diligentRow(fields: Record<string, unknown> = {}): object {
  return {
    id: 'df89eb16-4c6a-439f-b668-7cca0cd786fa',
    webhook_url: 'https://hooks.acme.example/diligent',
    is_active: true,
    has_secret: true,
    status: 'active',
    last_delivery_at: '2026-07-31T02:51:34.155Z',
    last_delivery_status: 200,
    events: ['cdd_state_changed'],
    ...fields,
  };
}

/** `row` without the named fields. */
export function without(row: object, ...names: readonly string[]): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name)));
}
