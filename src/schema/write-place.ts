import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../context.ts';
import { InputError, SourceFailure } from '../errors.ts';
import type { WriteAction } from '../request.ts';
import type { RequestSource } from '../request-source.ts';
import { SourceError } from '../source-error.ts';
import { decodeId } from '../webhook.ts';
import { type Located, locate } from './by-id.ts';
import type { UserError } from './write-outcome.ts';

/** What a write is about, found or not. */
export interface Place<K extends Located['kind']> {
  readonly action: WriteAction;
  /** The id that was named, and the source that it is of, as far as they are clear: for those who tell of the write. */
  readonly id: string | null;
  readonly source: string | null;
  /** Finds it without a call, or what is wrong with how it was named. */
  find(): Extract<Located, { kind: K }> | UserError;
}

const doings: Readonly<Record<WriteAction, string>> = {
  create: 'create webhooks',
  update: 'change webhooks',
  delete: 'delete webhooks',
  redeliver: 'send a delivery again',
};

/** A source, by its key. */
export function atSource(action: WriteAction, key: string, { sources }: Context): Place<'source'> {
  const source = sources.get(key);
  const { message } = new SourceError('NOT_CONFIGURED', { message: 'There is no such source here.' });
  return {
    action,
    id: null,
    source: source ? key : null,
    find: () => (source ? { kind: 'source', source } : { field: null, message, code: 'SOURCE_FAILED' }),
  };
}

/** What the `id` of an input names: one of this `kind`, and of this provider if only one can do it. */
export function atId<K extends 'webhook' | 'delivery'>(
  action: WriteAction,
  kind: K,
  id: string,
  context: Context,
  { schema }: GraphQLResolveInfo,
  provider?: string,
): Place<K> {
  const parts = decodeId(id);
  return {
    action,
    // What is no id may be anything, a secret in the wrong place included.
    id: parts && id,
    source: parts && context.sources.has(parts.source) ? parts.source : null,
    find() {
      const located = locateOrError(id, context, schema);
      if ('code' in located) return located;
      if (located.kind === 'source') return invalid(`This is the id of a source. Pass that of a ${kind}.`);
      const { source } = located;
      if (!canDo(source, action) && (located.kind === kind || kind === 'delivery')) return unsupported(source, action);
      if (!isKind(located, kind)) return invalid(`This is the id of a ${located.kind}. Pass that of a ${kind}.`);
      if (provider !== undefined && source.provider.key !== provider) {
        return invalid(`This is the id of a webhook at ${source.provider.name}.`);
      }
      return fitsPath(located)
        ? located
        : invalid('This is not an id of this graph. Pass an id as this graph gave it.');
    },
  };
}

function locateOrError(id: string, context: Context, schema: GraphQLResolveInfo['schema']): Located | UserError {
  try {
    return locate('id', id, context, schema);
  } catch (error) {
    if (error instanceof InputError) return invalid(error.message);
    if (error instanceof SourceFailure) return { field: ['id'], message: error.message, code: 'SOURCE_FAILED' };
    throw error;
  }
}

function canDo({ provider }: RequestSource, action: WriteAction): boolean {
  return provider.operations[action] !== undefined;
}

function isKind<K extends Located['kind']>(located: Located, kind: K): located is Extract<Located, { kind: K }> {
  return located.kind === kind;
}

/** Longer than any id of a provider's. */
const longestPart = 500;

/**
 * Whether all parts of an id can stand in a path, and none of them would be taken for a way up (RFC 3986, 5.2.4). Escaping
 * does not prevent that: not of dots alone, and not where what stands before the provider unescapes slashes.
 */
function fitsPath(located: Exclude<Located, { kind: 'source' }>): boolean {
  const parts = located.kind === 'webhook' ? [located.externalId] : Object.values(located.delivery);
  return parts.every((part) => part.length <= longestPart && !/(^|[/\\])\.\.?($|[/\\])/.test(part));
}

function invalid(message: string): UserError {
  return { field: ['id'], message, code: 'INVALID' };
}

function unsupported({ provider }: RequestSource, action: WriteAction): UserError {
  return { field: ['id'], message: `${provider.name} cannot ${doings[action]}.`, code: 'UNSUPPORTED_BY_PROVIDER' };
}
