import type { IncomingMessage, RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Graph, GraphError } from './graph.ts';
import { json } from './upstream.ts';

/** All that payloads have in common, but what is new each time. */
export const outcome =
  'userErrors { field message code } warnings { field message code } report { source { key } state error { code retryable httpStatus providerCode providerRequestId } }';

const inputs = {
  createApiMallWebhook: 'ApiMallWebhookCreateInput',
  createDiligentWebhook: 'DiligentWebhookCreateInput',
  updateDiligentWebhook: 'DiligentWebhookUpdateInput',
  deleteWebhook: 'WebhookDeleteInput',
  redeliverWebhookDelivery: 'WebhookDeliveryRedeliverInput',
} as const;

export type ChangeField = keyof typeof inputs;

/** A mutation of one field, whose input is the variable `input`. */
export function mutationOf(field: ChangeField, selection = 'webhook { id }'): string {
  return `mutation Change($input: ${inputs[field]}!) { ${field}(input: $input) { ${outcome} ${selection} } }`;
}

/** What became of a change. */
export interface Changed {
  // biome-ignore lint/suspicious/noExplicitAny: a payload has the shape of its selection
  readonly payload: any;
  /** The codes of the payload's errors. */
  readonly codes: readonly string[];
  readonly errors: readonly GraphError[] | undefined;
}

/** Makes one change. */
export async function change(
  graph: Pick<Graph, 'answer'>,
  field: ChangeField,
  input: object,
  selection?: string,
  headers?: Record<string, string>,
): Promise<Changed> {
  const { data, errors } = await graph.answer(mutationOf(field, selection), { input }, headers);
  const payload = data?.[field];
  return { payload, codes: payload?.userErrors.map(({ code }: { code: string }) => code) ?? [], errors };
}

/** A request that changes something, with its body. */
export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** undefined where there is no body. */
  readonly body: unknown;
}

/** An API whose reads and writes are answered apart. */
export interface Api {
  readonly listener: RequestListener;
  /** The writes that came, whole. */
  readonly sent: readonly Sent[];
  /** Answers reads from now on. */
  lists(listener: RequestListener): void;
  /** Answers writes from now on. */
  writes(listener: RequestListener): void;
}

/** Opens an API that reads and writes are answered by these. */
export function createApi(reads: RequestListener, change: RequestListener = json({}, 500)): Api {
  const sent: Sent[] = [];
  const answer = { reads, change };
  return {
    async listener(request, response) {
      const { method = '', url = '', headers } = request;
      if (method === 'GET') return answer.reads(request, response);
      const body = await text(request).catch(() => '');
      sent.push({ method, path: url, headers, body: body === '' ? undefined : JSON.parse(body) });
      return answer.change(request, response);
    },
    sent,
    lists(listener) {
      answer.reads = listener;
    },
    writes(listener) {
      answer.change = listener;
    },
  };
}
