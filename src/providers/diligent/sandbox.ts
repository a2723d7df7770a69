import type { IncomingMessage } from 'node:http';
import type { Clock, Sandbox } from '../provider.ts';
import { listenWith, type Reply, readPath, readSentBody } from '../sandbox-http.ts';
import { limitReached, readWanted, type Wanted } from './sandbox-body.ts';
import { uuidOf } from './sandbox-delivery.ts';
import { createLog, type DeliveryLog, type Receiver } from './sandbox-log.ts';
import { row, seed, seedSecret, type WireRow } from './sandbox-rows.ts';

/** The statuses that a create may succeed with: today's is documented nowhere, and the former ones were two (`upstreams.md` B2). */
export type CreatedStatus = 200 | 201 | 204;

/** A webhook as it is now. */
interface Registered {
  readonly wire: WireRow;
  /** Kept to sign with, and never shown; null for none. */
  readonly secret: string | null;
  readonly log: DeliveryLog;
}

const key = 'sandbox-diligent';
const mostWebhooks = 10;

const notFound: Reply = { status: 404, body: { message: 'Not found' } };

// For a webhook that is not there, no body is documented where one is read, changed or redelivered to (B5).
const unknown: Reply = { status: 404 };
const done: Reply = { status: 204 };

/**
 * Stands in for Diligent's own host. A webhook that was made here is sent nothing. What is redelivered is in the log, and
 * in the list, at once.
 */
export function createSandbox(clock: Clock, created: CreatedStatus = 200): Sandbox {
  const openedAt = clock();
  const webhooks = new Map(
    seed.map(({ wire, traffic, past }): [string, Registered] => {
      const secret = wire.has_secret ? seedSecret : null;
      return [wire.id, { wire, secret, log: createLog(traffic, openedAt, past) }];
    }),
  );
  let serial = 0;

  async function answer(request: IncomingMessage): Promise<Reply> {
    if (request.headers['x-api-key'] !== key) return { status: 401, body: { error: 'Unauthorized' } };
    const [resource, id, events, eventId, action, ...more] = readPath(request, '') ?? [];
    const { method } = request;
    if (resource !== 'webhooks' || more.length > 0) return notFound;
    if (id === undefined) {
      if (method === 'GET') return { status: 200, body: current().map(shown) };
      return method === 'POST' ? create(request) : notFound;
    }
    if (events === undefined) return answerForOne(request, id);
    if (events !== 'events') return notFound;
    if (eventId === undefined && method === 'GET') return deliveries(id);
    return method === 'POST' && eventId !== undefined && action === 'redeliver' ? redeliver(id, eventId) : notFound;
  }

  function answerForOne(request: IncomingMessage, id: string): Reply | Promise<Reply> {
    if (request.method === 'GET') {
      const webhook = find(id);
      return webhook ? { status: 200, body: shown(webhook) } : unknown;
    }
    if (request.method === 'PATCH') return update(request, id);
    if (request.method === 'DELETE') return webhooks.delete(id) ? done : unknown;
    return notFound;
  }

  async function create(request: IncomingMessage): Promise<Reply> {
    const read = readWanted(await readSentBody(request), { needsUrl: true });
    if ('refusal' in read) return read.refusal;
    if (webhooks.size >= mostWebhooks) return limitReached;
    serial += 1;
    const wire = row(uuidOf(`created ${serial}`), '', 'active', { has_secret: false, events: [] });
    const webhook = changed({ wire, secret: null, log: createLog(null, openedAt) }, read.wanted);
    webhooks.set(wire.id, webhook);
    return created === 204 ? done : { status: created, body: shown(webhook) };
  }

  async function update(request: IncomingMessage, id: string): Promise<Reply> {
    const read = readWanted(await readSentBody(request), { needsUrl: false });
    const webhook = find(id);
    if (!webhook) return unknown;
    if ('refusal' in read) return read.refusal;
    const updated = changed(webhook, read.wanted);
    // Whoever changes it has seen to its receiver, so that a sandbox can be put right.
    webhook.log.repair();
    webhooks.set(id, updated);
    return { status: 200, body: shown(updated) };
  }

  function deliveries(id: string): Reply {
    const webhook = find(id);
    return webhook ? { status: 200, body: webhook.log.read() } : { status: 404, body: { error: 'Webhook not found' } };
  }

  function redeliver(id: string, eventId: string): Reply {
    const webhook = find(id);
    return webhook?.log.redeliver(receiverOf(webhook), eventId, clock()) ? done : unknown;
  }

  /** All webhooks, with what was delivered to them until now. */
  function current(): readonly Registered[] {
    const now = clock();
    for (const webhook of webhooks.values()) webhook.log.advance(receiverOf(webhook), now);
    return [...webhooks.values()];
  }

  function find(id: string): Registered | undefined {
    return current().find(({ wire }) => wire.id === id);
  }

  return { path: '', key, listener: listenWith(answer) };
}

function receiverOf({ wire: { id, is_active, events }, secret }: Registered): Receiver {
  return { id, isActive: is_active !== false, events, secret };
}

/** A webhook after an update: only what was supplied changes, and `events` as a whole (B4). */
function changed({ wire, secret, log }: Registered, { secret: wanted, ...rest }: Wanted): Registered {
  if (wanted === undefined) return { wire: { ...wire, ...rest }, secret, log };
  return { wire: { ...wire, ...rest, has_secret: wanted !== '' }, secret: wanted === '' ? null : wanted, log };
}

/** A webhook as the API shows it: its last delivery is the newest of its log. A status that is missing or odd stays so. */
function shown({ wire, log }: Registered): WireRow {
  const [newest] = log.read();
  const last = newest && { last_delivery_at: newest.timestamp, last_delivery_status: newest.status_code };
  const current: WireRow = { ...wire, ...last };
  return derivable.includes(current.status ?? '') ? { ...current, status: derived(current) } : current;
}

const derivable = ['active', 'failing', 'disabled'];

/** The documented rule (B3). */
function derived({ is_active, last_delivery_status: code = null }: WireRow): string {
  if (is_active === false) return 'disabled';
  return code !== null && (code < 200 || code > 299) ? 'failing' : 'active';
}
