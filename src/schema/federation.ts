import { type GraphQLSchema, isInterfaceType, isObjectType } from 'graphql';
import { InputError, quote } from '../errors.ts';
import { decodeId } from '../webhook.ts';
import { builder } from './builder.ts';
import { batchCost, checkBatch, fetchNode, isNode, mostIds, settle } from './by-id.ts';
import { printSubgraph } from './sdl.ts';

builder.scalarType('_Any', {
  description: 'An entity as gateways pass it: its `__typename` and the fields of its key.',
  serialize: (value) => value,
  parseValue: (value) => value,
});

const Service = builder.objectRef<{ readonly sdl: string }>('_Service').implement({
  description: 'This graph as a part of a larger one.',
  fields: (t) => ({
    sdl: t.exposeString('sdl', { nullable: false, description: 'What a supergraph is composed of.' }),
  }),
});

let sdl: string | undefined;

// The union `_Entity` is made where all entities are known, in `index.ts`.
builder.queryFields((t) => ({
  _service: t.field({
    type: Service,
    nullable: false,
    description: 'For gateways (Apollo Federation 2).',
    resolve(_root, _args, _context, { schema }) {
      sdl ??= printSubgraph(schema);
      return { sdl };
    },
  }),
  _entities: t.field({
    type: ['_Entity'],
    nullable: { list: false, items: true },
    complexity: ({ representations }) => batchCost(representations),
    description: 'For gateways (Apollo Federation 2): what `nodes` does, for entities as gateways pass them.',
    args: {
      representations: t.arg({
        type: ['_Any'],
        required: true,
        description: `Each with its \`__typename\` and its \`id\`, at most ${mostIds}.`,
      }),
    },
    resolve: (_root, { representations }, context, info) => {
      checkBatch('representations', representations);
      return representations.map((it) =>
        settle(() => fetchNode('representations', readKey(it, info.schema), context, info)),
      );
    },
  }),
}));

/** The id in a representation, which names the type of the entity, or the interface `Webhook`. */
function readKey(representation: unknown, schema: GraphQLSchema): string {
  const { __typename, id } = Object(representation) as Record<string, unknown>;
  if (typeof __typename !== 'string' || typeof id !== 'string') {
    throw new InputError('representations: each must be an object with `__typename` and `id`, both text.');
  }
  const type = schema.getType(__typename);
  if (!isNode(type)) throw new InputError(`representations: there is no entity of the type ${quote(__typename)} here.`);
  const own = schema.getType(decodeId(id)?.typename ?? '');
  const fits = own === type || (isInterfaceType(type) && isObjectType(own) && schema.isSubType(type, own));
  if (own && !fits) throw new InputError(`representations: this is the id of ${own.name}, not of ${__typename}.`);
  return id;
}
