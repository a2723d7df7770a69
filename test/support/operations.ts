import * as fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';

/** A GraphQL request as a client would send it. */
export interface Operation {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An argument's value: as text of the document, or as a variable. */
interface Value {
  readonly literal: string;
  readonly json: unknown;
}

const deepest = 5;
/** Marks the place of a name that must be new, and of a value that goes into a variable. */
const aliasMark = '§';
const variableMark = /¤(.*?)¦(.*?)¤/gs;

const texts = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('', 'acme', 'apimall', 'diligent', '__proto__', 'constructor', 'QXBpTWFsbFdlYmhvb2s6YXBpbWFsbDo4'),
  )
  .filter((text) => !/[§¤¦]/.test(text));

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  Int: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, -1, 100, 1000, 1001, 2_147_483_647)),
  String: texts,
  ID: fc.oneof(
    fc.constantFrom('QXBpTWFsbFdlYmhvb2s6YXBpbWFsbDo4', 'V2ViaG9va1NvdXJjZTphcGltYWxs', 'V2ViaG9va1NvdXJjZTpub25l'),
    texts,
  ),
  Boolean: fc.boolean(),
  DateTime: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  _Any: fc.oneof(
    fc.record({ __typename: fc.constantFrom('Webhook', 'ApiMallWebhook', 'WebhookSource', 'PageInfo'), id: texts }),
    fc.constant({ __typename: 'Webhook', id: 'QXBpTWFsbFdlYmhvb2s6YXBpbWFsbDo4' }),
    fc.record({ __typename: texts, id: fc.anything({ values: [fc.boolean(), fc.integer(), texts], maxDepth: 3 }) }),
    fc.constantFrom(7, 'Webhook', [], {}),
  ),
};

/** Valid operations over a schema: random selections, arguments, aliases, fragments, directives and variables. */
export function operations(schema: GraphQLSchema): fc.Arbitrary<Operation> {
  const composites = Object.values(schema.getTypeMap()).filter(
    (type) => isCompositeType(type) && !type.name.startsWith('__'),
  );
  const fragments = fc.tuple(...composites.map((type) => leavesOf(type).map((text) => [type.name, text] as const)));
  const query = schema.getQueryType();
  if (!query) throw new Error('The schema has no queries');
  return fc.tuple(selection(schema, query, deepest), fragments).map(([body, known]) => assemble(body, known));
}

/** Turns the marks into names, variables and the fragments that are spread. */
function assemble(body: string, fragments: readonly (readonly [string, string])[]): Operation {
  const variables: Record<string, unknown> = {};
  const declared: string[] = [];
  let number = 0;
  const named = body
    .replaceAll(aliasMark, () => `a${number++}`)
    .replace(variableMark, (_all, type: string, json: string) => {
      const name = `v${declared.length}`;
      declared.push(`$${name}: ${type}`);
      variables[name] = JSON.parse(json);
      return `$${name}`;
    });
  const spread = fragments.filter(([type]) => named.includes(`...Some${type}\n`));
  const definitions = spread.map(([type, text]) => `fragment Some${type} on ${type} ${text}`);
  const head = declared.length > 0 ? `query Q(${declared.join(', ')})` : 'query Q';
  return { query: [`${head} ${named}`, ...definitions].join('\n'), variables };
}

function fieldsOf(type: GraphQLNamedType): readonly GraphQLField<unknown, unknown>[] {
  return isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [];
}

function isLeaf(field: GraphQLField<unknown, unknown>): boolean {
  return field.args.length === 0 && !isCompositeType(getNamedType(field.type));
}

function leavesOf(type: GraphQLNamedType): fc.Arbitrary<string> {
  const names = [
    '__typename',
    ...fieldsOf(type)
      .filter(isLeaf)
      .map(({ name }) => name),
  ];
  return fc.subarray(names, { minLength: 1 }).map((chosen) => `{ ${chosen.join(' ')} }`);
}

const directives = fc.oneof(
  { weight: 9, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' @include(if: true)', ' @skip(if: false)', ' @skip(if: true)') },
);

