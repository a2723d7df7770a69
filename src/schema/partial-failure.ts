import { collectFields, collectSubFields, type Path } from '@graphql-tools/utils';
import {
  type FieldNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getNullableType,
  isObjectType,
  responsePathAsArray,
} from 'graphql';
import type { Context } from '../context.ts';
import type { SourceReport } from '../request-source.ts';
import type { SourceLack } from '../source-error.ts';
import { lackOf } from '../source-reports.ts';

/** Adds what these sources lack to the errors of the answer, at the path of this field, which has a value all the same. */
export function leaveFailures(lacks: readonly SourceLack[], context: Context, info: GraphQLResolveInfo): void {
  const place = { nodes: info.fieldNodes, path: responsePathAsArray(info.path) };
  for (const lack of lacks) context.failures.push({ lack, place });
}

/**
 * Whether a list may show what came of these sources. Where none of it is missing, or what is missing is selected as data,
 * nothing more is said of it; else it becomes errors, and under PARTIAL_RESULTS=null there is no list.
 */
export function mayShow(
  reports: readonly SourceReport<unknown>[],
  context: Context,
  info: GraphQLResolveInfo,
): boolean {
  const lacks = reports.flatMap((report) => lackOf(report) ?? []);
  if (lacks.length === 0 || selectsFailure(info)) return true;
  leaveFailures(lacks, context, info);
  return context.partialResults !== 'null';
}

/** Whether this very field shows a failed source as data, in any part of the operation that selects it. */
function selectsFailure(info: GraphQLResolveInfo): boolean {
  const type = getNullableType(info.returnType);
  if (!isObjectType(type)) return false;
  const selected = [...fieldsOf(info, type, nodesAt(info, info.path)).values()].flat();
  return selected.some(({ name }) => name.value === 'complete' || name.value === 'sources');
}

/** The nodes of the field at `path`. Those in deferred fragments are others than the executor tells the resolver of. */
function nodesAt(info: GraphQLResolveInfo, { prev, key, typename }: Path): FieldNode[] | null {
  if (typeof key === 'number') return prev ? nodesAt(info, prev) : null;
  const parent = info.schema.getType(typename ?? '');
  const outer = prev ? nodesAt(info, prev) : null;
  return isObjectType(parent) ? (fieldsOf(info, parent, outer).get(key) ?? []) : [];
}

/** What is selected of a type by these nodes, or by the operation itself, by the keys of the answer. Deferred fields count. */
function fieldsOf(
  { schema, fragments, variableValues, operation }: GraphQLResolveInfo,
  type: GraphQLObjectType,
  nodes: FieldNode[] | null,
): Map<string, FieldNode[]> {
  const { fields, patches } = nodes
    ? collectSubFields(schema, fragments, variableValues, type, nodes)
    : collectFields(schema, fragments, variableValues, type, operation.selectionSet);
  const all = new Map<string, FieldNode[]>();
  for (const part of [fields, ...patches.map((patch) => patch.fields)]) {
    for (const [key, own] of part) all.set(key, [...(all.get(key) ?? []), ...own]);
  }
  return all;
}
