import type { GraphQLResolveInfo } from 'graphql';
import { type Context, sourceOf } from '../context.ts';
import {
  createDeliveryMatcher,
  type DeliveryFilter,
  type FailureSummary,
  newestFirst,
  summarizeFailures,
} from '../delivery-log.ts';
import { createDeliveryPager } from '../delivery-page.ts';
import { SourceFailure } from '../errors.ts';
import { largestPage, type PageArguments } from '../page.ts';
import { lackOf } from '../source-reports.ts';
import type { Webhook } from '../webhook.ts';
import { builder } from './builder.ts';
import { leaveFailures, mayShow } from './partial-failure.ts';
import { type DeliveryConnection, WebhookDeliveryConnection } from './webhook-delivery-connection.ts';
import { WebhookDeliveryFilter } from './webhook-delivery-filter.ts';
import { WebhookFailureSummary } from './webhook-failure-summary.ts';

const args = builder.args((t) => ({
  first: t.int({ description: 'Size of the page, 1 to 1000; 100 if not given.' }),
  after: t.string({ description: 'Only what follows this cursor, which is what was tried earlier.' }),
  filter: t.field({ type: WebhookDeliveryFilter, description: 'Which deliveries to list.' }),
}));

/** What a call of its own costs. */
const logCost = 500;

type ObjectOf<W> = ReturnType<ReturnType<typeof builder.objectRef<W>>['implement']>;

/** Gives a provider's type of webhook the fields that its log of deliveries fills: for one whose operations have `deliveries`. */
export function addDeliveryLog<W extends Webhook>(type: ObjectOf<W>): void {
  builder.objectFields(type, (t) => ({
    deliveries: t.field({
      type: WebhookDeliveryConnection,
      description:
        'What the provider logged of its attempts to deliver, the latest first. This costs a call of its own for each webhook. If the log cannot be read, the answer says so: in `complete` and `sources` if one of them is selected, otherwise in `errors`.',
      args,
      complexity: ({ first }) => ({ field: logCost, multiplier: largestPage(first) }),
      extensions: { scope: 'webhooks:read', readsLog: true },
      resolve: (webhook, given, context, info) => listDeliveries(webhook, given, context, info),
    }),
    failureSummary: t.field({
      type: WebhookFailureSummary,
      description:
        'Why it fails, from the same log, and without a call more than `deliveries`. Null with an error if the log cannot be read.',
      complexity: { field: logCost, multiplier: 1 },
      extensions: { scope: 'webhooks:read', readsLog: true },
      resolve: (webhook, _args, context, info) => summarizeLog(webhook, context, info),
    }),
  }));
}

interface ListArguments extends Pick<PageArguments, 'first' | 'after'> {
  readonly filter?: DeliveryFilter | null | undefined;
}

async function listDeliveries(
  { source, externalId: webhookId }: Webhook,
  { filter, ...pageArguments }: ListArguments,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<DeliveryConnection | null> {
  // Everything that the caller can get wrong is checked before the call.
  const cut = createDeliveryPager(pageArguments, { source, webhookId });
  const report = await sourceOf({ source }, context).readDeliveries(webhookId);
  if (!mayShow([report], context, info)) return null;
  await context.turn.take();
  const all = newestFirst(report.rows);
  const matching = filter ? all.filter(createDeliveryMatcher(filter)) : all;
  return { page: cut(matching), matching, report };
}

/** A summary of nothing would be a lie, and it has no place to say that it lacks rows: its failures are errors. */
async function summarizeLog(webhook: Webhook, context: Context, info: GraphQLResolveInfo): Promise<FailureSummary> {
  const report = await sourceOf(webhook, context).readDeliveries(webhook.externalId);
  const lack = lackOf(report);
  if (lack && (lack.state === 'FAILED' || context.partialResults === 'null')) throw new SourceFailure(lack);
  if (lack) leaveFailures([lack], context, info);
  await context.turn.take();
  return summarizeFailures(report.rows);
}
