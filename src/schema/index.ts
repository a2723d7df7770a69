import { GraphQLDeferDirective, GraphQLStreamDirective } from '@graphql-tools/utils';
import { specifiedDirectives } from 'graphql';
import { providers } from '../providers/index.ts';
import { builder } from './builder.ts';
import './scalars.ts';
import './by-id.ts';
import './federation.ts';
import './mutations.ts';
import './webhooks.ts';
import { printServed, printSubgraph } from './sdl.ts';
import { WebhookSource } from './webhook-source.ts';

builder.queryType({ description: 'Everything that can be read. Start with `webhooks`.' });

builder.enumType('WebhookProvider', {
  description: 'The vendors whose webhooks are in this graph.',
  values: Object.fromEntries(providers.map(({ enumValue, description }) => [enumValue, { description }])),
});

builder.unionType('_Entity', {
  description: 'What gateways fetch by its key.',
  // What a provider's interface knows of its type is the name; that the builder made it is for the builder to check.
  types: [WebhookSource, ...providers.map(({ type }) => type as typeof WebhookSource)],
  resolveType: ({ __typename }) => __typename,
});

/** The schema that is served: the same whatever the configuration, and in the order of our files, which is meant for readers. */
export const schema = builder.toSchema({
  sortSchema: false,
  directives: [...specifiedDirectives, GraphQLDeferDirective, GraphQLStreamDirective],
});

/** The schema as text, for clients and for gateways: each file by its path from here. */
export const printedSchemas: Readonly<Record<string, string>> = {
  '../../schema.graphql': printServed(schema),
  'subgraph.graphql': printSubgraph(schema),
};
