import { createServer } from 'node:http';
import SchemaBuilder from '@pothos/core';
import DataLoader from 'dataloader';
import { createYoga } from 'graphql-yoga';
import { z } from 'zod';
import { environment } from './environment.ts';
import { globalId, type Health, judgeApiMall, judgeDiligent } from './webhook.ts';

/** The same graph as one writes it first: fetch, zod, a DataLoader for each request, everything else left as it comes. */

const ApiMallRow = z.object({
  id: z.number().int(),
  url: z.string(),
  events: z.array(z.string()),
  status: z.string(),
  api_key_id: z.number().int().nullable(),
  total_sent: z.number().int(),
  total_failed: z.number().int(),
  last_sent_at: z.iso.datetime().nullable(),
  last_error: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
const ApiMallList = z.object({ success: z.literal(true), data: z.array(ApiMallRow), request_id: z.string() });

const DiligentRow = z.object({
  id: z.string(),
  webhook_url: z.string(),
  is_active: z.boolean(),
  has_secret: z.boolean(),
  status: z.string(),
  last_delivery_at: z.iso.datetime().nullable(),
  last_delivery_status: z.number().int().nullable(),
  events: z.array(z.string()),
});
const DiligentList = z.array(DiligentRow);

const toApiMallWebhook = (row: z.infer<typeof ApiMallRow>) => ({
  ...row,
  ...judgeApiMall(row),
  __typename: 'ApiMallWebhook' as const,
  id: globalId('ApiMallWebhook', 'apimall', row.id),
  enabled: row.status === 'active',
  lastDeliveryAt: row.last_sent_at,
});
const toDiligentWebhook = (row: z.infer<typeof DiligentRow>) => ({
  ...row,
  ...judgeDiligent(row),
  __typename: 'DiligentWebhook' as const,
  id: globalId('DiligentWebhook', 'diligent', row.id),
  url: row.webhook_url,
  enabled: row.is_active,
  lastDeliveryAt: row.last_delivery_at,
});
type ApiMallWebhook = ReturnType<typeof toApiMallWebhook>;
type DiligentWebhook = ReturnType<typeof toDiligentWebhook>;
type Webhook = ApiMallWebhook | DiligentWebhook;
type Source = 'apimall' | 'diligent';

async function getJson(url: string, headers: Record<string, string>): Promise<unknown> {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`The upstream answered ${response.status}.`);
  return await response.json();
}

async function list(source: Source): Promise<Webhook[]> {
  const { url, key } = environment[source];
  if (source === 'apimall') {
    const { data } = ApiMallList.parse(await getJson(`${url}/webhooks`, { authorization: `Bearer ${key}` }));
    return data.map(toApiMallWebhook);
  }
  const rows = DiligentList.parse(await getJson(`${url}/webhooks`, { 'x-api-key': key }));
  return rows.map(toDiligentWebhook);
}

interface Context {
  readonly lists: DataLoader<Source, Webhook[]>;
}
interface Connection {
  readonly nodes: Webhook[];
  readonly sources: { readonly state: 'OK' | 'FAILED'; readonly itemCount: number }[];
}

const builder = new SchemaBuilder<{ Context: Context }>({});

const HealthEnum = builder.enumType('WebhookHealth', {
  values: ['FAILING', 'UNKNOWN', 'IDLE', 'DISABLED', 'HEALTHY'] as const satisfies readonly (Health | 'UNKNOWN')[],
});
const StateEnum = builder.enumType('WebhookSourceState', { values: ['OK', 'FAILED'] as const });

const LastDelivery = builder.objectRef<{ at: string }>('WebhookLastDelivery').implement({
  fields: (t) => ({ at: t.exposeString('at') }),
});
const WebhookInterface = builder.interfaceRef<Webhook>('Webhook').implement({
  resolveType: (webhook) => webhook.__typename,
  fields: (t) => ({
    id: t.exposeID('id'),
    url: t.exposeString('url'),
    events: t.exposeStringList('events'),
    health: t.field({ type: HealthEnum, resolve: ({ health }) => health }),
    healthReason: t.exposeString('healthReason'),
    enabled: t.exposeBoolean('enabled', { nullable: true }),
    lastDelivery: t.field({
      type: LastDelivery,
      nullable: true,
      resolve: ({ lastDeliveryAt }) => (lastDeliveryAt === null ? null : { at: lastDeliveryAt }),
    }),
  }),
});
builder.objectRef<ApiMallWebhook>('ApiMallWebhook').implement({
  interfaces: [WebhookInterface],
  fields: (t) => ({
    apiKeyId: t.exposeInt('api_key_id', { nullable: true }),
    totalSent: t.exposeInt('total_sent', { nullable: true }),
    totalFailed: t.exposeInt('total_failed', { nullable: true }),
    lastSentAt: t.exposeString('last_sent_at', { nullable: true }),
    lastError: t.exposeString('last_error', { nullable: true }),
  }),
});
builder.objectRef<DiligentWebhook>('DiligentWebhook').implement({
  interfaces: [WebhookInterface],
  fields: (t) => ({
    isActive: t.exposeBoolean('is_active', { nullable: true }),
    hasSecret: t.exposeBoolean('has_secret', { nullable: true }),
    lastDeliveryAt: t.exposeString('last_delivery_at', { nullable: true }),
    lastDeliveryStatus: t.exposeInt('last_delivery_status', { nullable: true }),
  }),
});
const SourceReport = builder.objectRef<Connection['sources'][number]>('WebhookSourceReport').implement({
  fields: (t) => ({
    state: t.field({ type: StateEnum, resolve: ({ state }) => state }),
    itemCount: t.exposeInt('itemCount'),
  }),
});
const WebhookConnection = builder.objectRef<Connection>('WebhookConnection').implement({
  fields: (t) => ({
    nodes: t.field({ type: [WebhookInterface], resolve: ({ nodes }) => nodes }),
    complete: t.boolean({ resolve: ({ sources }) => sources.every(({ state }) => state === 'OK') }),
    sources: t.field({ type: [SourceReport], resolve: ({ sources }) => sources }),
  }),
});
builder.queryType({
  fields: (t) => ({
    webhooks: t.field({
      type: WebhookConnection,
      args: { first: t.arg.int({ defaultValue: 100 }) },
      resolve: async (_root, { first }, { lists }) => {
        const answers = await lists.loadMany(['apimall', 'diligent']);
        const sources = answers.map((rows) =>
          rows instanceof Error
            ? { state: 'FAILED' as const, itemCount: 0 }
            : { state: 'OK' as const, itemCount: rows.length },
        );
        const nodes = answers.flatMap((rows) => (rows instanceof Error ? [] : rows)).slice(0, first ?? 100);
        return { nodes, sources };
      },
    }),
  }),
});

const yoga = createYoga({
  schema: builder.toSchema(),
  context: (): Context => ({ lists: new DataLoader((sources) => Promise.all(sources.map(list))) }),
});
createServer(yoga).listen(environment.port, '127.0.0.1');
