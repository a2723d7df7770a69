import { type GraphQLNamedType, getNamedType, isAbstractType, isCompositeType, isRequiredArgument } from 'graphql';
import { schema } from '../../src/schema/index.ts';

/** What is read from a log of deliveries, by calls of its own. */
export const logTypes = ['WebhookDeliveryConnection', 'WebhookFailureSummary'] as const;

/**
 * A selection of all that the served schema has below a type, so that a new field needs no test of its own to be read.
 * Left out are fields that need an argument, and objects of a type that is named in `except` or already around them.
 */
export function everyField(typename: string, ...except: readonly string[]): string {
  return select(typeNamed(typename), except);
}

/** The served schema's type of that name. */
export function typeNamed(typename: string): GraphQLNamedType {
  const type = schema.getType(typename);
  if (!type) throw new Error(`The schema has no type ${typename}.`);
  return type;
}

function select(type: GraphQLNamedType, around: readonly string[]): string {
  const inside = [...around, type.name];
  if (isAbstractType(type)) {
    const fragments = schema.getPossibleTypes(type).map((object) => `... on ${object.name} ${select(object, inside)}`);
    return `{ __typename ${fragments.join(' ')} }`;
  }
  const fields = 'getFields' in type ? Object.values(type.getFields()) : [];
  const selections = fields.flatMap((field) => {
    if ('args' in field && field.args.some(isRequiredArgument)) return [];
    const fieldType = getNamedType(field.type);
    if (!isCompositeType(fieldType)) return [field.name];
    return inside.includes(fieldType.name) ? [] : [`${field.name} ${select(fieldType, inside)}`];
  });
  return `{ ${selections.join(' ')} }`;
}
