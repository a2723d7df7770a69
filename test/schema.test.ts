import { readFileSync } from 'node:fs';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { expect, test } from 'vitest';
import { schema } from '../src/schema/index.ts';
import { printed } from '../src/schema/kit.ts';

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);
/** What federation asks every subgraph to have. */
const ofFederation = ['_Any', '_Entity', '_Service'];

const webhookTypes = types
  .filter((type) => isObjectType(type))
  .filter((type) => type.getInterfaces().some(({ name }) => name === 'Webhook'));

test.each(Object.entries(printed))('%s is what is served (else run: npm run schema)', (path, text) => {
  const file = new URL(path, new URL('../src/schema/', import.meta.url));
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('describes every type, field, argument and enum value', () => {
  expect(types.flatMap(parts).filter(([, description]) => !description)).toEqual([]);
});

test('names everything of ours after webhooks or after a provider', () => {
  const standard = ['Query', 'Mutation', 'Node', 'PageInfo', 'DateTime', 'SafeInt', ...ofFederation];
  const prefixes = ['Webhook', ...webhookTypes.map(({ name }) => name.replace(/Webhook$/, ''))];
  const ours = types.map(({ name }) => name).filter((name) => !standard.includes(name));
  expect(ours.filter((name) => !prefixes.some((prefix) => name.startsWith(prefix)))).toEqual([]);
});

test('gives a field name that two types of webhook share the same type in both', () => {
  const seen = new Map<string, string>();
  for (const field of webhookTypes.flatMap((type) => Object.values(type.getFields()))) {
    expect(seen.get(field.name) ?? String(field.type), field.name).toBe(String(field.type));
    seen.set(field.name, String(field.type));
  }
});

test.each([
  ['Query.webhooks', 'WebhookConnection'],
  ['Query.webhook', 'Webhook'],
  ['Query.webhookSources', '[WebhookSource!]'],
  ['Query.node', 'Node'],
  ['Query.nodes', '[Node]'],
  ['Mutation.createApiMallWebhook', 'ApiMallWebhookCreatePayload'],
  ['Mutation.createDiligentWebhook', 'DiligentWebhookCreatePayload'],
  ['Mutation.updateDiligentWebhook', 'DiligentWebhookUpdatePayload'],
  ['Mutation.deleteWebhook', 'WebhookDeletePayload'],
  ['Mutation.redeliverWebhookDelivery', 'WebhookDeliveryRedeliverPayload'],
  ['ApiMallWebhookCreatePayload.webhook', 'ApiMallWebhook'],
  ['DiligentWebhookCreatePayload.webhook', 'DiligentWebhook'],
  ['DiligentWebhookUpdatePayload.webhook', 'DiligentWebhook'],
  ['WebhookDeletePayload.deletedId', 'ID'],
  ['WebhookDeletePayload.webhook', 'Webhook'],
  ['WebhookDeletePayload.userErrors', '[WebhookUserError!]!'],
  ['WebhookDeletePayload.warnings', '[WebhookWarning!]!'],
  ['WebhookDeletePayload.report', 'WebhookSourceReport'],
  ['WebhookDeliveryRedeliverPayload.webhook', 'Webhook'],
  ['WebhookUserError.field', '[String!]'],
  ['WebhookUserError.message', 'String!'],
  ['WebhookUserError.code', 'WebhookUserErrorCode!'],
  ['WebhookWarning.code', 'WebhookWarningCode!'],
  ['Webhook.id', 'ID!'],
  ['Webhook.provider', 'WebhookProvider!'],
  ['Webhook.source', 'WebhookSource!'],
  ['Webhook.externalId', 'String!'],
  ['Webhook.url', 'String!'],
  ['Webhook.host', 'String'],
  ['Webhook.events', '[String!]!'],
  ['Webhook.status', 'String'],
  ['Webhook.enabled', 'Boolean'],
  ['Webhook.health', 'WebhookHealth!'],
  ['Webhook.healthReason', 'String!'],
  ['Webhook.lastDelivery', 'WebhookLastDelivery'],
  ['Webhook.secretConfigured', 'Boolean'],
  ['Webhook.createdAt', 'DateTime'],
  ['Webhook.updatedAt', 'DateTime'],
  ['ApiMallWebhook.apiKeyId', 'SafeInt'],
  ['ApiMallWebhook.totalSent', 'SafeInt'],
  ['ApiMallWebhook.totalFailed', 'SafeInt'],
  ['ApiMallWebhook.successRate', 'Float'],
  ['ApiMallWebhook.lastSentAt', 'DateTime'],
  ['ApiMallWebhook.lastError', 'String'],
  ['DiligentWebhook.isActive', 'Boolean'],
  ['DiligentWebhook.hasSecret', 'Boolean'],
  ['DiligentWebhook.lastDeliveryAt', 'DateTime'],
  ['DiligentWebhook.lastDeliveryStatus', 'Int'],
  ['DiligentWebhook.deliveries', 'WebhookDeliveryConnection'],
  ['DiligentWebhook.failureSummary', 'WebhookFailureSummary'],
  ['WebhookDeliveryConnection.edges', '[WebhookDeliveryEdge!]!'],
  ['WebhookDeliveryConnection.nodes', '[WebhookDelivery!]!'],
  ['WebhookDeliveryConnection.pageInfo', 'PageInfo!'],
  ['WebhookDeliveryConnection.totalCount', 'Int!'],
  ['WebhookDeliveryConnection.complete', 'Boolean!'],
  ['WebhookDeliveryConnection.sources', '[WebhookSourceReport!]!'],
  ['WebhookDelivery.id', 'ID!'],
  ['WebhookDelivery.externalId', 'String!'],
  ['WebhookDelivery.event', 'String'],
  ['WebhookDelivery.at', 'DateTime'],
  ['WebhookDelivery.httpStatus', 'Int'],
  ['WebhookDelivery.statusClass', 'WebhookDeliveryStatusClass!'],
  ['WebhookDelivery.succeeded', 'Boolean'],
  ['WebhookDelivery.request', 'WebhookDeliveryMessage'],
  ['WebhookDelivery.response', 'WebhookDeliveryMessage'],
  ['WebhookDeliveryMessage.headers', '[WebhookDeliveryHeader!]!'],
  ['WebhookDeliveryMessage.body', 'String'],
  ['WebhookDeliveryMessage.truncated', 'Boolean!'],
  ['WebhookFailureSummary.attempts', 'Int!'],
  ['WebhookFailureSummary.consecutiveFailures', 'Int!'],
  ['WebhookFailureSummary.firstFailedAt', 'DateTime'],
  ['WebhookFailureSummary.reachesBeyondLog', 'Boolean!'],
  ['WebhookFailureSummary.lastSucceededAt', 'DateTime'],
  ['WebhookFailureSummary.lastFailedAt', 'DateTime'],
  ['WebhookFailureSummary.statusClasses', '[WebhookDeliveryStatusClassCount!]!'],
  ['WebhookConnection.edges', '[WebhookEdge!]!'],
  ['WebhookConnection.nodes', '[Webhook!]!'],
  ['WebhookConnection.pageInfo', 'PageInfo!'],
  ['WebhookConnection.totalCount', 'Int!'],
  ['WebhookConnection.healthCounts', '[WebhookHealthCount!]!'],
  ['WebhookConnection.complete', 'Boolean!'],
  ['WebhookConnection.sources', '[WebhookSourceReport!]!'],
  ['WebhookSourceReport.source', 'WebhookSource!'],
  ['WebhookSourceReport.state', 'WebhookSourceState!'],
  ['WebhookSourceReport.error', 'WebhookSourceError'],
  ['WebhookSourceReport.itemCount', 'Int!'],
  ['WebhookSourceReport.rejectedCount', 'Int!'],
  ['WebhookSourceReport.fetchedAt', 'DateTime'],
  ['WebhookSourceReport.durationMs', 'Float'],
  ['WebhookSource.key', 'String!'],
  ['WebhookSource.name', 'String!'],
  ['WebhookSource.capabilities', '[WebhookSourceCapability!]!'],
  ['WebhookSource.webhooks', 'WebhookConnection'],
])('promises clients %s: %s', (coordinate, type) => {
  const [typeName = '', fieldName = ''] = coordinate.split('.');
  const parent = schema.getType(typeName);
  const fields = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields() : {};
  expect(String(fields[fieldName]?.type)).toBe(type);
});

test.each([
  ['WebhookHealth', 'FAILING UNKNOWN IDLE DISABLED HEALTHY'],
  ['WebhookSourceState', 'OK PARTIAL FAILED'],
  ['WebhookDeliveryStatusClass', 'INFORMATIONAL SUCCESSFUL REDIRECTION CLIENT_ERROR SERVER_ERROR UNKNOWN'],
  ['WebhookSourceCapability', 'LIST CREATE UPDATE DELETE DELIVERIES REDELIVER'],
  ['WebhookOrderField', 'URL LAST_DELIVERY_AT CREATED_AT HEALTH PROVIDER'],
  ['WebhookOrderDirection', 'ASC DESC'],
  [
    'WebhookUserErrorCode',
    'INVALID NOT_FOUND UNSUPPORTED_BY_PROVIDER WRITES_DISABLED LIMIT_REACHED UNAUTHORIZED FORBIDDEN RATE_LIMITED SOURCE_FAILED OUTCOME_UNKNOWN',
  ],
  ['WebhookWarningCode', 'UNKNOWN_EVENT NO_EVENTS NOT_IDENTIFIED'],
  [
    'WebhookSourceErrorCode',
    'NOT_CONFIGURED BAD_CREDENTIAL UNAUTHORIZED FORBIDDEN NOT_FOUND RATE_LIMITED TIMEOUT UNREACHABLE UPSTREAM_ERROR BAD_RESPONSE TOO_LARGE CIRCUIT_OPEN OVERLOADED',
  ],
])('has the values of the enum %s', (name, values) => {
  const type = schema.getType(name);
  expect(isEnumType(type) && type.getValues().map((value) => value.name)).toEqual(values.split(' '));
});

test('gives both list fields the same arguments', () => {
  const [onQuery, onSource] = [schema.getQueryType(), schema.getType('WebhookSource')].map(
    (type) =>
      isObjectType(type) &&
      type
        .getFields()
        .webhooks?.args.map((arg) => `${arg.name}: ${arg.type}`)
        .sort(),
  );
  expect(onQuery).toEqual(onSource);
  expect(onQuery).toEqual([
    'after: String',
    'before: String',
    'filter: WebhookFilter',
    'first: Int',
    'last: Int',
    'orderBy: WebhookOrder',
  ]);
});

function parts(type: GraphQLNamedType): (readonly [string, string | null | undefined])[] {
  const own = [type.name, type.description] as const;
  if (isEnumType(type))
    return [own, ...type.getValues().map((value) => [`${type.name}.${value.name}`, value.description] as const)];
  if (isInputObjectType(type)) {
    return [
      own,
      ...Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field.description] as const),
    ];
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return [own];
  const fields = Object.values(type.getFields()).flatMap((field) => [
    [`${type.name}.${field.name}`, field.description] as const,
    ...field.args.map((arg) => [`${type.name}.${field.name}(${arg.name})`, arg.description] as const),
  ]);
  return [own, ...fields];
}
