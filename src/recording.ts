import { hash } from 'node:crypto';
import { type DocumentNode, getOperationAST } from 'graphql';
import { isAsyncIterable, mapAsyncIterator, type Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import type { Operation, RequestRecord } from './request.ts';

const longestName = 64;

/** Fills in the record of a request what Yoga does for it: what is asked, in which steps, and with which errors. */
export function useRecording(): Plugin<Context> {
  const hashes = new WeakMap<DocumentNode, string>();

  function describe(document: DocumentNode, text: string, wanted: string | undefined): Operation {
    const known = hashes.get(document) ?? hashDocument(text);
    hashes.set(document, known);
    const operation = getOperationAST(document, wanted);
    return {
      name: operation?.name?.value.slice(0, longestName) ?? null,
      type: operation?.operation ?? null,
      hash: known,
    };
  }

  return {
    onParse({ context, params: { source } }) {
      const { record } = context;
      // A test may ask without a front door.
      if (!record) return undefined;
      const span = record.span?.begin('graphql.parse');
      return ({ result }) => {
        const isDocument = result !== null && 'kind' in result;
        if (isDocument) record.operation = describe(result, String(source), context.params.operationName ?? undefined);
        span?.end(isDocument ? null : 'GRAPHQL_PARSE_FAILED');
      };
    },
    onValidate({ context: { record } }) {
      const span = record?.span?.begin('graphql.validate');
      return span && (({ valid }) => span.end(valid ? null : 'GRAPHQL_VALIDATION_FAILED'));
    },
    onExecute({ args: { contextValue } }) {
      const { record } = contextValue;
      const outer = record.span;
      if (!outer) return undefined;
      const span = outer.begin('graphql.execute', attributesOf(record.operation));
      outer.set(attributesOf(record.operation));
      record.span = span;
      return {
        onExecuteDone({ result }) {
          if (!isAsyncIterable(result)) return span.end();
          return { onEnd: () => span.end() };
        },
      };
    },
    onResultProcess({ result, setResult, serverContext }) {
      const { record } = serverContext as { record?: RequestRecord };
      if (!record) return;
      if (!isAsyncIterable(result)) return noteErrors(record, result);
      const pieces = mapAsyncIterator(result, (piece) => {
        noteErrors(record, piece);
        return piece;
      });
      setResult(pieces);
    },
  };
}

/** Notes on a record what is asked, where nothing is read again to find out. */
export function noteOperation(record: RequestRecord, operation: Operation | null): void {
  record.operation = operation;
  record.span?.set(attributesOf(operation));
}

/** The first 16 hex digits of the SHA-256 of a document's text. */
export function hashDocument(text: string): string {
  // Not a slice of the text of all digits, which V8 would write to the log on a slower path.
  return hash('sha256', text, 'buffer').toString('hex', 0, 8);
}

interface WithErrors {
  readonly errors?: readonly { readonly extensions?: { readonly code?: unknown } }[];
  readonly incremental?: readonly WithErrors[];
}

/** Notes on a record the codes of all errors in its answer, or in a piece of that. */
export function noteErrors(record: RequestRecord, result: unknown): void {
  const { errors = [], incremental = [] } = Object(result) as WithErrors;
  for (const { extensions } of errors) record.errors.add(String(extensions?.code));
  for (const piece of incremental) noteErrors(record, piece);
}

function attributesOf(operation: Operation | null): Record<string, string> {
  return {
    ...(operation?.name && { 'graphql.operation.name': operation.name }),
    ...(operation?.type && { 'graphql.operation.type': operation.type }),
  };
}
