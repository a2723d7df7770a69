import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** What a sandbox answers: without `body`, which is what JSON can spell, the answer has none. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

/** What a caller sent as the body of its request. */
export type SentBody = { readonly json: unknown } | 'not JSON' | 'too large';

/** Bytes. No provider documents a limit; a webhook needs a hundredth of it. */
const largestBody = 65_536;

/** Serves what `answer` makes of each request. It must not reject: nobody answers in its place. */
export function listenWith(answer: (request: IncomingMessage) => Promise<Reply>): RequestListener {
  return (request, response) => {
    void answer(request).then((reply) => send(response, reply));
  };
}

/** The parts of a request's path below `base`, decoded; null where it lies elsewhere or cannot be decoded. */
export function readPath(request: IncomingMessage, base: string): readonly string[] | null {
  const [path = ''] = (request.url ?? '').split('?', 1);
  if (!path.startsWith(`${base}/`)) return null;
  try {
    return path
      .slice(base.length + 1)
      .split('/')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
}

/** Reads the whole body of a request, and never rejects: of a caller that left half of it, it is no JSON. */
export async function readSentBody(request: IncomingMessage): Promise<SentBody> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      // The rest is read all the same, and dropped: who is still sending sees no answer.
      if (size <= largestBody) chunks.push(chunk);
    }
    return size > largestBody ? 'too large' : { json: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch {
    return 'not JSON';
  }
}

/** Whether a value of JSON has members by name. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.statusCode = status;
  if (body === undefined) return void response.end();
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}
