import type { Page } from '../page.ts';
import type { SourceReport } from '../request-source.ts';
import { healths, type Webhook } from '../webhook.ts';
import { builder } from './builder.ts';
import { describePage } from './page-info.ts';
import { WebhookHealth, WebhookInterface } from './webhook.ts';
import { WebhookSourceReport } from './webhook-source-report.ts';

/** One page of webhooks, and what is to be said of the whole list. */
export interface Connection {
  readonly page: Page;
  /** All rows that match, of the sources that answered, in no order. */
  readonly matching: readonly Webhook[];
  /** One for each source that was asked. */
  readonly reports: readonly SourceReport[];
}

/** The field that the list is the value of counts its rows already, which are more than its sources or verdicts. */
const onePerRow = { field: 1, multiplier: 1 };
/** To make a row takes as long as to read five fields of it. */
const fivePerRow = { field: 5, multiplier: 1 };

const WebhookEdge = builder.objectRef<{ node: Webhook; cursor: string }>('WebhookEdge').implement({
  description: 'A webhook and its place in a list.',
  fields: (t) => ({
    node: t.expose('node', { type: WebhookInterface, nullable: false, description: 'The webhook.' }),
    cursor: t.exposeString('cursor', {
      nullable: false,
      description: 'Opaque: pass it as `after` or `before`, with the same `orderBy`.',
    }),
  }),
});

const WebhookHealthCount = builder
  .objectRef<Pick<Webhook, 'health'> & { count: number }>('WebhookHealthCount')
  .implement({
    description: 'How many webhooks have a verdict.',
    fields: (t) => ({
      health: t.expose('health', { type: WebhookHealth, nullable: false, description: 'The verdict.' }),
      count: t.exposeInt('count', { nullable: false, description: 'How many have it.' }),
    }),
  });

export const WebhookConnection = builder.objectRef<Connection>('WebhookConnection').implement({
  description:
    'A page of webhooks. Select `complete` or `sources` to learn of a source that failed as data; if neither is selected, it is in `errors`.',
  fields: (t) => ({
    edges: t.field({
      type: [WebhookEdge],
      nullable: false,
      complexity: fivePerRow,
      description: 'The page, each webhook with its cursor.',
      resolve: ({ page }) => page.rows.map((node) => ({ node, cursor: page.cursor(node) })),
    }),
    nodes: t.field({
      type: [WebhookInterface],
      nullable: false,
      complexity: fivePerRow,
      description: 'The page, without cursors.',
      resolve: ({ page }) => page.rows,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      nullable: false,
      description: 'Where the page stands in the list.',
      resolve: ({ page }) => describePage(page),
    }),
    totalCount: t.int({
      nullable: false,
      description: 'How many webhooks match, on all pages, of the sources that answered.',
      resolve: ({ matching }) => matching.length,
    }),
    healthCounts: t.field({
      type: [WebhookHealthCount],
      nullable: false,
      complexity: onePerRow,
      description: 'The same webhooks as in `totalCount`, by verdict: every verdict once, worst first.',
      resolve: ({ matching }) =>
        healths.map((health) => ({ health, count: matching.filter((row) => row.health === health).length })),
    }),
    complete: t.boolean({
      nullable: false,
      description: 'Whether every source that was asked answered whole, for this page.',
      resolve: ({ reports }) => reports.every(({ state }) => state === 'OK'),
    }),
    sources: t.field({
      type: [WebhookSourceReport],
      nullable: false,
      complexity: onePerRow,
      description: 'How each source that was asked contributed to this page.',
      resolve: ({ reports }) => reports,
    }),
  }),
});
