import type { Delivery } from '../delivery.ts';
import type { Page } from '../page.ts';
import type { SourceReport } from '../request-source.ts';
import { builder } from './builder.ts';
import { describePage } from './page-info.ts';
import { WebhookDelivery } from './webhook-delivery.ts';
import { WebhookSourceReport } from './webhook-source-report.ts';

/** One page of a log, and what is to be said of the whole of it. */
export interface DeliveryConnection {
  readonly page: Page<Delivery>;
  /** All that match, the latest first. */
  readonly matching: readonly Delivery[];
  readonly report: SourceReport<Delivery>;
}

/** The field that the log is the value of counts its rows already. */
const onePerRow = { field: 1, multiplier: 1 };
/** To make a row takes as long as to read five fields of it. */
const fivePerRow = { field: 5, multiplier: 1 };

const WebhookDeliveryEdge = builder.objectRef<{ node: Delivery; cursor: string }>('WebhookDeliveryEdge').implement({
  description: 'A delivery and its place in a log.',
  fields: (t) => ({
    node: t.expose('node', { type: WebhookDelivery, nullable: false, description: 'The delivery.' }),
    cursor: t.exposeString('cursor', {
      nullable: false,
      description: 'Opaque: pass it as `after`, for the same webhook.',
    }),
  }),
});

export const WebhookDeliveryConnection = builder.objectRef<DeliveryConnection>('WebhookDeliveryConnection').implement({
  description:
    'A page of the deliveries of a webhook. Select `complete` or `sources` to learn as data that the log could not be read; if neither is selected, it is in `errors`.',
  fields: (t) => ({
    edges: t.field({
      type: [WebhookDeliveryEdge],
      nullable: false,
      complexity: fivePerRow,
      description: 'The page, each delivery with its cursor.',
      resolve: ({ page }) => page.rows.map((node) => ({ node, cursor: page.cursor(node) })),
    }),
    nodes: t.field({
      type: [WebhookDelivery],
      nullable: false,
      complexity: fivePerRow,
      description: 'The page, without cursors.',
      resolve: ({ page }) => page.rows,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      nullable: false,
      description: 'Where the page stands in the log.',
      resolve: ({ page }) => describePage(page),
    }),
    totalCount: t.int({
      nullable: false,
      description: 'How many deliveries match, on all pages, of those that the provider still shows.',
      resolve: ({ matching }) => matching.length,
    }),
    complete: t.boolean({
      nullable: false,
      description: 'Whether the log could be read, and all of it. How far back it reaches, providers do not say.',
      resolve: ({ report }) => report.state === 'OK',
    }),
    sources: t.field({
      type: [WebhookSourceReport],
      nullable: false,
      complexity: onePerRow,
      description: 'How reading the log went: one report, of the source that the webhook belongs to.',
      resolve: ({ report }) => [report],
    }),
  }),
});
