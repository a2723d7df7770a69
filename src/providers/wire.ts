import { z } from 'zod';

/**
 * Pieces of wire format that every provider needs; what may be missing or odd becomes null. Envelopes and the like are read by
 * zod. Rows of lists are not: what it makes of a row for itself took more memory than the row, and is collected many times a
 * second. No text of a body holds half of a character (see `parseBody`): whoever cuts one sees to it that it still does not.
 */

const rfc3339 = z.iso.datetime({ offset: true });

/** Most times come as we show them. Days that not every month has are left to those who know the months. */
const shownTime = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** An RFC 3339 time as ISO 8601 in UTC with milliseconds, null where it is missing or is none. */
export function isoTime(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (shownTime.test(value)) return value;
  const parsed = rfc3339.safeParse(value);
  const utc = parsed.success ? new Date(parsed.data).toISOString() : null;
  // An offset can carry it out of the years 0000 to 9999; what is there has a sign and is no RFC 3339 time.
  return utc !== null && /^\d/.test(utc) ? utc : null;
}

/** Whether it is text that is there and not empty. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A provider's id as text: some write the same id as a number and as a string (`upstreams.md` C6). */
export function maybeId(value: unknown): string | null {
  if (isText(value)) return value;
  return Number.isSafeInteger(value) ? String(value) : null;
}

/** A list of texts; null where it is no list, or not of texts alone. */
export function maybeTexts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : null;
}

/** Optional text. */
export function maybeText(value: unknown): string | null {
  return isText(value) ? value : null;
}

/** Whether a value of JSON has members by name. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Optional flag. */
export function maybeFlag(value: unknown): boolean | null {
  return typeof value === 'boolean' ? value : null;
}

/** Optional whole number that JavaScript can hold exactly: a larger one would come out rounded, so it is null. */
export function maybeInt(value: unknown): number | null {
  return Number.isSafeInteger(value) ? (value as number) : null;
}

/** Optional count. */
export function maybeCount(value: unknown): number | null {
  const count = maybeInt(value);
  return count !== null && count >= 0 ? count : null;
}

/** A provider's word in a sentence of ours: as much of it as a sentence can bear. */
export function quote(word: string): string {
  return `"${word.length > 60 ? `${word.slice(0, 60).toWellFormed()}…` : word}"`;
}
