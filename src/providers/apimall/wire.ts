import { z } from 'zod';
import type { SourceFaultDetails } from '../../errors.ts';
import { encodeId, hostOf, type LastDelivery, type Verdict, type Webhook } from '../../webhook.ts';
import { isoTime, quote, WireId, WireMaybeCount, WireMaybeInt, WireMaybeText, WireString, WireText } from '../wire.ts';

/** A webhook at API Mall. Its counters and times are null in the answer to a create, which leaves them out. */
export interface ApiMallWebhook extends Webhook {
  readonly apiKeyId: number | null;
  readonly totalSent: number | null;
  readonly totalFailed: number | null;
  readonly successRate: number | null;
  readonly lastSentAt: string | null;
  readonly lastError: string | null;
}

/** What API Mall's ids look like as text: whole numbers (`upstreams.md` A3). */
export const externalId = /^(0|[1-9]\d*)$/;

const WireWebhook = z.object({
  id: WireId.refine((id) => externalId.test(id)),
  url: WireText,
  events: z.array(WireString),
  status: WireMaybeText,
  api_key_id: WireMaybeInt,
  total_sent: WireMaybeCount,
  total_failed: WireMaybeCount,
  // As it stands: missing, null and unreadable mean three different things for the verdict.
  last_sent_at: z.unknown().optional(),
  last_error: z.unknown().optional(),
  created_at: z.unknown().optional(),
  updated_at: z.unknown().optional(),
});
type WireWebhook = z.infer<typeof WireWebhook>;

const WireProblem = z.object({
  error: z
    .object({ code: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
  request_id: z.string().optional().catch(undefined),
});

/** API Mall's own error code and request id, from the envelope of any answer. */
export function readProblem(body: unknown): Pick<SourceFaultDetails, 'providerCode' | 'providerRequestId'> {
  const { data } = WireProblem.safeParse(body);
  return { providerCode: data?.error?.code, providerRequestId: data?.request_id };
}

const WirePage = z.union([
  z.array(z.unknown()).transform((items) => ({ items, whole: true, limit: undefined })),
  z
    .object({ items: z.array(z.unknown()), limit: z.int().positive().optional().catch(undefined) })
    .transform(({ items, limit }) => ({ items, whole: false, limit })),
]);

/**
 * The list's envelope (`upstreams.md` A2, A3): a failure, or `data` as the whole array or one page. `success` may be
 * missing (C3), but what has neither is no answer of API Mall's.
 */
export const WireList = z.union([WireProblem.extend({ success: z.literal(false) }), z.object({ data: WirePage })]);

/** One row of the list as our model, or null where its id, url or events cannot be read. */
export function readWebhook(row: unknown, source: string): ApiMallWebhook | null {
  const parsed = WireWebhook.safeParse(row);
  if (!parsed.success) return null;
  const wire = parsed.data;
  const lastError = errorText(wire.last_error);
  const lastSentAt = isoTime(wire.last_sent_at);
  const { health, healthReason } = judge(wire, lastError);
  return {
    __typename: 'ApiMallWebhook',
    id: encodeId('ApiMallWebhook', source, wire.id),
    source,
    externalId: wire.id,
    url: wire.url,
    host: hostOf(wire.url),
    events: wire.events,
    status: wire.status,
    enabled: enabled(wire.status),
    health,
    healthReason,
    lastDelivery: lastDelivery(wire, lastSentAt, lastError),
    secretConfigured: null,
    createdAt: isoTime(wire.created_at),
    updatedAt: isoTime(wire.updated_at),
    apiKeyId: wire.api_key_id,
    totalSent: wire.total_sent,
    totalFailed: wire.total_failed,
    successRate: successRate(wire.total_sent, wire.total_failed),
    lastSentAt,
    lastError,
  };
}

const longestError = 1000;

function errorText(value: unknown): string | null {
  if (isNothing(value)) return null;
  // The cut may leave half of a character, for which strict readers of JSON refuse the whole answer.
  return asText(value).slice(0, longestError).toWellFormed();
}

/** What JSON may put where there is no error. */
function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value);
  } catch {
    // Nested so deeply that it could be read and cannot be written.
    return 'An error that cannot be shown as text.';
  }
}

const disabledWords = new Set(['disabled', 'inactive', 'paused', 'revoked']);
const enabledWords = new Set(['active', 'created']);

function enabled(status: string | null): boolean | null {
  if (status === null) return null;
  if (disabledWords.has(status)) return false;
  return enabledWords.has(status) ? true : null;
}

/** `total_sent` counts the deliveries that succeeded (`upstreams.md` A3). */
function successRate(sent: number | null, failed: number | null): number | null {
  return sent === null || failed === null || sent + failed === 0 ? null : sent / (sent + failed);
}

function onlyFailures({ total_sent, total_failed }: WireWebhook): boolean {
  return total_sent === 0 && total_failed !== null && total_failed > 0;
}

/** Whether any delivery was tried; null where the row has no field that tells. */
function attempted(wire: WireWebhook, lastError: string | null): boolean | null {
  const { last_sent_at, total_sent, total_failed } = wire;
  if (lastError !== null || (total_sent ?? 0) > 0 || (total_failed ?? 0) > 0) return true;
  if (last_sent_at === null || (total_sent === 0 && total_failed === 0)) return false;
  return last_sent_at === undefined ? null : true;
}

function lastDelivery(wire: WireWebhook, at: string | null, error: string | null): LastDelivery | null {
  if (!attempted(wire, error)) return null;
  if (error !== null || onlyFailures(wire)) return { at, succeeded: false, httpStatus: null, error };
  const succeeded = wire.total_failed === 0 && (wire.total_sent ?? 0) > 0 ? true : null;
  return { at, succeeded, httpStatus: null, error };
}

const laterUnknown = 'API Mall does not say whether later deliveries succeeded.';

/** The verdict: the first rule that matches. */
function judge(wire: WireWebhook, lastError: string | null): Verdict {
  const { status, total_sent, total_failed } = wire;
  if (status !== null && enabled(status) === false)
    return { health: 'DISABLED', healthReason: `Its status is ${quote(status)}.` };
  if (lastError !== null) return { health: 'FAILING', healthReason: `A delivery error is recorded. ${laterUnknown}` };
  if (onlyFailures(wire)) {
    return { health: 'FAILING', healthReason: `No delivery succeeded and ${total_failed} failed. ${laterUnknown}` };
  }
  if (status !== null && !enabledWords.has(status)) {
    return { health: 'UNKNOWN', healthReason: `Its status ${quote(status)} is not a word that we know.` };
  }
  const tried = attempted(wire, lastError);
  if (tried === null) return { health: 'UNKNOWN', healthReason: 'Nothing tells whether a delivery was tried.' };
  if (!tried) return { health: 'IDLE', healthReason: 'No delivery was tried yet.' };
  if (total_sent === null && total_failed !== null && total_failed > 0) {
    const healthReason = `Of its deliveries, ${total_failed} failed, and nothing tells whether any succeeded.`;
    return { health: 'UNKNOWN', healthReason };
  }
  const counts = `${total_sent ?? 'an unknown number'} succeeded and ${total_failed ?? 'an unknown number'} failed`;
  return { health: 'HEALTHY', healthReason: `No delivery error is recorded; ${counts}.` };
}
