import { type ExecutionResult, mergeIncrementalResult } from '@graphql-tools/utils';

/** What comes at once of an answer in pieces, as JSON brings it. */
export type Payload = ExecutionResult & { readonly hasNext?: boolean };

/** The payloads of a body of `multipart/mixed`, in the order in which they came. */
export function readPayloads(body: string): Payload[] {
  return body.match(/^\{.*\}$/gm)?.map((line) => JSON.parse(line)) ?? [];
}

/** An answer as a client sees it in the end, whether it came in pieces or whole. */
export function readAnswer(body: string): ExecutionResult {
  const [first, ...rest] = readPayloads(body);
  if (!first) throw new Error(`This is no answer: ${body.slice(0, 200)}`);
  for (const incrementalResult of rest) mergeIncrementalResult({ executionResult: first, incrementalResult });
  return first;
}