function selection(schema: GraphQLSchema, type: GraphQLNamedType, depth: number): fc.Arbitrary<string> {
  const fields = fieldsOf(type).filter((field) => depth > 1 || !isCompositeType(getNamedType(field.type)));
  const parts = [
    ...fields.map((field) => selectField(schema, field, depth)),
    fc.constant('__typename'),
    fc.constant(`...Some${type.name}\n`),
    ...(depth > 1 && isInterfaceType(type) ? schema.getPossibleTypes(type) : []).map((possible) =>
      selection(schema, possible, depth - 1).map((inner) => `... on ${possible.name} ${inner}`),
    ),
  ];
  const lists = fc.array(fc.oneof(...parts), { minLength: 1, maxLength: 4 });
  return lists.map((chosen) => `{ ${chosen.join(' ')} }`);
}

function selectField(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  depth: number,
): fc.Arbitrary<string> {
  const type = getNamedType(field.type);
  const inner = isCompositeType(type) ? selection(schema, type, depth - 1) : fc.constant('');
  const aliased = field.args.length > 0 ? fc.constant(true) : fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
  return fc
    .tuple(aliased, fc.tuple(...field.args.map(argument)), directives, inner)
    .map(([isAliased, given, directive, selected]) => {
      const args = given.filter((text) => text !== '').join(', ');
      const called = args === '' ? field.name : `${field.name}(${args})`;
      return `${isAliased ? `${aliasMark}: ` : ''}${called}${directive} ${selected}`;
    });
}

function argument({ name, type }: GraphQLArgument): fc.Arbitrary<string> {
  const given = fc.tuple(inputValue(type), fc.boolean()).map(([{ literal, json }, asVariable]) => {
    return `${name}: ${asVariable ? `¤${String(type)}¦${JSON.stringify(json)}¤` : literal}`;
  });
  return isNonNullType(type)
    ? given
    : fc.oneof({ weight: 2, arbitrary: fc.constant('') }, { weight: 1, arbitrary: given });
}

function inputValue(type: GraphQLInputType): fc.Arbitrary<Value> {
  if (!isNonNullType(type)) {
    const nothing = fc.constant<Value>({ literal: 'null', json: null });
    return fc.oneof({ weight: 1, arbitrary: nothing }, { weight: 9, arbitrary: presentValue(type) });
  }
  return presentValue(getNullableType(type));
}

function presentValue(type: GraphQLInputType): fc.Arbitrary<Value> {
  if (isListType(type)) {
    return fc.array(inputValue(type.ofType), { maxLength: 3 }).map((items) => ({
      literal: `[${items.map(({ literal }) => literal).join(', ')}]`,
      json: items.map(({ json }) => json),
    }));
  }
  if (isEnumType(type)) {
    return fc.constantFrom(...type.getValues()).map(({ name }) => ({ literal: name, json: name }));
  }
  if (isInputObjectType(type)) {
    const members = Object.values(type.getFields()).map((field) =>
      fc.option(
        inputValue(field.type).map((value) => ({ name: field.name, ...value })),
        { freq: 1 },
      ),
    );
    return fc.tuple(...members).map((all) => {
      const given = all.filter((member) => member !== null);
      return {
        literal: `{ ${given.map(({ name, literal }) => `${name}: ${literal}`).join(', ')} }`,
        json: Object.fromEntries(given.map(({ name, json }) => [name, json])),
      };
    });
  }
  const values = scalars[getNamedType(type).name];
  if (!values) throw new Error(`No values of ${String(type)} are known`);
  return values.map((json) => ({ literal: printLiteral(json), json }));
}

/** JSON as GraphQL writes it: the same, but for the names of members, which are no strings there. */
function printLiteral(json: unknown): string {
  if (Array.isArray(json)) return `[${json.map(printLiteral).join(', ')}]`;
  if (typeof json !== 'object' || json === null) return JSON.stringify(json) ?? 'null';
  const members = Object.entries(json).filter(([name]) => /^[_A-Za-z]\w*$/.test(name));
  return `{ ${members.map(([name, value]) => `${name}: ${printLiteral(value)}`).join(', ')} }`;
}
