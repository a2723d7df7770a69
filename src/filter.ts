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
  const { health, enabled, event } = filter;
  const hosts = filter.host?.map((host) => host.toLowerCase());
  const urlPart = filter.urlContains?.toLowerCase();
  // Times are compared as text: rows carry ISO 8601 in UTC.
  const after = filter.lastDeliveryAfter?.toISOString();
  const before = filter.lastDeliveryBefore?.toISOString();

  return (row) => {
    if (!includes(health, row.health)) return false;
    if (enabled != null && row.enabled !== enabled) return false;
    if (event && !event.some((name) => row.events.includes(name))) return false;
    if (hosts && !includesHost(hosts, row.url)) return false;
    if (urlPart !== undefined && !row.url.toLowerCase().includes(urlPart)) return false;
    if (after === undefined && before === undefined) return true;
    const at = row.lastDelivery?.at ?? null;
    if (at === null) return false;
    return (after === undefined || at >= after) && (before === undefined || at < before);
  };
}

function includesHost(hosts: readonly string[], url: string): boolean {
  const host = hostOf(url);
  return host !== null && hosts.includes(host);
}

function includes<T>(list: readonly T[] | null | undefined, value: T): boolean {
  return !list || list.includes(value);
}
