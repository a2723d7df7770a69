import type { RequestListener } from 'node:http';
import type { ReadyAnswer } from '../../src/answers.ts';
import { createRecord } from '../../src/request.ts';
import type { Graph } from './graph.ts';

/** How one request was answered. */
export interface Asked {
  readonly text: string;
  /** The very bytes that went out; null where the request went the ordinary way. */
  readonly bytes: Buffer | null;
  readonly type: string | null | undefined;
  /** Codes of the errors in the answer, as the log tells of them. */
  readonly codes: readonly string[];
}

interface AskOptions {
  readonly variables?: object;
  readonly extensions?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Asks as the front door does: what came before is answered without being read again. */
export async function askAgain(
  { gateway }: Graph,
  query: string | undefined,
  { variables, extensions, headers = {}, signal = new AbortController().signal }: AskOptions = {},
): Promise<Asked> {
  const body = JSON.stringify({ query, variables, extensions });
  const all = { 'content-type': 'application/json', accept: 'application/json', ...headers };
  const url = 'http://graph.test/graphql';
  const record = createRecord();
  const sent: ReadyAnswer[] = [];
  const isKnown = await gateway.answer({ method: 'POST', url, headers: all, body, signal, record }, (answer) => {
    sent.push(answer);
  });
  if (!signal.aborted && isKnown !== (sent.length === 1))
    throw new Error(`Sent ${sent.length} answers, and said ${isKnown}.`);
  const [known] = sent;
  if (known) {
    const type = known.headers['content-type'];
    return { text: known.body.toString(), bytes: known.body, type, codes: [...record.errors] };
  }
  const response = await gateway.fetch(url, { method: 'POST', headers: all, body, signal }, { record });
  const type = response.headers.get('content-type');
  return { text: await response.text(), bytes: null, type, codes: [...record.errors] };
}

/** Asks so often that an answer is kept, if it ever is, and returns how the last one was answered. */
export async function askOften(
  graph: Graph,
  query: string | undefined,
  options?: Parameters<typeof askAgain>[2],
): Promise<Asked> {
  for (let times = 0; times < 6; times++) await askAgain(graph, query, options);
  return askAgain(graph, query, options);
}

/** An upstream whose answer is what was said last, byte for byte. */
export function createSpeaker(first: string | Buffer) {
  const speaker = { body: first, status: 200 };
  const listener: RequestListener = (_request, response) => {
    response.writeHead(speaker.status, { 'content-type': 'application/json' });
    response.end(speaker.body);
  };
  return { speaker, listener };
}
