import { headersOf } from './headers.ts';

/** Whether an answer comes in pieces, as one to `@defer` or `@stream` does. */
export function isInPieces({ headers }: Response): boolean {
  return /^(multipart\/mixed|text\/event-stream)\b/.test(headers.get('content-type') ?? '');
}

/** What Yoga says of these and we know better: how the connection goes on, and that nothing is kept. */
const notYogas = ['connection', 'transfer-encoding', 'content-encoding', 'cache-control'];

/** The headers of such an answer. Proxies are told not to wait for the whole. */
export function headersOfPieces(answer: Response): Record<string, string> {
  const kept = Object.entries(headersOf(answer)).filter(([name]) => !notYogas.includes(name));
  return { ...Object.fromEntries(kept), 'x-accel-buffering': 'no' };
}
