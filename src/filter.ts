import { type Health, hostOf, type Webhook } from './webhook.ts';

/** Conditions that are AND-ed, while the members of a list are OR-ed; null and undefined restrict nothing, an empty list matches nothing. */
export interface Filter {
  /** Values of the enum `WebhookProvider`. */
  readonly provider?: readonly string[] | null | undefined;
  /** Keys of sources. */
  readonly source?: readonly string[] | null | undefined;
  readonly health?: readonly Health[] | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly event?: readonly string[] | null | undefined;
  readonly host?: readonly string[] | null | undefined;
  readonly urlContains?: string | null | undefined;
  /** Inclusive. */
  readonly lastDeliveryAfter?: Date | null | undefined;
  /** Exclusive. */
  readonly lastDeliveryBefore?: Date | null | undefined;
}

/** Whether a source is asked at all: the conditions that decide it before any row is there. */
export function asks(filter: Filter, source: { readonly key: string; readonly provider: string }): boolean {
  return includes(filter.provider, source.provider) && includes(filter.source, source.key);
}

/** A test of the conditions that need the row. */
export function createMatcher(filter: Filter): (row: Webhook) => boolean {
  const { enabled } = filter;
  const [healths, events] = [setOf(filter.health), setOf(filter.event)];
  const hosts = setOf(filter.host?.map((host) => host.toLowerCase()));
  const urlPart = filter.urlContains?.toLowerCase();
  const after = boundOf(filter.lastDeliveryAfter);
  const before = boundOf(filter.lastDeliveryBefore);

  return (row) => {
    if (healths && !healths.has(row.health)) return false;
    if (enabled != null && row.enabled !== enabled) return false;
    if (events && !row.events.some((name) => events.has(name))) return false;
    if (hosts && !includesHost(hosts, row.url)) return false;
    if (urlPart !== undefined && !row.url.toLowerCase().includes(urlPart)) return false;
    if (after === undefined && before === undefined) return true;
    const at = row.lastDelivery?.at ?? null;
    if (at === null) return false;
    return (after === undefined || at >= after) && (before === undefined || at < before);
  };
}

/** The members of a list, which may be a hundred thousand bytes long, for each row to be looked up in; null where there is no list. */
export function setOf<T>(list: readonly T[] | null | undefined): ReadonlySet<T> | null {
  return list ? new Set(list) : null;
}

/** A time as text, to be compared with those of rows: they are ISO 8601 in UTC, of the years 0000 to 9999. */
export function boundOf(time: Date | null | undefined): string | undefined {
  const text = time?.toISOString();
  // A year above has a sign, and is after all of them. That of a year below is before all digits as it is.
  return text?.startsWith('+') ? '~' : text;
}

function includesHost(hosts: ReadonlySet<string>, url: string): boolean {
  const host = hostOf(url);
  return host !== null && hosts.has(host);
}

function includes<T>(list: readonly T[] | null | undefined, value: T): boolean {
  return !list || list.includes(value);
}
