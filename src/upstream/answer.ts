import type { IncomingHttpHeaders } from 'node:http';
import { SourceError, type SourceErrorCode, type SourceFaultDetails } from '../source-error.ts';

/** An upstream's answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const jsonType = /^application\/([\w.-]+\+)?json\s*(;|$)/i;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const utf8Rest = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Bytes. Longer text Node makes outside of V8's heap, where no minor collection frees it: a major one came at every few answers. */
const longestPiece = 1_000_000;

/** Whether the headers say that the body is JSON as it stands: nothing is inflated, so that no small answer can become a large one. */
export function isJson({ headers }: Answer): boolean {
  const encoding = headers['content-encoding'];
  const type = headers['content-type'];
  if (encoding !== undefined && encoding !== 'identity') return false;
  // One that is missing is let pass.
  return type === undefined || jsonType.test(type);
}

/** The body as JSON whose texts UTF-8 can carry, or why it is none. `json` is undefined beside an error. */
export function parseBody(answer: Answer): { json: unknown } | { json?: undefined; error: SourceError } {
  if (!isJson(answer)) return unreadable(answer.status);
  try {
    return { json: JSON.parse(withoutHalves(decode(answer.body))) };
  } catch (error) {
    return unreadable(answer.status, error);
  }
}

/** The text of a body, put together of pieces where it is long. Throws for what is not UTF-8. */
function decode(body: Buffer): string {
  let end = endOfPiece(body, 0);
  let text = utf8.decode(body.subarray(0, end));
  while (end < body.length) {
    const start = end;
    end = endOfPiece(body, start);
    text += utf8Rest.decode(body.subarray(start, end));
  }
  return text;
}

/** Behind these, a backslash begins an escape, and is not escaped itself. */
const before = String.raw`(?<=(?<!\\)(?:\\\\)*)`;
/** The two halves of a character beyond the first 65,536, as JSON escapes them (RFC 8259, 7). */
const high = String.raw`\\u[dD][89abAB][\da-fA-F]{2}`;
const low = String.raw`\\u[dD][c-fC-F][\da-fA-F]{2}`;
/** Looked for first, so that nothing looks back from each of many backslashes. */
const begin = String.raw`(?=\\u[dD])`;
const halfAlone = new RegExp(`${begin}${before}(?:${high}(?!${low})|(?<!${before}${high})${low})`, 'g');

/** JSON with the replacement character in place of each half that stands alone, which no UTF-8 can carry. */
function withoutHalves(json: string): string {
  // To look at each text that is read of it takes many times as long.
  return json.includes('\\ud') || json.includes('\\uD') ? json.replace(halfAlone, '\\ufffd') : json;
}

/** Where a piece ends that begins at `start`: before a character, none of which has more than four bytes (RFC 3629, 3). */
function endOfPiece(body: Buffer, start: number): number {
  const most = start + longestPiece;
  if (most >= body.length) return body.length;
  // All bytes of a character but the first begin with the bits 10.
  const back = [0, 1, 2, 3].find((count) => ((body[most - count] ?? 0) & 0xc0) !== 0x80);
  return most - (back ?? 0);
}

function unreadable(httpStatus: number, cause?: unknown): { error: SourceError } {
  return { error: new SourceError('BAD_RESPONSE', { httpStatus }, cause) };
}

/** What a status that is none of success means; `details` is what the provider's own body adds. */
export function statusError({ status, headers }: Answer, details: SourceFaultDetails): SourceError {
  const retryAfterMs = readRetryAfter(headers['retry-after'], Date.now());
  const code = statusCode(status);
  // It may be just what is documented for a write that is wrong.
  const message = code === 'BAD_RESPONSE' ? `The provider answered with HTTP status ${status}.` : undefined;
  return new SourceError(code, { message, ...details, httpStatus: status, retryAfterMs });
}

function statusCode(status: number): SourceErrorCode {
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404) return 'NOT_FOUND';
  if (status === 429) return 'RATE_LIMITED';
  // Redirects and other successes are answers that nobody documented for a list.
  return status >= 500 ? 'UPSTREAM_ERROR' : 'BAD_RESPONSE';
}

const longestRetryAfterMs = 3_600_000;
/** The three forms of a date (RFC 9110, 5.6.7): `Date.parse` alone takes "-5" and "soon 5" for one too. */
const httpDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d (GMT|\d{4})$/;

/** `Retry-After` (RFC 9110, 10.2.3: seconds or a date) in milliseconds, an hour at most; undefined where it says neither. */
export function readRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : readDate(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), longestRetryAfterMs);
}

/** NaN where it is none. The form without a zone means GMT as well. */
function readDate(text: string): number {
  return httpDate.test(text) ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : Number.NaN;
}
