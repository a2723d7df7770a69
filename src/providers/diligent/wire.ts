import { type Health, type Webhook, webhookIds } from '../../webhook.ts';
import { isObject, isoTime, maybeFlag, maybeId, maybeText, maybeTexts, quote } from '../wire.ts';

/** A webhook at Diligent, which says of the latest delivery only when it was tried and the HTTP status. */
export interface DiligentWebhook extends Webhook {
  readonly isActive: boolean | null;
  readonly hasSecret: boolean | null;
  readonly lastDeliveryAt: string | null;
  readonly lastDeliveryStatus: number | null;
  /** What its health rests on, see `explain`. */
  readonly finding: Finding;
}

/** What Diligent's ids look like as text: opaque, UUIDs in all samples (`upstreams.md` B3). */
export const externalId = /^.+$/s;

/** What the verdict rests on. Of the time, it matters whether it is missing, null or unreadable. */
interface Evidence {
  readonly isActive: boolean | null;
  readonly status: string | null;
  readonly deliveredAt: unknown;
  /** undefined where it is missing or unreadable. */
  readonly code: number | null | undefined;
}

/** Reads rows of the list of a source as our model: null where the id, url or events cannot be read. */
export function webhookReader(source: string): (row: unknown) => DiligentWebhook | null {
  const idOf = webhookIds('DiligentWebhook', source);
  return (row) => {
    if (!isObject(row)) return null;
    const id = maybeId(row.id);
    const url = maybeText(row.webhook_url);
    const events = maybeTexts(row.events);
    if (id === null || url === null || events === null) return null;
    const isActive = maybeFlag(row.is_active);
    const hasSecret = maybeFlag(row.has_secret);
    const status = maybeText(row.status);
    const code = statusCode(row.last_delivery_status);
    const lastDeliveryAt = isoTime(row.last_delivery_at);
    const evidence: Evidence = { isActive, status, deliveredAt: row.last_delivery_at, code };
    const tried = attempted(evidence);
    const finding = judge(evidence, tried);
    return {
      __typename: 'DiligentWebhook',
      id: idOf(id),
      source,
      externalId: id,
      url,
      events,
      status,
      enabled: enabled(evidence),
      health: healthOf[finding],
      lastDelivery: tried
        ? { at: lastDeliveryAt, succeeded: isSuccess(code), httpStatus: code ?? null, error: null }
        : null,
      secretConfigured: hasSecret,
      createdAt: null,
      updatedAt: null,
      isActive,
      hasSecret,
      lastDeliveryAt,
      lastDeliveryStatus: code ?? null,
      finding,
    };
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

/** Whether a receiver that answered with this status took the delivery; null where no status is said. */
export function isSuccess(code: number | null | undefined): boolean | null {
  return typeof code === 'number' ? code >= 200 && code <= 299 : null;
}

const healthOf = {
  isOff: 'DISABLED',
  statusFailing: 'FAILING',
  lastFailed: 'FAILING',
  oddStatus: 'UNKNOWN',
  untold: 'UNKNOWN',
  untried: 'IDLE',
  noOutcome: 'UNKNOWN',
  statusActive: 'HEALTHY',
  lastSucceeded: 'HEALTHY',
} as const satisfies Record<string, Health>;

type Finding = keyof typeof healthOf;

/** What the verdict rests on: the first rule that matches. */
function judge(evidence: Evidence, tried: boolean | null): Finding {
  const { status, code } = evidence;
  if (disabled(evidence)) return 'isOff';
  if (status === 'failing') return 'statusFailing';
  const known = status === 'active';
  const succeeded = isSuccess(code);
  if (!known && succeeded === false) return 'lastFailed';
  if (!known && status !== null) return 'oddStatus';
  if (tried === null) return 'untold';
  if (!tried) return 'untried';
  if (known) return 'statusActive';
  return succeeded === null ? 'noOutcome' : 'lastSucceeded';
}

/** The sentence for each finding. */
export function explain({ finding, isActive, status, lastDeliveryStatus: code }: DiligentWebhook): string {
  if (finding === 'isOff') return isActive === false ? 'It is not active.' : 'Its status is "disabled".';
  if (finding === 'statusFailing') return `Its status is "failing"${lastAnswer(code)}.`;
  if (finding === 'lastFailed') return `The last delivery was answered with HTTP status ${code}.`;
  if (finding === 'oddStatus') return `Its status ${quote(status ?? '')} is not a word that we know.`;
  if (finding === 'untold') return 'Nothing tells whether a delivery was tried.';
  if (finding === 'untried') return 'No delivery was tried yet.';
  if (finding === 'noOutcome') return 'A delivery was tried, and nothing tells how it ended.';
  return `${finding === 'statusActive' ? 'Its status is "active"' : 'It gives no status'}${lastAnswer(code)}.`;
}

function lastAnswer(code: number | null): string {
  return code === null ? '' : `; the last delivery was answered with HTTP status ${code}`;
}
