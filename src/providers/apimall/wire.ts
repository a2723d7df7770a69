import { z } from 'zod';
import { flat } from '../../flat.ts';
import type { SourceErrorCode, SourceFaultDetails } from '../../source-error.ts';
import { isPlainText, type Span } from '../../upstream/reuse.ts';
import { type Health, type LastDelivery, type Webhook, webhookIds } from '../../webhook.ts';
import { isObject, isoTime, maybeCount, maybeId, maybeInt, maybeText, maybeTexts, quote } from '../wire.ts';

/** A webhook at API Mall. Its counters and times are null in the answer to a create, which leaves them out. */
export interface ApiMallWebhook extends Webhook {
  readonly apiKeyId: number | null;
  readonly totalSent: number | null;
  readonly totalFailed: number | null;
  readonly lastSentAt: string | null;
  readonly lastError: string | null;
  /** What its health rests on, see `explain`. */
  readonly finding: Finding;
}

/** What API Mall's ids look like as text: whole numbers (`upstreams.md` A3). */
export const externalId = /^(0|[1-9]\d*)$/;

/** What the verdict rests on. Of the time it matters whether it is missing, null or unreadable. */
interface Evidence {
  readonly status: string | null;
  readonly enabled: boolean | null;
  readonly sent: number | null;
  readonly failed: number | null;
  readonly sentAt: unknown;
  readonly lastError: string | null;
}

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

/** A failure in an envelope, whatever the status. */
export const WireFailure = WireProblem.extend({ success: z.literal(false) });

/** The envelope of an answer about one webhook. */
export const WireData = z.object({ data: z.unknown() });

/** What `success: false` in an answer that succeeds means: only these two codes are documented (`upstreams.md` A2). */
export function failureCode(code: string | undefined): SourceErrorCode {
  if (code === 'unauthorized') return 'UNAUTHORIZED';
  return code === 'not_found' ? 'NOT_FOUND' : 'UPSTREAM_ERROR';
}

/** The last member of an object, whose text nothing is made of; how long the text may be is how much is looked at. */
const requestIdAtEnd = /(,\s*"request_id"\s*:\s*")([^"\\]{0,128})"\s*\}\s*$/;
const longestEnd = 256;

/**
 * Where the text of `request_id` stands, which is new in every answer: only as the last member of the envelope, so outside
 * the rows. `body` must be JSON: then the name cannot begin inside another text, as the quotes around it would have to be
 * escaped, and the brace that closes it all is the envelope's.
 */
export function findRequestId(body: Buffer): Span | null {
  const offset = Math.max(0, body.length - longestEnd);
  // One byte is one character, so that places in the text are places in the body.
  const found = requestIdAtEnd.exec(body.toString('latin1', offset));
  if (!found) return null;
  const [, before = '', requestId = ''] = found;
  const start = offset + found.index + before.length;
  const span = { start, end: start + requestId.length };
  return isPlainText(body, span) ? span : null;
}

/** What an answer lists: all rows, or one page of them. */
export interface WireListing {
  readonly items: readonly unknown[];
  readonly whole: boolean;
  readonly limit: number | undefined;
}

/**
 * The list's envelope (`upstreams.md` A2, A3): a failure, or `data` as the whole array or one page. `success` may be
 * missing (C3), but what has neither is no answer of API Mall's: null. (Not by zod: a transform holds on to what it was
 * given until the next major collection, so that all rows would outlive the minor ones.)
 */
export function readList(json: unknown): z.infer<typeof WireFailure> | WireListing | null {
  if (!isObject(json)) return null;
  if (json.success === false) return WireFailure.parse(json);
  const { data } = json;
  if (Array.isArray(data)) return { items: data, whole: true, limit: undefined };
  if (!isObject(data) || !Array.isArray(data.items)) return null;
  return { items: data.items, whole: false, limit: maybeCount(data.limit) || undefined };
}

