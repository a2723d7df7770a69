import { z } from 'zod';
import { encodeId, hostOf, type LastDelivery, type Verdict, type Webhook } from '../../webhook.ts';
import { isoTime, quote, WireId, WireMaybeFlag, WireMaybeText, WireString, WireText } from '../wire.ts';

/** A webhook at Diligent, which says of the latest delivery only when it was tried and the HTTP status. */
export interface DiligentWebhook extends Webhook {
  readonly isActive: boolean | null;
  readonly hasSecret: boolean | null;
  readonly lastDeliveryAt: string | null;
  readonly lastDeliveryStatus: number | null;
}

/** What Diligent's ids look like as text: opaque, UUIDs in all samples (`upstreams.md` B3). */
export const externalId = /^.+$/s;

const WireStatusCode = z.int32().nullable().optional().catch(undefined);

const WireWebhook = z.object({
  id: WireId,
  webhook_url: WireText,
  events: z.array(WireString),
  is_active: WireMaybeFlag,
  has_secret: WireMaybeFlag,
  status: WireMaybeText,
  // As it stands: missing, null and unreadable mean three different things for the verdict.
  last_delivery_at: z.unknown().optional(),
  last_delivery_status: WireStatusCode,
});
type WireWebhook = z.infer<typeof WireWebhook>;

/** The list is a bare array (`upstreams.md` B2). */
export const WireList = z.array(z.unknown());

/** One row of the list as our model, or null where its id, url or events cannot be read. */
export function readWebhook(row: unknown, source: string): DiligentWebhook | null {
  const parsed = WireWebhook.safeParse(row);
  if (!parsed.success) return null;
  const wire = parsed.data;
  const lastDeliveryAt = isoTime(wire.last_delivery_at);
  const { health, healthReason } = judge(wire);
  return {
    __typename: 'DiligentWebhook',
    id: encodeId('DiligentWebhook', source, wire.id),
    source,
    externalId: wire.id,
    url: wire.webhook_url,
    host: hostOf(wire.webhook_url),
    events: wire.events,
    status: wire.status,
    enabled: enabled(wire),
    health,
    healthReason,
    lastDelivery: lastDelivery(wire, lastDeliveryAt),
    secretConfigured: wire.has_secret,
    createdAt: null,
    updatedAt: null,
    isActive: wire.is_active,
    hasSecret: wire.has_secret,
    lastDeliveryAt,
    lastDeliveryStatus: wire.last_delivery_status ?? null,
  };
}

function disabled({ is_active, status }: WireWebhook): boolean {
  return is_active === false || status === 'disabled';
}

function enabled(wire: WireWebhook): boolean | null {
  if (disabled(wire)) return false;
  return wire.is_active || wire.status === 'active' || wire.status === 'failing' ? true : null;
}

/** Whether any delivery was tried (both fields are null before the first); null where neither field is there. */
function attempted({ last_delivery_at, last_delivery_status }: WireWebhook): boolean | null {
  if (typeof last_delivery_status === 'number') return true;
  if (last_delivery_at === undefined) return last_delivery_status === null ? false : null;
  return last_delivery_at !== null;
}

function succeeded({ last_delivery_status: code }: WireWebhook): boolean | null {
  return typeof code === 'number' ? code >= 200 && code <= 299 : null;
}

function lastDelivery(wire: WireWebhook, at: string | null): LastDelivery | null {
  if (!attempted(wire)) return null;
  return { at, succeeded: succeeded(wire), httpStatus: wire.last_delivery_status ?? null, error: null };
}

/** The verdict: the first rule that matches. */
function judge(wire: WireWebhook): Verdict {
  const { status, is_active, last_delivery_status: code } = wire;
  if (disabled(wire)) {
    const healthReason = is_active === false ? 'It is not active.' : 'Its status is "disabled".';
    return { health: 'DISABLED', healthReason };
  }
  if (status === 'failing') return { health: 'FAILING', healthReason: `Its status is "failing"${lastAnswer(code)}.` };
  const known = status === 'active';
  if (!known && succeeded(wire) === false) {
    return { health: 'FAILING', healthReason: `The last delivery was answered with HTTP status ${code}.` };
  }
  if (!known && status !== null) {
    return { health: 'UNKNOWN', healthReason: `Its status ${quote(status)} is not a word that we know.` };
  }
  const tried = attempted(wire);
  if (tried === null) return { health: 'UNKNOWN', healthReason: 'Nothing tells whether a delivery was tried.' };
  if (!tried) return { health: 'IDLE', healthReason: 'No delivery was tried yet.' };
  if (!known && succeeded(wire) === null) {
    return { health: 'UNKNOWN', healthReason: 'A delivery was tried, and nothing tells how it ended.' };
  }
  const evidence = known ? 'Its status is "active"' : 'It gives no status';
  return { health: 'HEALTHY', healthReason: `${evidence}${lastAnswer(code)}.` };
}

function lastAnswer(code: number | null | undefined): string {
  return typeof code === 'number' ? `; the last delivery was answered with HTTP status ${code}` : '';
}
