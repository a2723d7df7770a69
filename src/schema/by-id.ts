import {
  type GraphQLNamedType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import type { Context } from '../context.ts';
import { type DeliveryIdParts, deliveryTypename, readDeliveryId } from '../delivery.ts';
import { InputError, quote, SourceFailure } from '../errors.ts';
import type { RequestSource } from '../request-source.ts';
import { SourceError } from '../source-error.ts';
import { decodeId, type Webhook } from '../webhook.ts';
import { builder } from './builder.ts';
import { Node } from './node.ts';
import { WebhookInterface } from './webhook.ts';

/** How many things may be fetched at once. */
export const mostIds = 1000;

builder.queryFields((t) => ({
  webhook: t.field({
    type: WebhookInterface,
    description:
      'One webhook by its id. Null without an error if it no longer exists; null with the error SOURCE_FAILED if its source could not be read.',
    args: { id: t.arg.id({ required: true, description: 'The `id` of a webhook.' }) },
    resolve: (_root, { id }, context, info) => {
      const found = fetchNode('id', id, context, info);
      if ('key' in found) throw new InputError('id: this is the id of a source, not of a webhook. Fetch it by node.');
      return found;
    },
  }),
  node: t.field({
    type: Node,
    description: 'Anything by its id, as Relay fetches it. Null and errors as for `webhook`.',
    args: { id: t.arg.id({ required: true, description: 'The `id` of a webhook or a source.' }) },
    resolve: (_root, { id }, context, info) => fetchNode('id', id, context, info),
  }),
  nodes: t.field({
    type: [Node],
    nullable: { list: true, items: true },
    complexity: ({ ids }) => batchCost(ids),
    description:
      'Several by their ids, in the same order. A bad id or a failed source makes its own element null, with an error at its index.',
    args: { ids: t.arg.idList({ required: true, description: `Ids as for \`node\`, at most ${mostIds}.` }) },
    resolve: (_root, { ids }, context, info) => {
      checkBatch('ids', ids);
      return ids.map((id) => settle(() => fetchNode('ids', id, context, info)));
    },
  }),
}));

/** A list of things by id costs what is selected of each, times their number. */
export function batchCost({ length }: readonly unknown[]) {
  return { field: 10, multiplier: Math.max(length, 1) };
}

/** Throws an `InputError` where too many are asked for. */
export function checkBatch(argument: string, { length }: readonly unknown[]): void {
  if (length > mostIds) throw new InputError(`${argument}: ${length} are too many. Pass at most ${mostIds} at once.`);
}

/** What an id names, at a source that is served here. Whether it is still there, only the source can tell. */
export type Located =
  | { readonly kind: 'source'; readonly source: RequestSource }
  | { readonly kind: 'webhook'; readonly source: RequestSource; readonly externalId: string }
  | { readonly kind: 'delivery'; readonly source: RequestSource; readonly delivery: DeliveryIdParts };

/** The only reader of ids. Throws an `InputError` for what is none, and a `SourceFailure` where its source is not served. */
export function locate(argument: string, id: string, { sources }: Context, schema: GraphQLSchema): Located {
  const parts = decodeId(id);
  const type = parts && schema.getType(parts.typename);
  const isKnown = parts?.typename === deliveryTypename || (isObjectType(type) && isNode(type));
  if (!parts || !isKnown) throw notAnId(argument, id);
  const { typename, externalId } = parts;
  const source = sources.get(parts.source);
  if (!source) {
    const { fault } = new SourceError('NOT_CONFIGURED', { message: 'There is no such source here.' });
    throw new SourceFailure({ source: parts.source, state: 'FAILED', fault });
  }
  const { provider, __typename } = source;
  if (externalId === null) {
    if (typename === __typename) return { kind: 'source', source };
    throw notAnId(argument, id);
  }
  if (typename === provider.type.name && provider.externalId.test(externalId)) {
    return { kind: 'webhook', source, externalId };
  }
  const delivery = typename === deliveryTypename ? readDeliveryId(externalId) : null;
  if (!delivery || !provider.externalId.test(delivery.webhookId)) throw notAnId(argument, id);
  return { kind: 'delivery', source, delivery };
}

/** Fetches what an id names. Throws as `locate` does; rejects with a `SourceFailure` if the source failed. */
export function fetchNode(
  argument: string,
  id: string,
  context: Context,
  { schema }: GraphQLResolveInfo,
): RequestSource | Promise<Webhook | null> {
  const located = locate(argument, id, context, schema);
  if (located.kind === 'webhook') return located.source.load(located.externalId);
  if (located.kind === 'source') return located.source;
  throw new InputError(
    `${argument}: this is the id of a delivery, which only its webhook shows: select its deliveries.`,
  );
}

function notAnId(argument: string, id: string): InputError {
  return new InputError(`${argument}: ${quote(id)} is not an id of this graph. Pass an id as this graph gave it.`);
}

/** Whether things of this type can be fetched by their id. */
export function isNode(type: GraphQLNamedType | undefined): boolean {
  return (isObjectType(type) || isInterfaceType(type)) && type.getInterfaces().some(({ name }) => name === Node.name);
}

/** What `fetch` throws at once, as a rejection: of its own element of a list, and not of the list. */
export function settle<T>(fetch: () => T): T | Promise<never> {
  try {
    return fetch();
  } catch (error) {
    return Promise.reject(error);
  }
}
