import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { expect, test } from 'vitest';

/** Files by level, highest first: a file imports only from lower levels, or from its own folder on the same level. */
const levels: readonly RegExp[] = [
  /^cli\.ts$/,
  /^(main|check)\.ts$/,
  /^sources\.ts$/,
  /^(server|sandbox)\.ts$/,
  /^(gateway|telemetry)\.ts$/,
  /^(acceptance|answers|compiled-queries|limits|graphiql|credentials|documents|failures|scopes|recording)\.ts$|^door\//,
  /^schema\/(index|kit|print)\.ts$/,
  /^providers\/index\.ts$/,
  /^providers\/[\w-]+\//,
  /^schema\//,
  /^(context|open-source|source-calls|source-reports|request-source)\.ts$/,
  /^auth\//,
  /^providers\/(provider|wire|sandbox-http|delivery-message)\.ts$/,
  /^upstream\//,
  /^(webhook|filter|order|page|errno|errors|source-error|flat|config|config-files|config-auth|config-sources|config-traces|manifest|tokens|new-token|metrics|metrics-sources|series|address|turns|round|request|request-id|secret-files|span|log|traces|version|compile|query-writer|graphiql-tabs|variables|delivery|delivery-log|delivery-page|line|garbage)\.ts$/,
];

type Files = ReadonlyMap<string, string>;

function readSources(): Files {
  const root = new URL('../src/', import.meta.url).pathname;
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    // What is generated for clients is no part of the program: an import of it is one of a file without a level.
    .filter((path) => !path.startsWith('client/'));
  return new Map(paths.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}

/** The files of ours that a file imports, for values or types. */
function importsOf(path: string, text: string): string[] {
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target = '']) => target);
  return found.map((target) => normalize(join(path, '..', target)));
}

function levelOf(path: string): number {
  return levels.findIndex((level) => level.test(path));
}

function providerOf(path: string): string | undefined {
  return /^providers\/([\w-]+)\//.exec(path)?.[1];
}

function folderOf(path: string): string {
  return path.split('/').slice(0, -1).join('/');
}

function wrongDirections(files: Files): string[] {
  return [...files].flatMap(([path, text]) =>
    importsOf(path, text).flatMap((target) => {
      const provider = providerOf(target);
      const foreign = provider !== undefined && providerOf(path) !== undefined && provider !== providerOf(path);
      const sideways = levelOf(path) === levelOf(target) && folderOf(path) === folderOf(target);
      return !foreign && (levelOf(path) < levelOf(target) || sideways) ? [] : [`${path} > ${target}`];
    }),
  );
}

function circles(files: Files): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  function visit(path: string, trail: readonly string[]): void {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' > '));
    if (trail.includes(path) || done.has(path)) return;
    for (const target of importsOf(path, files.get(path) ?? '')) visit(target, [...trail, path]);
    done.add(path);
  }
  for (const path of files.keys()) visit(path, []);
  return found;
}

function others(files: Files, word: RegExp, home: string): string[] {
  return [...files].filter(([path, text]) => path !== home && word.test(text)).map(([path]) => path);
}

const makesGraphQLErrors = /new GraphQLError|createGraphQLError/;
const readsEnvironment = /process\.env/;

test('every file has a level', () => {
  expect([...readSources().keys()].filter((path) => levelOf(path) === -1)).toEqual([]);
});

test('imports go downwards, and no provider imports another', () => {
  expect(wrongDirections(readSources())).toEqual([]);
});

test('no file imports itself in a circle, not even for types', () => {
  expect(circles(readSources())).toEqual([]);
});

test('only errors.ts makes GraphQL errors, and only config.ts reads the environment', () => {
  expect(others(readSources(), makesGraphQLErrors, 'errors.ts')).toEqual([]);
  expect(others(readSources(), readsEnvironment, 'config.ts')).toEqual([]);
});

test('the rules see what breaks them', () => {
  const broken = new Map([
    ['errors.ts', "import type { Context } from './context.ts';\nnew GraphQLError('x')"],
    ['context.ts', "import { schema } from './schema/index.ts';\nnew GraphQLError(process.env.X)"],
    ['schema/index.ts', "import '../errors.ts';"],
    ['providers/apimall/index.ts', "import { x } from '../diligent/wire.ts';"],
    ['providers/diligent/wire.ts', "const y = await import('../../upstream/http.ts');"],
    ['upstream/http.ts', "import { keys } from '../client/keys.js';"],
  ]);
  expect(wrongDirections(broken)).toEqual([
    'errors.ts > context.ts',
    'context.ts > schema/index.ts',
    'providers/apimall/index.ts > providers/diligent/wire.ts',
    'upstream/http.ts > client/keys.js',
  ]);
  expect(circles(broken)).toEqual(['errors.ts > context.ts > schema/index.ts > errors.ts']);
  expect(others(broken, makesGraphQLErrors, 'errors.ts')).toEqual(['context.ts']);
  expect(others(broken, readsEnvironment, 'config.ts')).toEqual(['context.ts']);
});
