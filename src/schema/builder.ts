import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import type { Context } from '../context.ts';
import type { RequestSource } from '../request-source.ts';
import type { Webhook } from '../webhook.ts';

/** What the builder's type parameters say: a named interface keeps error messages and type checks short. */
export interface SchemaTypes {
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: string | Date };
    SafeInt: { Input: number; Output: number };
    WebhookSecret: { Input: string; Output: never };
    /** An enum made of the list of providers (`schema/index.ts`); named here so that fields can refer to it. */
    WebhookProvider: { Input: string; Output: string };
    _Any: { Input: unknown; Output: unknown };
  };
  Objects: {
    /** The union of all that gateways fetch by key; made from that list, too. */
    _Entity: Webhook | RequestSource;
  };
}

/** The one builder that every type registers with. It holds no types itself and nothing that depends on configuration. */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ComplexityPlugin],
  relay: {
    // Both are our own: the plugin decodes ids with errors that have no code.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'Anything that can be fetched again by its id.' },
    idFieldOptions: { description: 'Globally unique, and the same for as long as the thing exists.' },
    pageInfoTypeOptions: { description: 'Where a page stands in its list.' },
    hasNextPageFieldOptions: { description: 'Whether rows follow the last one of this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether rows precede the first one of this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first row; null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last row, to pass as `after`; null on an empty page.' },
  },
});
