/** Our normalised verdict on a webhook, worst first: the order that `HEALTH` ascending sorts by. */
export const healths = ['FAILING', 'UNKNOWN', 'IDLE', 'DISABLED', 'HEALTHY'] as const;

export type Health = (typeof healths)[number];

/** What is known of the latest delivery attempt; null members are what the provider does not say. */
export interface LastDelivery {
  /** ISO 8601, UTC. */
  readonly at: string | null;
  readonly succeeded: boolean | null;
  readonly httpStatus: number | null;
  readonly error: string | null;
}

/**
 * One registered webhook as every provider's wire module must produce it: a frozen plain object with its own
 * `__typename`. Times are ISO 8601 in UTC with milliseconds, so that they compare as text; null is "not said". What follows
 * from these members and is seldom shown is made where it is shown: see `hostOf`, and `explain` of the provider.
 */
export interface Webhook {
  /** The GraphQL object type that shows this row. */
  readonly __typename: string;
  /** The global id, see `encodeId`. */
  readonly id: string;
  /** Key of the source that it was read from. */
  readonly source: string;
  readonly externalId: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly status: string | null;
  readonly enabled: boolean | null;
  readonly health: Health;
  /** null before the first attempt. */
  readonly lastDelivery: LastDelivery | null;
  readonly secretConfigured: boolean | null;
  readonly createdAt: string | null;
  readonly updatedAt: string | null;
}

/** The parts of a global id. `externalId` is null for what is not one webhook but the source itself. */
export interface IdParts {
  readonly typename: string;
  readonly source: string;
  readonly externalId: string | null;
}

/** Where ids are written before they are encoded: a buffer for each takes longer than all the rest. */
const scratch = Buffer.alloc(1024);
const longestCharacter = 3;

/** base64url of `Type:source:externalId`, or of `Type:source`. It never changes: clients store it. */
export function encodeId(typename: string, source: string, externalId?: string): string {
  const text = externalId === undefined ? `${typename}:${source}` : `${typename}:${source}:${externalId}`;
  if (text.length * longestCharacter > scratch.length) return Buffer.from(text).toString('base64url');
  return scratch.toString('base64url', 0, scratch.write(text));
}

/** The ids of one source's webhooks that were encoded. */
interface KnownIds {
  /** By the provider's own id. */
  readonly byExternalId: Map<string, string>;
  /** What stood where in the list that was read last: no more than a guess. */
  readonly inOrder: { readonly externalId: string; readonly id: string }[];
}

/** By type and source. */
const known = new Map<string, Map<string, KnownIds>>();
/** Of one source. Beyond, all of them are forgotten: whoever sends new ones all the time gains nothing by it anyway. */
const mostKnown = 10_000;
/** Characters of an id that is kept: longer ones, which nobody has, would take more room than they are worth. */
const longestKnown = 64;

/**
 * Makes the global ids of the webhooks of one source from the provider's own, in the order of its list. The same ones are asked for
 * all the time: to look one up takes a quarter of the time, and to see that it stands where it stood takes a tenth of that.
 */
export function webhookIds(typename: string, source: string): (externalId: string) => string {
  const { byExternalId, inOrder } = known.get(typename)?.get(source) ?? knownOf(typename, source);
  let next = 0;
  return (externalId) => {
    const place = next++;
    const guess = inOrder[place];
    if (guess?.externalId === externalId) return guess.id;
    if (externalId.length > longestKnown) return encodeId(typename, source, externalId);
    const last = byExternalId.get(externalId);
    const id = last ?? encodeId(typename, source, externalId);
    if (last === undefined) {
      if (byExternalId.size >= mostKnown) byExternalId.clear();
      byExternalId.set(externalId, id);
    }
    if (place < mostKnown) inOrder[place] = { externalId, id };
    return id;
  };
}

function knownOf(typename: string, source: string): KnownIds {
  const ids: KnownIds = { byExternalId: new Map(), inOrder: [] };
  const sources = known.get(typename) ?? new Map<string, KnownIds>();
  known.set(typename, sources.set(source, ids));
  return ids;
}

/** Takes an id apart at its first two colons; null for whatever `encodeId` would not have written so. */
export function decodeId(id: string): IdParts | null {
  const bytes = Buffer.from(id, 'base64url');
  const text = bytes.toString();
  // One spelling an id: clients and gateways use it as a cache key. Also refuses bytes that are not UTF-8.
  if (Buffer.from(text).toString('base64url') !== id) return null;
  const match = /^([A-Za-z]\w*):([a-z0-9-]{1,64})(?::(.+))?$/s.exec(text);
  if (!match) return null;
  const [, typename = '', source = '', externalId] = match;
  return { typename, source, externalId: externalId ?? null };
}

/** Most URLs are plain: names of lower-case letters, digits and hyphens that begin with a letter, and nothing to escape. */
const plainUrl = /^https?:\/\/((?:(?!xn--)[a-z][a-z\d-]*\.)*(?!xn--)[a-z][a-z\d-]*)(?::\d{1,4})?(?:\/[\w./~-]*)?$/;

/** The host name in lower case, or null where the URL is not plain http(s): such a URL is text to us, nothing else. */
export function hostOf(url: string): string | null {
  const plain = plainUrl.exec(url);
  if (plain) return plain[1] ?? null;
  // The URL parser drops tabs and line breaks: what holds one is not what it seems.
  if (/\p{Cc}/u.test(url) || !URL.canParse(url)) return null;
  const { protocol, hostname } = new URL(url);
  return (protocol === 'https:' || protocol === 'http:') && hostname !== '' ? hostname : null;
}
