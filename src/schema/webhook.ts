import { sourceOf } from '../context.ts';
import { flat } from '../flat.ts';
import { type Health, healths, hostOf, type LastDelivery, type Webhook } from '../webhook.ts';
import { builder } from './builder.ts';
import { Node } from './node.ts';
import { WebhookSource } from './webhook-source.ts';

const healthDescriptions: Record<Health, string> = {
  FAILING: 'Deliveries fail, or an error is recorded.',
  UNKNOWN: 'The provider does not say enough, or says it in a word that we do not know.',
  IDLE: 'No delivery was tried yet.',
  DISABLED: 'Switched off at the provider: nothing is delivered.',
  HEALTHY: 'In use, and nothing speaks against it.',
};

export const WebhookHealth = builder.enumType('WebhookHealth', {
  description:
    'Our verdict on a webhook, the same scale for every provider. From the worst: FAILING, UNKNOWN, IDLE, DISABLED, HEALTHY.',
  values: Object.fromEntries(healths.map((health) => [health, { description: healthDescriptions[health] }])) as Record<
    Health,
    { description: string }
  >,
});

const WebhookLastDelivery = builder.objectRef<LastDelivery>('WebhookLastDelivery').implement({
  description: 'What the provider says of the latest attempt to deliver. What it does not say is null.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was tried.' }),
    succeeded: t.exposeBoolean('succeeded', { description: 'Whether the receiver took it.' }),
    httpStatus: t.exposeInt('httpStatus', { description: 'The HTTP status of the receiver.' }),
    error: t.exposeString('error', { description: 'The most recent error that the provider recorded.' }),
  }),
});

/** The interface that every provider's type implements. */
export const WebhookInterface = builder.interfaceRef<Webhook>('Webhook').implement({
  description: 'An outbound webhook registered at a provider: events of some kinds are sent to its URL.',
  interfaces: [Node],
  resolveType: (webhook) => webhook.__typename,
  fields: (t) => ({
    id: t.exposeID('id', { nullable: false, description: 'Globally unique, and the same for as long as it exists.' }),
    provider: t.field({
      type: 'WebhookProvider',
      nullable: false,
      description: 'The provider that it is registered at.',
      resolve: (webhook, _args, context) => sourceOf(webhook, context).provider.enumValue,
    }),
    source: t.field({
      type: WebhookSource,
      nullable: false,
      description: 'The account that it belongs to.',
      resolve: (webhook, _args, context) => sourceOf(webhook, context),
    }),
    externalId: t.exposeString('externalId', { nullable: false, description: "The provider's own id, as text." }),
    url: t.exposeString('url', { nullable: false, description: 'Where events are sent, as registered.' }),
    host: t.string({
      description: 'Host name of the URL in lower case; null where it is not http(s).',
      resolve: ({ url }) => {
        const host = hostOf(url);
        return host && flat(host);
      },
    }),
    events: t.exposeStringList('events', {
      nullable: false,
      description: "The kinds of event that are sent, in the provider's spelling.",
    }),
    status: t.exposeString('status', {
      description: "The provider's own word for its state; null where it gives none.",
    }),
    enabled: t.exposeBoolean('enabled', {
      description: 'Whether events are sent at all; null where the provider does not say, or in a word we do not know.',
    }),
    health: t.expose('health', { type: WebhookHealth, nullable: false, description: 'Our verdict.' }),
    healthReason: t.string({
      nullable: false,
      description: 'One sentence: which evidence led to the verdict.',
      resolve: (webhook, _args, context) => flat(sourceOf(webhook, context).provider.explain(webhook)),
    }),
    lastDelivery: t.expose('lastDelivery', {
      type: WebhookLastDelivery,
      description: 'The latest attempt to deliver; null before the first.',
    }),
    secretConfigured: t.exposeBoolean('secretConfigured', {
      description: 'Whether deliveries are signed with a secret; null where the provider does not say.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was registered.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description: 'When the provider last changed its record, which at some providers every delivery does.',
    }),
  }),
});
