import type { Delivery } from './delivery.ts';
import { boundOf, setOf } from './filter.ts';
import { compareBy } from './order.ts';

/** The classes of HTTP status (RFC 9110, 15), and one for what is none or is not said. */
export const statusClasses = [
  'INFORMATIONAL',
  'SUCCESSFUL',
  'REDIRECTION',
  'CLIENT_ERROR',
  'SERVER_ERROR',
  'UNKNOWN',
] as const;

export type StatusClass = (typeof statusClasses)[number];

/** Conditions that are AND-ed, while the members of a list are OR-ed; null and undefined restrict nothing, an empty list matches nothing. */
export interface DeliveryFilter {
  /** One of which it is not said how it ended matches neither. */
  readonly succeeded?: boolean | null | undefined;
  readonly statusClass?: readonly StatusClass[] | null | undefined;
  readonly event?: readonly string[] | null | undefined;
  /** Inclusive. */
  readonly attemptedAfter?: Date | null | undefined;
  /** Exclusive. */
  readonly attemptedBefore?: Date | null | undefined;
}

/** Why a webhook fails, as far as its log goes back. Times as in `Delivery`. */
export interface FailureSummary {
  /** In the log, whatever became of them. */
  readonly attempts: number;
  /** Since the last success. Attempts of which it is not said how they ended neither count nor end the run. */
  readonly consecutiveFailures: number;
  /** The earliest time that is said of this run; null without one. */
  readonly firstFailedAt: string | null;
  /** No attempt in the log succeeded, and some failed: the run may be longer than the log. */
  readonly reachesBeyondLog: boolean;
  readonly lastSucceededAt: string | null;
  readonly lastFailedAt: string | null;
  /** Every class once. */
  readonly statusClasses: readonly { readonly statusClass: StatusClass; readonly count: number }[];
}

/** Compares attempts: the latest first, those without a time last, and of one time by their ids. */
export const compareDeliveries = compareBy<Pick<Delivery, 'at' | 'source' | 'externalId'>>('DESC', ({ at }) => at);

const sorted = new WeakMap<readonly Delivery[], readonly Delivery[]>();

/** A log, the latest attempt first. An operation may show it many times, and to sort it takes longest: it is done once. */
export function newestFirst(log: readonly Delivery[]): readonly Delivery[] {
  const known = sorted.get(log) ?? log.toSorted(compareDeliveries);
  sorted.set(log, known);
  return known;
}

/** The class of what the receiver answered. */
export function statusClassOf({ httpStatus }: Pick<Delivery, 'httpStatus'>): StatusClass {
  const hundreds = Math.floor((httpStatus ?? 0) / 100);
  return (hundreds > 0 ? statusClasses[hundreds - 1] : null) ?? 'UNKNOWN';
}

/** A test of whether an attempt meets the conditions. */
export function createDeliveryMatcher(filter: DeliveryFilter): (delivery: Delivery) => boolean {
  const { succeeded } = filter;
  const [classes, events] = [setOf(filter.statusClass), setOf(filter.event)];
  const after = boundOf(filter.attemptedAfter);
  const before = boundOf(filter.attemptedBefore);

  return (delivery) => {
    if (succeeded != null && delivery.succeeded !== succeeded) return false;
    if (classes && !classes.has(statusClassOf(delivery))) return false;
    if (events && (delivery.event === null || !events.has(delivery.event))) return false;
    if (after === undefined && before === undefined) return true;
    const { at } = delivery;
    return at !== null && (after === undefined || at >= after) && (before === undefined || at < before);
  };
}

/** Sums up a log, in whatever order it comes. */
export function summarizeFailures(log: readonly Delivery[]): FailureSummary {
  const ended = newestFirst(log).filter(({ succeeded }) => succeeded !== null);
  const lastSuccess = ended.findIndex(({ succeeded }) => succeeded);
  const run = lastSuccess === -1 ? ended : ended.slice(0, lastSuccess);
  const classes = log.map(statusClassOf);
  return {
    attempts: log.length,
    consecutiveFailures: run.length,
    firstFailedAt: run.findLast(({ at }) => at !== null)?.at ?? null,
    reachesBeyondLog: lastSuccess === -1 && run.length > 0,
    lastSucceededAt: ended[lastSuccess]?.at ?? null,
    lastFailedAt: ended.find(({ succeeded }) => !succeeded)?.at ?? null,
    statusClasses: statusClasses.map((statusClass) => ({
      statusClass,
      count: classes.filter((it) => it === statusClass).length,
    })),
  };
}