/** Reads rows of the list of a source as our model: null where the id, url or events cannot be read. */
export function webhookReader(source: string): (row: unknown) => ApiMallWebhook | null {
  const idOf = webhookIds('ApiMallWebhook', source);
  return (row) => {
    if (!isObject(row)) return null;
    const id = readId(row.id);
    const url = maybeText(row.url);
    const events = maybeTexts(row.events);
    if (id === null || url === null || events === null) return null;
    const status = maybeText(row.status);
    const sent = maybeCount(row.total_sent);
    const failed = maybeCount(row.total_failed);
    const lastSentAt = isoTime(row.last_sent_at);
    const lastError = errorText(row.last_error);
    const evidence: Evidence = { status, enabled: enabled(status), sent, failed, sentAt: row.last_sent_at, lastError };
    const tried = attempted(evidence);
    const finding = judge(evidence, tried);
    return {
      __typename: 'ApiMallWebhook',
      id: idOf(id),
      source,
      externalId: id,
      url,
      events,
      status,
      enabled: evidence.enabled,
      health: healthOf[finding],
      lastDelivery: tried ? lastDelivery(evidence, lastSentAt) : null,
      secretConfigured: null,
      createdAt: isoTime(row.created_at),
      updatedAt: isoTime(row.updated_at),
      apiKeyId: maybeInt(row.api_key_id),
      totalSent: sent,
      totalFailed: failed,
      lastSentAt,
      lastError,
      finding,
    };
  };
}

function readId(value: unknown): string | null {
  const id = maybeId(value);
  // A whole number needs no look at its digits.
  return id === null || maybeCount(value) !== null || externalId.test(id) ? id : null;
}

const longestError = 1000;

function errorText(value: unknown): string | null {
  if (isNothing(value)) return null;
  const text = asText(value);
  // The cut may leave half of a character, for which strict readers of JSON refuse the whole answer.
  return text.length > longestError ? flat(text.slice(0, longestError).toWellFormed()) : text;
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

/** The part of deliveries that succeeded, which `total_sent` counts (`upstreams.md` A3); null before the first. */
export function successRate({ totalSent: sent, totalFailed: failed }: ApiMallWebhook): number | null {
  return sent === null || failed === null || sent + failed === 0 ? null : sent / (sent + failed);
}

function onlyFailures({ sent, failed }: Evidence): boolean {
  return sent === 0 && failed !== null && failed > 0;
}

/** Whether any delivery was tried; null where the row has no field that tells. */
function attempted({ sentAt, sent, failed, lastError }: Evidence): boolean | null {
  if (lastError !== null || (sent ?? 0) > 0 || (failed ?? 0) > 0) return true;
  if (sentAt === null || (sent === 0 && failed === 0)) return false;
  return sentAt === undefined ? null : true;
}

function lastDelivery(evidence: Evidence, at: string | null): LastDelivery {
  const { sent, failed, lastError: error } = evidence;
  if (error !== null || onlyFailures(evidence)) return { at, succeeded: false, httpStatus: null, error };
  const succeeded = failed === 0 && (sent ?? 0) > 0 ? true : null;
  return { at, succeeded, httpStatus: null, error };
}

const healthOf = {
  isOff: 'DISABLED',
  hasError: 'FAILING',
  onlyFailed: 'FAILING',
  oddStatus: 'UNKNOWN',
  untold: 'UNKNOWN',
  untried: 'IDLE',
  someFailed: 'UNKNOWN',
  noError: 'HEALTHY',
} as const satisfies Record<string, Health>;

type Finding = keyof typeof healthOf;

/** What the verdict rests on: the first rule that matches. */
function judge(evidence: Evidence, tried: boolean | null): Finding {
  const { status, enabled, sent, failed, lastError } = evidence;
  if (enabled === false) return 'isOff';
  if (lastError !== null) return 'hasError';
  if (onlyFailures(evidence)) return 'onlyFailed';
  if (status !== null && enabled === null) return 'oddStatus';
  if (tried === null) return 'untold';
  if (!tried) return 'untried';
  return sent === null && failed !== null && failed > 0 ? 'someFailed' : 'noError';
}

const laterUnknown = 'API Mall does not say whether later deliveries succeeded.';

/** The sentence for each finding. */
export function explain({ finding, status, totalSent: sent, totalFailed: failed }: ApiMallWebhook): string {
  if (finding === 'isOff') return `Its status is ${quote(status ?? '')}.`;
  if (finding === 'hasError') return `A delivery error is recorded. ${laterUnknown}`;
  if (finding === 'onlyFailed') return `No delivery succeeded and ${failed} failed. ${laterUnknown}`;
  if (finding === 'oddStatus') return `Its status ${quote(status ?? '')} is not a word that we know.`;
  if (finding === 'untold') return 'Nothing tells whether a delivery was tried.';
  if (finding === 'untried') return 'No delivery was tried yet.';
  if (finding === 'someFailed') return `Of its deliveries, ${failed} failed, and nothing tells whether any succeeded.`;
  const counts = `${sent ?? 'an unknown number'} succeeded and ${failed ?? 'an unknown number'} failed`;
  return `No delivery error is recorded; ${counts}.`;
}
