import { quote } from '../errors.ts';
import type { UserError, Warning } from './write-outcome.ts';

/** Something in an input that is wrong. */
export type Mistake = Omit<UserError, 'code'>;

/** The events that a provider documents, and what its documents say of none. */
export interface KnownEvents {
  readonly names: readonly string[];
  /** A sentence. */
  readonly none: string;
}

const longestUrl = 2048;
const mostEvents = 100;
const longestEvent = 200;

/** What is wrong with a URL that webhooks are to be sent to. It is not repeated, as there may be a token in it. */
export function checkUrl(url: string): readonly Mistake[] {
  const message = urlMistake(url);
  return message === null ? [] : [{ field: ['url'], message }];
}

function urlMistake(url: string): string | null {
  if (!url.startsWith('https://')) return 'Must begin with https://, in lower case.';
  if (url.length > longestUrl) return `Must have at most ${longestUrl} characters.`;
  // The URL parser drops some of these and escapes others, so that what is registered would not be what it seems.
  if (/[\p{Cc}\p{Z}]/u.test(url) || !url.isWellFormed()) return 'Must hold no spaces and no control characters.';
  return URL.canParse(url) ? null : 'Must be a URL.';
}

/** What is wrong with a list of events. */
export function checkEvents(events: readonly string[]): readonly Mistake[] {
  const field = ['events'];
  if (events.length > mostEvents) return [{ field, message: `Must be at most ${mostEvents}.` }];
  const isEvent = (name: string) =>
    name !== '' && name.length <= longestEvent && !/\p{Cc}/u.test(name) && name.isWellFormed();
  return events.flatMap((name, index) => {
    const message = `Number ${index + 1} must be 1 to ${longestEvent} characters, none of them a control character.`;
    return isEvent(name) ? [] : [{ field, message }];
  });
}

/** What to mind about events that may be sent to the provider all the same. */
export function warnOfEvents(events: readonly string[], { names, none }: KnownEvents): readonly Warning[] {
  const field = ['events'];
  if (events.length === 0) return [{ field, message: none, code: 'NO_EVENTS' }];
  const unknown = unique(events).filter((name) => !names.includes(name));
  const known = names.join(', ');
  return unknown.map((name) => ({
    field,
    message: `${quote(name)} is none of the events that are documented: ${known}.`,
    code: 'UNKNOWN_EVENT',
  }));
}

/** Each once, in the order in which they came first. */
export function unique(events: readonly string[]): readonly string[] {
  return [...new Set(events)];
}
