import type { ServerResponse } from 'node:http';
import type { Clock, Sandbox } from '../provider.ts';

interface WireRow {
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

/** A webhook as the API shows it at `start`; `every` is the time between delivery attempts in milliseconds. */
interface Row {
  readonly wire: WireRow;
  readonly every?: number;
}

const key = 'sandbox-diligent';
const start = Date.parse('2026-03-12T08:58:00.000Z');

// One short of the ten that a customer may have. The pairs are `status` and `last_delivery_status`.
const seed: readonly Row[] = [
  attempted('df89eb16-4c6a-439f-b668-7cca0cd786fa', 'https://crm.acme.example/diligent', 71_155, ['active', 200], {
    events: ['cdd_state_changed', 'alert_remediated'],
  }),
  still('5a1c0b2e-9f3d-4a7b-8c6d-2e1f0a9b8c7d', 'https://warehouse.acme.example/ingest', 'disabled', {
    is_active: false,
    has_secret: false,
    events: ['search_completed'],
  }),
  attempted(
    '7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2',
    'https://staging.acme.example/diligent',
    300_000,
    ['failing', 503],
    {
      has_secret: false,
      events: ['search_completed', 'flow_run_failed'],
    },
  ),
  still('2c9e4f71-83b5-4d06-9a1e-6f0d7b3c5e88', 'https://hooks.globex.example/diligent/flows', 'active', {
    events: ['flow_run_completed', 'flow_run_failed'],
  }),
  attempted('e3a9f7c4-11d2-4b57-b0f5-8a64c2d91f30', 'https://hooks.acme.example/billing', 12_500, ['throttled', 202], {
    events: ['monitoring_alert_fired'],
  }),
  attempted('0b8f5d0e-6a53-4a0f-9c54-0d1a3f6f2a11', 'https://hooks.acme.example/orders', 130_441, ['active', 204], {
    events: ['cdd_document_fetched', 'sanctions_list_refreshed'],
    description: 'Onboarding of new suppliers',
  }),
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
  },
  {
    // The oldest documented shape.
    wire: {
      id: 'b1f6c8d2-07e4-4953-8d3a-c5e90f1b2a76',
      webhook_url: 'https://ops.umbrella.example/diligent',
      is_active: true,
      events: ['cdd_state_changed', 'monitoring_alert_fired'],
    },
  },
  {
    wire: {
      id: '68a3e5f0-d9b7-4c12-a4f8-3b7c1e6d0925',
      webhook_url: 'https://hooks.soylent.example/diligent',
      events: ['alert_remediated'],
    },
  },
];

/** Stands in for Diligent's own host. It takes no writes yet, so its rows change by the clock only. */
export function createSandbox(clock: Clock): Sandbox {
  const rows = [...seed];
  return {
    path: '',
    key,
    listener(request, response) {
      if (request.headers['x-api-key'] !== key) return answer(response, 401, { error: 'Unauthorized' });
      const [pathname] = (request.url ?? '').split('?', 1);
      if (request.method !== 'GET' || pathname !== '/webhooks') return answer(response, 404, { message: 'Not found' });
      const now = clock();
      const shown = rows.map((row) => shownAt(now, row));
      return answer(response, 200, shown);
    },
  };
}

function shownAt(now: number, { wire, every }: Row): WireRow {
  if (every === undefined) return wire;
  return { ...wire, last_delivery_at: iso(start + Math.max(0, Math.floor((now - start) / every)) * every) };
}

type Said = Pick<WireRow, 'events'> & Partial<WireRow>;

function attempted(
  id: string,
  url: string,
  every: number,
  last: readonly [status: string, code: number],
  said: Said,
): Row {
  const [status, last_delivery_status] = last;
  return { wire: listed(id, url, status, { last_delivery_at: iso(start), last_delivery_status, ...said }), every };
}

function still(id: string, url: string, status: string, said: Said): Row {
  return { wire: listed(id, url, status, said) };
}

// Naming every member first keeps the documented order.
function listed(id: string, webhook_url: string, status: string, said: Said): WireRow {
  const nothing = { last_delivery_at: null, last_delivery_status: null };
  return { id, webhook_url, is_active: true, has_secret: true, status, ...nothing, ...said };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
