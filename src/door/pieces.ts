/** Whether an answer comes in pieces, as one to `@defer` or `@stream` does. */
export function isInPieces({ headers }: Response): boolean {
  return /^(multipart\/mixed|text\/event-stream)\b/.test(headers.get('content-type') ?? '');
}

/** The headers of such an answer: how the connection goes on is for node:http to say, and proxies must not wait for the whole. */
export function headersOfPieces({ headers }: Response): Record<string, string> {
  const own = [...headers].map(([name, value]) => [name.toLowerCase(), value] as const);
  const kept = own.filter(([name]) => name !== 'connection' && name !== 'transfer-encoding');
  return { ...Object.fromEntries(kept), 'x-accel-buffering': 'no' };
}
