import { getOperationAST, OperationTypeNode } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { forbiddenError } from './errors.ts';
import { isAllowed, type Scope } from './request.ts';

const scopeOf: Readonly<Record<OperationTypeNode, Scope>> = {
  [OperationTypeNode.QUERY]: 'webhooks:read',
  [OperationTypeNode.MUTATION]: 'webhooks:write',
  [OperationTypeNode.SUBSCRIPTION]: 'webhooks:read',
};

type Start =
  | Parameters<NonNullable<Plugin<Context>['onExecute']>>[0]
  | Parameters<NonNullable<Plugin<Context>['onSubscribe']>>[0];

/** Refuses an operation whose caller has no scope for it, before any of it is run. */
export function useScopes(): Plugin<Context> {
  return { onExecute: check, onSubscribe: check };
}

function check({ args, setResultAndStopExecution }: Start): void {
  const operation = getOperationAST(args.document, args.operationName);
  if (!operation) return;
  const scope = scopeOf[operation.operation];
  if (!isAllowed(args.contextValue.record, scope)) setResultAndStopExecution({ errors: [forbiddenError(scope)] });
}
