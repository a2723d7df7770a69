import type { Context } from '../context.ts';
import type { EndedWrite } from '../request.ts';
import type { RequestSource } from '../request-source.ts';
import { type SourceError, UnknownOutcome } from '../source-error.ts';
import type { WriteHttp } from '../upstream/calls.ts';
import type { Webhook } from '../webhook.ts';
import type { Located } from './by-id.ts';
import type { Sight, UserError, Warning, WriteOutcome } from './write-outcome.ts';
import type { Place } from './write-place.ts';

/** A write that can be made, once there are no mistakes in it. */
export interface WritePlan<T, W extends Webhook> {
  /** All that is wrong in the input. */
  readonly mistakes: readonly Omit<UserError, 'code'>[];
  readonly warnings: readonly Warning[];
  /** The fields of the input by their names at the provider, which may object to them. */
  readonly fields: Readonly<Record<string, string>>;
  send(http: WriteHttp): Promise<T>;
  /** Shows what was written, from the answer or else from the source. */
  show(value: T | null): Promise<Pick<WriteOutcome<W>, 'webhook' | 'warnings'>>;
  /** Looks at what the source shows now, where nobody knows whether it was done. */
  look(): Promise<Sight<W>>;
  /** Tells more of a refusal than the provider does, if there is more to tell. */
  explain?(error: SourceError): Promise<UserError | null>;
}

type Ending = { -readonly [Member in keyof EndedWrite]: EndedWrite[Member] };

/** Makes a write, at most once, and tells of it once, whatever happens, be it that nobody waits for it any more. */
export function runWrite<K extends Located['kind'], T, W extends Webhook>(
  context: Context,
  place: Place<K>,
  plan: (place: Extract<Located, { kind: K }>) => WritePlan<T, W>,
): Promise<WriteOutcome<W>> {
  const { writing } = context;
  const work = makeAndTell(context, place, plan).finally(() => writing.delete(work));
  writing.add(work);
  return work;
}

async function makeAndTell<K extends Located['kind'], T, W extends Webhook>(
  context: Context,
  { action, id, source, find }: Place<K>,
  plan: (place: Extract<Located, { kind: K }>) => WritePlan<T, W>,
): Promise<WriteOutcome<W>> {
  const nothing = { httpStatus: null, providerRequestId: null, durationMs: null };
  const ending: Ending = { action, source, id, outcome: 'SOURCE_FAILED', ...nothing };
  try {
    const outcome = await attempt(context, find, plan, ending);
    ending.outcome = outcome.userErrors[0]?.code ?? 'DONE';
    if (ending.outcome === 'DONE') ending.id ??= outcome.webhook?.id ?? null;
    return outcome;
  } finally {
    context.record.writes.push(ending);
    context.onWrite(context.record, ending);
  }
}

async function attempt<K extends Located['kind'], T, W extends Webhook>(
  { writes }: Context,
  find: Place<K>['find'],
  planFor: (place: Extract<Located, { kind: K }>) => WritePlan<T, W>,
  ending: Ending,
): Promise<WriteOutcome<W>> {
  const nothing = { warnings: [], report: null, webhook: null };
  if (!writes) {
    const message = 'Webhooks cannot be changed here. WRITES=on would let them be.';
    return { ...nothing, userErrors: [{ field: null, message, code: 'WRITES_DISABLED' }] };
  }
  const place = find();
  if ('code' in place) return { ...nothing, userErrors: [place] };
  const plan = planFor(place);
  const { mistakes, warnings } = plan;
  if (mistakes.length > 0) {
    return { ...nothing, warnings, userErrors: mistakes.map((mistake) => ({ ...mistake, code: 'INVALID' })) };
  }

  const { report, error, value } = await place.source.write((http) => plan.send(http));
  const { httpStatus = null, providerRequestId = null } = error?.fault ?? {};
  const outcome = error instanceof UnknownOutcome ? 'OUTCOME_UNKNOWN' : 'SOURCE_FAILED';
  // Should what follows fail, what is known by now is told.
  Object.assign(ending, {
    outcome: error ? outcome : 'DONE',
    httpStatus,
    providerRequestId,
    durationMs: report.durationMs,
  });

  if (!error) {
    const { webhook, warnings: more } = await plan.show(value);
    return { userErrors: [], warnings: [...warnings, ...more], report, webhook };
  }
  if (error instanceof UnknownOutcome) {
    const { webhook, says } = await plan.look();
    const message = `${error.message} ${uncertain[ending.action]} ${says}`;
    return { userErrors: [{ field: null, message, code: 'OUTCOME_UNKNOWN' }], warnings, report, webhook };
  }
  const explained = await plan.explain?.(error);
  const userErrors = explained ? [explained] : errorsOf(error, plan.fields, place);
  return { userErrors, warnings, report, webhook: null };
}

const uncertain: Readonly<Record<EndedWrite['action'], string>> = {
  create: 'Nobody knows whether the webhook was created.',
  update: 'Nobody knows whether the webhook was changed.',
  delete: 'Nobody knows whether the webhook was deleted.',
  redeliver: 'Nobody knows whether the delivery is being sent again.',
};

/** The statuses of a provider that says that the input is wrong (RFC 9110, 15.5). */
const refusals: readonly (number | null)[] = [400, 409, 413, 415, 422];

function errorsOf(
  { fault, message, objections }: SourceError,
  fields: WritePlan<never, never>['fields'],
  { kind, source }: Pick<Located, 'kind' | 'source'>,
): UserError[] {
  const { code, httpStatus } = fault;
  if (code === 'UNAUTHORIZED' || code === 'FORBIDDEN' || code === 'RATE_LIMITED')
    return [{ field: null, message, code }];
  // What has no id yet cannot be unknown: then it is the whole address that is.
  if (code === 'NOT_FOUND' && kind !== 'source') return [notFound(source, kind)];
  if (!refusals.includes(httpStatus)) return [{ field: null, message, code: 'SOURCE_FAILED' }];
  const named = new Set(objections.flatMap((name) => fieldOf(name, fields)));
  if (named.size === 0) {
    const unclear = 'The provider refused the input, and does not say in a known way which part of it.';
    return [{ field: null, message: unclear, code: 'INVALID' }];
  }
  return [...named].map((name) => ({ field: [name], message: 'The provider refused this value.', code: 'INVALID' }));
}

/** The field that a name such as `events.0` is about; none where we have no such field. */
function fieldOf(name: string, fields: Readonly<Record<string, string>>): readonly string[] {
  const known = name.split('.').find((part) => Object.hasOwn(fields, part));
  return known === undefined ? [] : [fields[known] ?? known];
}

function notFound({ provider }: RequestSource, kind: 'webhook' | 'delivery'): UserError {
  const what = kind === 'webhook' ? 'webhook' : 'delivery, or not its webhook any more';
  return { field: ['id'], message: `${provider.name} does not know this ${what}.`, code: 'NOT_FOUND' };
}
