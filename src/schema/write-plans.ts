import type { RequestSource } from '../request-source.ts';
import type { SourceError } from '../source-error.ts';
import type { WriteHttp } from '../upstream/calls.ts';
import type { Webhook } from '../webhook.ts';
import type { WritePlan } from './write.ts';
import { checkEvents, checkUrl, type KnownEvents, type Mistake, unique, warnOfEvents } from './write-input.ts';
import type { Sight, UserError, WriteOutcome } from './write-outcome.ts';
import { findAgain, identify, seeAlike, seeOne } from './write-sight.ts';

/** What a provider's own mutation adds to what all of them do. */
interface Own<W extends Webhook> {
  readonly known: KnownEvents;
  /** The fields of the input by their names at the provider. */
  readonly fields: Readonly<Record<string, string>>;
  /** `events` are those that were asked for, each once. */
  send(http: WriteHttp, events: readonly string[] | undefined): Promise<W | null>;
}

/** What a webhook that is to be created needs; one without events is created with none. */
export interface Creation<W extends Webhook> extends Own<W> {
  readonly url: string;
  readonly events: readonly string[] | undefined;
  /** How many webhooks the provider lets an account have; undefined where it documents no number. */
  readonly mostWebhooks?: number;
}

/** Creates a webhook at a source. `W` must be what the source's rows are. */
export function planCreate<W extends Webhook>(
  source: RequestSource,
  { url, events, known, fields, send, mostWebhooks = Number.POSITIVE_INFINITY }: Creation<W>,
): WritePlan<W | null, W> {
  const likeness = { url, events: events ?? [] };
  return {
    mistakes: [...checkUrl(url), ...checkEvents(likeness.events)],
    warnings: warnOfEvents(likeness.events, known),
    fields,
    send: (http) => send(http, events && unique(events)),
    show: (webhook) => shown(webhook, () => identify(source, likeness)),
    look: () => seeAlike(source, likeness) as Promise<Sight<W>>,
    explain: (error) => explainLimit(source, error, mostWebhooks),
  };
}

/** What of a webhook is to be changed; undefined is left as it is. */
export interface Change<W extends Webhook> extends Own<W> {
  readonly url: string | undefined;
  readonly events: readonly string[] | undefined;
  /** Of what only this provider has. */
  readonly mistakes: readonly Mistake[];
  /** Whether anything is to be changed. */
  readonly isAny: boolean;
}

/** Changes the webhook with this id of the provider's own. `W` must be what the source's rows are. */
export function planUpdate<W extends Webhook>(
  source: RequestSource,
  externalId: string,
  { url, events, mistakes, isAny, known, fields, send }: Change<W>,
): WritePlan<W | null, W> {
  const own = [...(url === undefined ? [] : checkUrl(url)), ...checkEvents(events ?? []), ...mistakes];
  const nothing: Mistake = { field: null, message: 'Nothing is to be changed. Pass what is.' };
  return {
    mistakes: own.length > 0 || isAny ? own : [nothing],
    warnings: events ? warnOfEvents(events, known) : [],
    fields,
    send: (http) => send(http, events && unique(events)),
    show: (webhook) => shown(webhook, () => findAgain(source, externalId)),
    look: () => seeOne(source, externalId) as Promise<Sight<W>>,
  };
}

type Shown<W extends Webhook> = Pick<WriteOutcome<W>, 'webhook' | 'warnings'>;

async function shown<W extends Webhook>(webhook: W | null, read: () => Promise<Shown<Webhook>>): Promise<Shown<W>> {
  return webhook ? { webhook, warnings: [] } : ((await read()) as Shown<W>);
}

/** What a provider may answer to one webhook too many: none documents it (`upstreams.md` B4). */
const limitStatuses: readonly (number | null)[] = [400, 403, 409, 422];

async function explainLimit(source: RequestSource, error: SourceError, most: number): Promise<UserError | null> {
  const { fault, objections } = error;
  if (most === Number.POSITIVE_INFINITY || !limitStatuses.includes(fault.httpStatus)) return null;
  // It says what it objects to, which is not the number.
  if (objections.length > 0) return null;
  const { rows, rejectedCount } = await source.read();
  const number = rows.length + rejectedCount;
  if (number < most) return null;
  const message = `${source.provider.name} has room for ${most} webhooks, and its list shows ${number} now.`;
  return { field: null, message, code: 'LIMIT_REACHED' };
}
