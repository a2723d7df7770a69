import {
  type DocumentNode,
  type FieldNode,
  type FragmentSpreadNode,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  type InlineFragmentNode,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Context } from './context.ts';
import { forbiddenError, noPayloadsError } from './errors.ts';
import { isAllowed, type Scope } from './request.ts';
import { schema } from './schema/index.ts';

const scopeOf: Readonly<Record<OperationTypeNode, Scope>> = {
  [OperationTypeNode.QUERY]: 'webhooks:read',
  [OperationTypeNode.MUTATION]: 'webhooks:write',
  [OperationTypeNode.SUBSCRIPTION]: 'webhooks:read',
};

type Start =
  | Parameters<NonNullable<Plugin<Context>['onExecute']>>[0]
  | Parameters<NonNullable<Plugin<Context>['onSubscribe']>>[0];

/**
 * Refuses an operation whose caller has no scope for it, before any of it is run: one for its kind, and those that fields which it
 * selects name in their extension `scope`. Payloads nobody may see if not `showsPayloads`.
 */
export function useScopes(showsPayloads: boolean): Plugin<Context> {
  function check({ args, setResultAndStopExecution }: Start): void {
    const { document, contextValue, variableValues } = args;
    const operation = getOperationAST(document, args.operationName);
    if (!operation) return;
    const scopes = scopesOfFields(document, operation, variableValues ?? {});
    const missing = [scopeOf[operation.operation], ...scopes].find((scope) => !isAllowed(contextValue.record, scope));
    if (missing) setResultAndStopExecution({ errors: [forbiddenError(missing)] });
    else if (scopes.has('webhooks:payloads') && !showsPayloads)
      setResultAndStopExecution({ errors: [noPayloadsError()] });
  }
  return { onExecute: check, onSubscribe: check };
}

type Selection = FieldNode | InlineFragmentNode | FragmentSpreadNode;

/** The documents of which it is known that no field in them names a scope: nearly all. */
const harmless = new WeakSet<DocumentNode>();
const none: ReadonlySet<Scope> = new Set();

/** A fragment counts wherever it is spread, even where it is left out. */
function scopesOfFields(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Record<string, unknown>,
): ReadonlySet<Scope> {
  if (harmless.has(document)) return none;
  if (collectScopes(document, () => true).size === 0) {
    harmless.add(document);
    return none;
  }
  const definitions = document.definitions.filter((it) => it === operation || it.kind === Kind.FRAGMENT_DEFINITION);
  // With their defaults. Of wrong ones the caller is told later: until then, nothing counts as left out.
  const { coerced } = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 });
  return collectScopes({ kind: Kind.DOCUMENT, definitions }, (node) => !coerced || isIncluded(node, coerced));
}

function collectScopes(document: DocumentNode, isVisited: (node: Selection) => boolean): ReadonlySet<Scope> {
  const types = new TypeInfo(schema);
  const found = new Set<Scope>();
  const enter = (node: Selection) => {
    if (!isVisited(node)) return false;
    const scope = node.kind === Kind.FIELD ? types.getFieldDef()?.extensions.scope : undefined;
    if (scope) found.add(scope as Scope);
    return undefined;
  };
  const visitor = { Field: enter, InlineFragment: enter, FragmentSpread: enter };
  visit(document, visitWithTypeInfo(types, visitor));
  return found;
}

/** Whether `@skip` and `@include` leave a part of an operation in it. */
function isIncluded(node: Selection, variables: Record<string, unknown>): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variables);
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variables);
  return skip?.if !== true && include?.if !== false;
}
