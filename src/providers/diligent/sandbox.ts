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
interface Hook {
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
  const hooks = new Map(
    seed.map(({ wire, traffic, past }): [string, Hook] => {
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
      const hook = find(id);
      return hook ? { status: 200, body: shown(hook) } : unknown;
    }
    if (request.method === 'PATCH') return update(request, id);
    if (request.method === 'DELETE') return hooks.delete(id) ? done : unknown;
    return notFound;
  }

  async function create(request: IncomingMessage): Promise<Reply> {
    const read = readWanted(await readSentBody(request), { needsUrl: true });
    if ('refusal' in read) return read.refusal;
    if (hooks.size >= mostWebhooks) return limitReached;
    serial += 1;
    const wire = row(uuidOf(`created ${serial}`), '', 'active', { has_secret: false, events: [] });
    const hook = changed({ wire, secret: null, log: createLog(null, openedAt) }, read.wanted);
    hooks.set(wire.id, hook);
    return created === 204 ? done : { status: created, body: shown(hook) };
  }

  async function update(request: IncomingMessage, id: string): Promise<Reply> {
    const read = readWanted(await readSentBody(request), { needsUrl: false });
    const hook = find(id);
    if (!hook) return unknown;
    if ('refusal' in read) return read.refusal;
    const updated = changed(hook, read.wanted);
    // Whoever changes it has seen to its receiver, so that a sandbox can be put right.
    hook.log.repair();
    hooks.set(id, updated);
    return { status: 200, body: shown(updated) };
  }

  function deliveries(id: string): Reply {
    const hook = find(id);
    return hook ? { status: 200, body: hook.log.read() } : { status: 404, body: { error: 'Webhook not found' } };
  }

  function redeliver(id: string, eventId: string): Reply {
    const hook = find(id);
    return hook?.log.redeliver(receiverOf(hook), eventId, clock()) ? done : unknown;
  }

  /** All webhooks, with what was delivered to them until now. */
  function current(): readonly Hook[] {
    const now = clock();
    for (const hook of hooks.values()) hook.log.advance(receiverOf(hook), now);
    return [...hooks.values()];
  }

  function find(id: string): Hook | undefined {
    return current().find(({ wire }) => wire.id === id);
  }

  return { path: '', key, listener: listenWith(answer) };
}

function receiverOf({ wire: { id, is_active, events }, secret }: Hook): Receiver {
  return { id, isActive: is_active !== false, events, secret };
}

/** A webhook after an update: only what was supplied changes, and `events` as a whole (B4). */
function changed({ wire, secret, log }: Hook, { secret: wanted, ...rest }: Wanted): Hook {
  if (wanted === undefined) return { wire: { ...wire, ...rest }, secret, log };
  return { wire: { ...wire, ...rest, has_secret: wanted !== '' }, secret: wanted === '' ? null : wanted, log };
}

/** A webhook as the API shows it: its last delivery is the newest of its log, its status follows, unless it has none or an odd one. */
function shown({ wire, log }: Hook): WireRow {
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
