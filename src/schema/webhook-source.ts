import type { RequestSource } from '../request-source.ts';
import { encodeId } from '../webhook.ts';
import { builder } from './builder.ts';
import { Node } from './node.ts';

const WebhookSourceCapability = builder.enumType('WebhookSourceCapability', {
  description: 'What can be done at a source through this graph.',
  values: {
    LIST: { description: 'Its webhooks can be read.' },
    CREATE: { description: 'Webhooks can be registered.' },
    UPDATE: { description: 'Webhooks can be changed.' },
    DELETE: { description: 'Webhooks can be removed.' },
    DELIVERIES: { description: 'Recent deliveries can be read.' },
    REDELIVER: { description: 'A delivery can be sent again.' },
  } as const,
});

/** An account at a provider. Its list of webhooks is added in `webhooks.ts`. */
export const WebhookSource = builder.objectRef<RequestSource>('WebhookSource').implement({
  description: 'An account at a provider, whose webhooks are in this graph.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      nullable: false,
      description: 'Globally unique, and always the same.',
      resolve: ({ __typename, key }) => encodeId(__typename, key),
    }),
    key: t.exposeString('key', {
      nullable: false,
      description: 'Its short name, as filters and error reports use it.',
    }),
    name: t.string({ nullable: false, description: 'Its name for people.', resolve: ({ provider }) => provider.name }),
    provider: t.field({
      type: 'WebhookProvider',
      nullable: false,
      description: 'The provider that the account is at.',
      resolve: ({ provider }) => provider.enumValue,
    }),
    capabilities: t.field({
      type: [WebhookSourceCapability],
      nullable: false,
      description: 'What can be done here. Anything else the provider does not offer, and nothing is emulated.',
      resolve: (source) => source.capabilities().map((name) => name.toUpperCase() as Uppercase<typeof name>),
    }),
  }),
});

builder.queryField('webhookSources', (t) =>
  t.field({
    type: [WebhookSource],
    description: 'The sources of this graph. No provider is called for this.',
    resolve: (_root, _args, { sources }) => [...sources.values()],
  }),
);
