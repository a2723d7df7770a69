import { type ApiMallRow, type DiligentRow, globalId, judgeApiMall, judgeDiligent, type Verdict } from './webhook.ts';

/** The graph of the contestants that take SDL: what the queries need of hookgraph's. */

export const typeDefs = `
  type Query {
    webhooks(first: Int): WebhookConnection
  }
  type WebhookConnection {
    nodes: [Webhook!]!
    totalCount: Int!
    complete: Boolean!
    sources: [WebhookSourceReport!]!
  }
  type WebhookSourceReport {
    state: WebhookSourceState!
    itemCount: Int!
  }
  enum WebhookSourceState { OK FAILED }
  enum WebhookHealth { FAILING UNKNOWN IDLE DISABLED HEALTHY }
  type WebhookLastDelivery {
    at: String
  }
  interface Webhook {
    id: ID!
    url: String!
    events: [String!]!
    health: WebhookHealth!
    healthReason: String!
    enabled: Boolean
    lastDelivery: WebhookLastDelivery
  }
  type ApiMallWebhook implements Webhook {
    id: ID!
    url: String!
    events: [String!]!
    health: WebhookHealth!
    healthReason: String!
    enabled: Boolean
    lastDelivery: WebhookLastDelivery
    apiKeyId: Int
    totalSent: Int
    totalFailed: Int
    lastSentAt: String
    lastError: String
  }
  type DiligentWebhook implements Webhook {
    id: ID!
    url: String!
    events: [String!]!
    health: WebhookHealth!
    healthReason: String!
    enabled: Boolean
    lastDelivery: WebhookLastDelivery
    isActive: Boolean
    hasSecret: Boolean
    lastDeliveryAt: String
    lastDeliveryStatus: Int
  }
`;

interface Webhook extends Verdict {
  readonly __typename: 'ApiMallWebhook' | 'DiligentWebhook';
  readonly id: string;
  readonly url: string;
  readonly events: string[];
  readonly enabled: boolean;
  readonly lastDelivery: { readonly at: string } | null;
}

/** The value of the field `webhooks` for what both upstreams answered. */
export function connect(apimallRows: readonly ApiMallRow[], diligentRows: readonly DiligentRow[], first: number) {
  const webhooks = [...apimallRows.map(toApiMallWebhook), ...diligentRows.map(toDiligentWebhook)];
  return {
    nodes: webhooks.slice(0, first),
    totalCount: webhooks.length,
    complete: true,
    sources: [apimallRows, diligentRows].map((rows) => ({ state: 'OK', itemCount: rows.length })),
  };
}

function toApiMallWebhook(row: ApiMallRow): Webhook & Record<string, unknown> {
  const { health, healthReason } = judgeApiMall(row);
  return {
    __typename: 'ApiMallWebhook',
    id: globalId('ApiMallWebhook', 'apimall', row.id),
    url: row.url,
    events: row.events,
    health,
    healthReason,
    enabled: row.status === 'active',
    lastDelivery: row.last_sent_at === null ? null : { at: row.last_sent_at },
    apiKeyId: row.api_key_id,
    totalSent: row.total_sent,
    totalFailed: row.total_failed,
    lastSentAt: row.last_sent_at,
    lastError: row.last_error,
  };
}

function toDiligentWebhook(row: DiligentRow): Webhook & Record<string, unknown> {
  const { health, healthReason } = judgeDiligent(row);
  return {
    __typename: 'DiligentWebhook',
    id: globalId('DiligentWebhook', 'diligent', row.id),
    url: row.webhook_url,
    events: row.events,
    health,
    healthReason,
    enabled: row.is_active,
    lastDelivery: row.last_delivery_at === null ? null : { at: row.last_delivery_at },
    isActive: row.is_active,
    hasSecret: row.has_secret,
    lastDeliveryAt: row.last_delivery_at,
    lastDeliveryStatus: row.last_delivery_status,
  };
}
