import { z } from 'zod';

/** Pieces of wire format that every provider needs. What may be missing or odd becomes null; it never rejects the row. */

const rfc3339 = z.iso.datetime({ offset: true });

/** An RFC 3339 time as ISO 8601 in UTC with milliseconds, null where it is missing or is none. */
export function isoTime(value: unknown): string | null {
  const parsed = rfc3339.safeParse(value);
  const utc = parsed.success ? new Date(parsed.data).toISOString() : null;
  // An offset can carry it out of the years 0000 to 9999; what is there has a sign and is no RFC 3339 time.
  return utc !== null && /^\d/.test(utc) ? utc : null;
}

/** Text. Half a character, which JSON can spell and UTF-8 cannot, becomes the replacement character. */
export const WireString = z.string().transform((text) => text.toWellFormed());

/** Text that is there and not empty. */
export const WireText = z.string().min(1).pipe(WireString);

/** A provider's id as text: some write the same id as a number and as a string (`upstreams.md` C6). */
export const WireId = z.union([WireText, z.int().transform(String)]);

/** Optional text. */
export const WireMaybeText = WireText.nullable().catch(null);

/** Optional flag. */
export const WireMaybeFlag = z.boolean().nullable().catch(null);

/** Optional whole number that JavaScript can hold exactly: a larger one would come out rounded, so it is null. */
export const WireMaybeInt = z.int().nullable().catch(null);

/** Optional count. */
export const WireMaybeCount = z.int().nonnegative().nullable().catch(null);

/** A provider's word in a sentence of ours: as much of it as a sentence can bear. */
export function quote(word: string): string {
  return `"${word.length > 60 ? `${word.slice(0, 60).toWellFormed()}…` : word}"`;
}
