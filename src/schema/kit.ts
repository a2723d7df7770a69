import { minifyIntrospectionQuery } from '@urql/introspection';
import { buildSchema, introspectionFromSchema, isAbstractType, isObjectType } from 'graphql';
import { printedSchemas, schema } from './index.ts';
import { printServed } from './sdl.ts';

const served = buildSchema(printServed(schema));
const types = Object.values(served.getTypeMap());

/** For Apollo Client, which drops what is selected through a fragment on an interface whose types it does not know. */
const possibleTypes = Object.fromEntries(
  types.filter(isAbstractType).map((type) => [type.name, served.getPossibleTypes(type).map(({ name }) => name)]),
);

/** The types whose key graphcache would miss: those without an id, except where it does not look for one. */
const keyless = types
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__') && !/^(Query|Mutation|PageInfo|\w+Connection|\w+Edge)$/.test(name))
  .filter((type) => !type.getFields().id)
  .map(({ name }) => name);

const keysText = `export const keys = {
${keyless.map((name) => `  ${name}: () => null,\n`).join('')}};
`;

const keysTypesText = `/** For graphcache of urql: what has no id is kept with what it belongs to. */
export declare const keys: { readonly [typename: string]: () => null };
`;

/** All that `npm run schema` writes, the client kit included: each file by its path from here. */
export const printed: Readonly<Record<string, string>> = {
  ...printedSchemas,
  '../client/possible-types.json': `${JSON.stringify(possibleTypes, null, 2)}\n`,
  '../client/introspection.json': `${JSON.stringify(minifyIntrospectionQuery(introspectionFromSchema(served)))}\n`,
  '../client/keys.js': keysText,
  '../client/keys.d.ts': keysTypesText,
};
