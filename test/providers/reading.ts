import type { RequestListener } from 'node:http';
import { type Answer, type GraphOptions, openGraph } from '../support/graph.ts';
import type { Call } from '../support/upstream.ts';
import { everyField, logTypes } from './every-field.ts';

/** What a client sees of one source's list, with every field that there is of a list. */
export interface Reading {
  readonly rows: readonly Answer['data'][];
  /** The source's `WebhookSourceReport`. */
  readonly report: Answer['data'];
  /** The whole answer as JSON, to look for what must not be in it. */
  readonly text: string;
  readonly calls: readonly Call[];
}

const document = `{
  webhooks(first: 1000) {
    nodes ${everyField('Webhook', 'WebhookConnection', ...logTypes)}
    sources ${everyField('WebhookSourceReport', 'WebhookSource')}
  }
}`;

/** Reads the list of `source` through the graph while its upstream answers as `listener` does. Throws where there are errors. */
export async function readList(
  source: string,
  listener: RequestListener | 'sandbox',
  options?: GraphOptions,
): Promise<Reading> {
  await using graph = await openGraph({ [source]: listener }, options);
  const { webhooks } = await graph.query(document);
  return {
    rows: webhooks.nodes,
    report: webhooks.sources[0],
    text: JSON.stringify(webhooks),
    calls: graph.calls(source),
  };
}

/** One sentence for people: no line breaks, no times that pass. */
export const sentence = /^[A-Z](?!.*\b(ago|now|today|yesterday|(second|minute|hour|day)s?)\b).*\.$/;
