import type { GraphQLResolveInfo } from 'graphql';
import { type Context, sourceOf } from '../context.ts';
import { InputError, quote } from '../errors.ts';
import { asks, createMatcher, type Filter } from '../filter.ts';
import { readLists } from '../open-source.ts';
import type { Order } from '../order.ts';
import { createPager, largestPage, type PageArguments } from '../page.ts';
import type { RequestSource } from '../request-source.ts';
import type { Webhook } from '../webhook.ts';
import { builder } from './builder.ts';
import { mayShow } from './partial-failure.ts';
import { type Connection, WebhookConnection } from './webhook-connection.ts';
import { WebhookFilter } from './webhook-filter.ts';
import { WebhookOrder } from './webhook-order.ts';
import { WebhookSource } from './webhook-source.ts';

const args = builder.args((t) => ({
  first: t.int({
    description: 'Size of a page from the start of the list, 1 to 1000; 100 if neither this nor `last` is given.',
  }),
  after: t.string({ description: 'Only what follows this cursor.' }),
  last: t.int({ description: 'Size of a page from the end of the list, 1 to 1000. Not together with `first`.' }),
  before: t.string({ description: 'Only what precedes this cursor.' }),
  filter: t.field({
    type: WebhookFilter,
    description: 'Which webhooks to list. Its `provider` and `source` decide who is asked.',
  }),
  orderBy: t.field({ type: WebhookOrder, description: 'The order of the list, by URL if not given.' }),
}));

/** What it costs to filter and to order a whole list, however small the page. */
const listCost = 250;

/** A list costs that, and what is selected of a row, times the rows that a page may have. */
function cost({ first, last }: PageArguments) {
  return { field: listCost, multiplier: largestPage(first ?? last) };
}

builder.queryField('webhooks', (t) =>
  t.field({
    type: WebhookConnection,
    description:
      'The webhooks of all sources as one list. A source that fails costs its own rows only, and the answer says so: in `complete` and `sources` if one of them is selected, otherwise in `errors`.',
    args,
    complexity: cost,
    resolve: (_root, given, context, info) => listWebhooks([...context.sources.values()], given, context, info),
  }),
);

builder.objectField(WebhookSource, 'webhooks', (t) =>
  t.field({
    type: WebhookConnection,
    description: 'The webhooks of this source, as on `Query`.',
    args,
    complexity: cost,
    extensions: { scope: 'webhooks:read' },
    resolve: (source, given, context, info) => listWebhooks([source], given, context, info),
  }),
);

interface ListArguments extends PageArguments {
  readonly filter?: Filter | null | undefined;
  readonly orderBy?: { readonly [Member in keyof Order]?: Order[Member] | null | undefined } | null | undefined;
}

/** Asks the sources that the filter leaves, all at once, and merges what they answer. Never waits beyond their deadlines. */
async function listWebhooks(
  sources: readonly RequestSource[],
  { filter, orderBy, ...pageArguments }: ListArguments,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<Connection | null> {
  // Everything that the caller can get wrong is checked before the first call.
  const wanted = filter ?? {};
  checkSources(wanted, context);
  const order: Order = { field: orderBy?.field ?? 'URL', direction: orderBy?.direction ?? 'ASC' };
  const cut = createPager(pageArguments, order, (source) => sourceOf({ source }, context).provider.enumValue);

  const asked = sources.filter(({ key, provider }) => asks(wanted, { key, provider: provider.enumValue }));
  const reports = await readLists(asked, context);
  const rows = ([] as Webhook[]).concat(...reports.map((report) => report.rows));
  const matching = filter ? rows.filter(createMatcher(wanted)) : rows;

  if (!mayShow(reports, context, info)) return null;
  return { page: cut(matching), matching, reports };
}

/** A filter that names nobody who is served here would make an empty list look whole. */
function checkSources({ source, provider }: Filter, { sources }: Context): void {
  const unknown = source?.find((key) => !sources.has(key));
  if (unknown !== undefined) {
    throw new InputError(`filter.source: no source ${quote(unknown)} here. There are: ${keysOf(sources)}.`);
  }
  if (!provider || provider.length === 0) return;
  const served = new Set([...sources.values()].map((it) => it.provider.enumValue));
  if (!provider.some((name) => served.has(name))) {
    throw new InputError(
      `filter.provider: no source of ${[...new Set(provider)].join(', ')} here. There are: ${keysOf(sources)}.`,
    );
  }
}

function keysOf(sources: Context['sources']): string {
  return [...sources.keys()].join(', ');
}
