import { z } from 'zod';
import { encodeId, hostOf, type LastDelivery, type Verdict, type Webhook } from '../../webhook.ts';
import { isoTime, maybeFlag, maybeText, quote, shownText, WireId, WireText } from '../wire.ts';

/** A webhook at Diligent, which says of the latest delivery only when it was tried and the HTTP status. */
export interface DiligentWebhook extends Webhook {
  readonly isActive: boolean | null;
  readonly hasSecret: boolean | null;
  readonly lastDeliveryAt: string | null;
  readonly lastDeliveryStatus: number | null;
}

/** What Diligent's ids look like as text: opaque, UUIDs in all samples (`upstreams.md` B3). */
export const externalId = /^.+$/s;

const WireWebhook = z.object({
  id: WireId,
  webhook_url: WireText,
  events: z.array(z.string()),
  is_active: z.unknown().optional(),
  has_secret: z.unknown().optional(),
  status: z.unknown().optional(),
  last_delivery_at: z.unknown().optional(),
  last_delivery_status: z.unknown().optional(),
});

/** What the verdict rests on. Of the time, it matters whether it is missing, null or unreadable. */
interface Evidence {
  readonly isActive: boolean | null;
  readonly status: string | null;
  readonly deliveredAt: unknown;
  /** undefined where it is missing or unreadable. */
  readonly code: number | null | undefined;
}

/** A list is a bare array, be it of webhooks or of deliveries (`upstreams.md` B2). */
export const WireList = z.array(z.unknown());

/** One row of the list as our model, or null where its id, url or events cannot be read. */
export function readWebhook(row: unknown, source: string): DiligentWebhook | null {
  const { data: wire } = WireWebhook.safeParse(row);
  if (!wire) return null;
  const evidence: Evidence = {
    isActive: maybeFlag(wire.is_active),
    status: maybeText(wire.status),
    deliveredAt: wire.last_delivery_at,
    code: statusCode(wire.last_delivery_status),
  };
  const id = shownText(String(wire.id));
  const url = shownText(wire.webhook_url);
  const hasSecret = maybeFlag(wire.has_secret);
  const lastDeliveryAt = isoTime(wire.last_delivery_at);
  const { health, healthReason } = judge(evidence);
  return {
    __typename: 'DiligentWebhook',
    id: encodeId('DiligentWebhook', source, id),
    source,
    externalId: id,
    url,
    host: hostOf(url),
    events: wire.events.map(shownText),
    status: evidence.status,
    enabled: enabled(evidence),
    health,
    healthReason,
    lastDelivery: lastDelivery(evidence, lastDeliveryAt),
    secretConfigured: hasSecret,
    createdAt: null,
    updatedAt: null,
    isActive: evidence.isActive,
    hasSecret,
    lastDeliveryAt,
    lastDeliveryStatus: evidence.code ?? null,
  };
}

/** An HTTP status; null before an answer, undefined where it is missing or unreadable. */
export function statusCode(value: unknown): number | null | undefined {
  const isCode = typeof value === 'number' && (value | 0) === value;
  return isCode || value === null ? value : undefined;
}

function disabled({ isActive, status }: Evidence): boolean {
  return isActive === false || status === 'disabled';
}

function enabled(evidence: Evidence): boolean | null {
  if (disabled(evidence)) return false;
  const { isActive, status } = evidence;
  return isActive || status === 'active' || status === 'failing' ? true : null;
}

/** Whether any delivery was tried (both fields are null before the first); null where neither field is there. */
function attempted({ deliveredAt, code }: Evidence): boolean | null {
  if (typeof code === 'number') return true;
  if (deliveredAt === undefined) return code === null ? false : null;
  return deliveredAt !== null;
}

function succeeded({ code }: Evidence): boolean | null {
  return isSuccess(code);
}

/** Whether a receiver that answered with this status took the delivery; null where no status is said. */
export function isSuccess(code: number | null | undefined): boolean | null {
  return typeof code === 'number' ? code >= 200 && code <= 299 : null;
}

function lastDelivery(evidence: Evidence, at: string | null): LastDelivery | null {
  if (!attempted(evidence)) return null;
  return { at, succeeded: succeeded(evidence), httpStatus: evidence.code ?? null, error: null };
}

/** The verdict: the first rule that matches. */
function judge(evidence: Evidence): Verdict {
  const { status, isActive, code } = evidence;
  if (disabled(evidence)) {
    const healthReason = isActive === false ? 'It is not active.' : 'Its status is "disabled".';
    return { health: 'DISABLED', healthReason };
  }
  if (status === 'failing') return { health: 'FAILING', healthReason: `Its status is "failing"${lastAnswer(code)}.` };
  const known = status === 'active';
  if (!known && succeeded(evidence) === false) {
    return { health: 'FAILING', healthReason: `The last delivery was answered with HTTP status ${code}.` };
  }
  if (!known && status !== null) {
    return { health: 'UNKNOWN', healthReason: `Its status ${quote(status)} is not a word that we know.` };
  }
  const tried = attempted(evidence);
  if (tried === null) return { health: 'UNKNOWN', healthReason: 'Nothing tells whether a delivery was tried.' };
  if (!tried) return { health: 'IDLE', healthReason: 'No delivery was tried yet.' };
  if (!known && succeeded(evidence) === null) {
    return { health: 'UNKNOWN', healthReason: 'A delivery was tried, and nothing tells how it ended.' };
  }
  const evident = known ? 'Its status is "active"' : 'It gives no status';
  return { health: 'HEALTHY', healthReason: `${evident}${lastAnswer(code)}.` };
}

function lastAnswer(code: number | null | undefined): string {
  return typeof code === 'number' ? `; the last delivery was answered with HTTP status ${code}` : '';
}
