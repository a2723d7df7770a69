import { BREAK, type DocumentNode, getOperationAST, OperationTypeNode, visit } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { notAcceptableError } from './errors.ts';

const inPieces = ['multipart/mixed', 'text/event-stream'];
const inOne = ['application/graphql-response+json', 'application/json'];

/**
 * Refuses a mutation whose answer its client would not take, before any of it is run: Yoga finds out when all is done, and
 * says 406, after which nobody would take it for done.
 */
export function useAcceptance(): Plugin<Context> {
  return {
    onExecute({ args: { document, operationName, contextValue }, setResultAndStopExecution }) {
      if (getOperationAST(document, operationName)?.operation !== OperationTypeNode.MUTATION) return;
      const types = comesInPieces(document) ? inPieces : [...inPieces, ...inOne];
      if (!takes(contextValue.request.headers.get('accept'), types)) {
        setResultAndStopExecution({ errors: [notAcceptableError()] });
      }
    },
  };
}

/** Whether an answer may be sent in pieces; it counts as if it were where `if` says otherwise. */
function comesInPieces(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive({ name }) {
      if (name.value !== 'defer' && name.value !== 'stream') return undefined;
      found = true;
      return BREAK;
    },
  });
  return found;
}

/** Whether `Accept` names one of these types (RFC 9110, 12.5.1), as Yoga reads it: without weights, and in UTF-8 only. */
function takes(accept: string | null, types: readonly string[]): boolean {
  const ranges = (accept || '*/*').replace(/\s/g, '').toLowerCase().split(',');
  return ranges.some((range) => {
    const [type = '', ...parameters] = range.split(';');
    const charset = parameters.find((parameter) => parameter.includes('charset='));
    if (charset !== undefined && charset !== 'charset=utf-8') return false;
    const [main, sub] = type.split('/');
    return types.some((own) => {
      const [ownMain, ownSub] = own.split('/');
      return (main === '*' || main === ownMain) && (sub === '*' || sub === ownSub);
    });
  });
}
