import { lexicographicSortSchema, printSchema } from 'graphql';
import { providers } from '../providers/index.ts';
import { builder } from './builder.ts';
import './scalars.ts';
import './by-id.ts';
import './webhooks.ts';

builder.queryType({ description: 'Everything that can be read. Start with `webhooks`.' });

builder.enumType('WebhookProvider', {
  description: 'The vendors whose webhooks are in this graph.',
  values: Object.fromEntries(providers.map(({ enumValue, description }) => [enumValue, { description }])),
});

/** The schema that is served: the same whatever the configuration, and in the order of our files, which is meant for readers. */
export const schema = builder.toSchema({ sortSchema: false });

/** `schema.graphql`, sorted, so that a diff shows what changed and nothing else. */
export const printedSchema = `${printSchema(lexicographicSortSchema(schema))}\n`;
