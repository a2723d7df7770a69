import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What a lock file says of one installed package, and of the program itself under the empty path. */
interface Locked {
  readonly version?: string;
  readonly engines?: { readonly node?: string };
}

type Packages = Readonly<Record<string, Locked>>;

/** Versions below which there are known faults (the first beyond them, by name). */
const floors: Readonly<Record<string, string>> = {
  // Prototype pollution by multipart requests.
  'graphql-yoga': '5.21.3',
  // One tenant's answer in the shared cache served to the next.
  undici: '7.29.0',
  graphql: '16.15.0',
  // What runs the tests and the program where the machine's own Node is older.
  node: '26.0.0',
};

/** The least version of each release of Node that may run the program; later releases may all. */
const nodeFloors = ['22.22.2', '24.14.1', '26.0.0'];

function compare(one: string, other: string): number {
  const [a = [], b = []] = [one, other].map((version) => version.split('.').map(Number));
  return [0, 1, 2].map((part) => (a[part] ?? 0) - (b[part] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** Every copy of a package that is below its floor, wherever it is nested, and every package that is not there at all. */
function belowFloor(packages: Packages): string[] {
  return Object.entries(floors).flatMap(([name, floor]) => {
    const copies = Object.entries(packages).filter(([path]) => path.split('node_modules/').at(-1) === name);
    if (copies.length === 0) return [`${name} is not there`];
    const low = copies.filter(
      ([, { version = '0' }]) => !/^\d+\.\d+\.\d+$/.test(version) || compare(version, floor) < 0,
    );
    return low.map(([path, { version }]) => `${path} ${version}, below ${floor}`);
  });
}

/** The parts of a range of Node versions that let in what is below a floor, or that cannot be read. */
function tooWide(range = ''): string[] {
  return range.split('||').filter((part) => {
    const [, sign, version = ''] = /^\s*(\^|>=)(\d+(?:\.\d+){0,2})\s*$/.exec(part) ?? [];
    const [major] = version.split('.');
    const floor = nodeFloors.find((own) => own.split('.')[0] === major);
    if (sign === '^') return floor === undefined || compare(version, floor) < 0;
    return sign === undefined || compare(version, nodeFloors.at(-1) ?? '') < 0;
  });
}

const { packages }: { packages: Packages } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);

test('installs nothing that is below its floor', () => {
  expect(belowFloor(packages)).toEqual([]);
});

test('lets no Node run it that is below its floor, and is not run by one here', () => {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(tooWide(engines.node)).toEqual([]);
  expect(packages['']?.engines).toEqual(engines);
  expect(tooWide(`^${process.versions.node}`)).toEqual([]);
});

const sound: Packages = {
  'node_modules/graphql': { version: '16.15.0' },
  'node_modules/graphql-yoga': { version: '5.21.3' },
  'node_modules/undici': { version: '7.29.0' },
  'node_modules/node': { version: '26.0.0' },
};

test.each<[string, Packages, string[]]>([
  ['what is right at the floor', {}, []],
  ['what only has a like name', { 'node_modules/graphql-scalars': { version: '2.0.0' } }, []],
  [
    'a patch too low',
    { 'node_modules/graphql-yoga': { version: '5.21.2' } },
    ['node_modules/graphql-yoga 5.21.2, below 5.21.3'],
  ],
  ['a minor too low', { 'node_modules/undici': { version: '7.28.9' } }, ['node_modules/undici 7.28.9, below 7.29.0']],
  [
    'a major too low',
    { 'node_modules/graphql': { version: '15.99.0' } },
    ['node_modules/graphql 15.99.0, below 16.15.0'],
  ],
  [
    'a nested copy',
    { 'node_modules/a/node_modules/undici': { version: '6.21.0' } },
    ['node_modules/a/node_modules/undici 6.21.0, below 7.29.0'],
  ],
  [
    'a version before the release',
    { 'node_modules/graphql': { version: '16.15.0-rc.1' } },
    ['node_modules/graphql 16.15.0-rc.1, below 16.15.0'],
  ],
])('sees %s in a lock file', (_name, changed, found) => {
  expect(belowFloor({ ...sound, ...changed })).toEqual(found);
});

test('sees a package that is missing', () => {
  expect(belowFloor({})).toEqual(Object.keys(floors).map((name) => `${name} is not there`));
});

test.each([
  ['^22.22.2 || ^24.14.1 || >=26', 0],
  ['^22.22.3 || >=26.1.0', 0],
  ['^22.22.1 || ^24.14.1 || >=26', 1],
  ['^22.22.2 || ^24.14.0 || >=26', 1],
  ['^22.22.2 || ^23.9.0 || >=26', 1],
  ['^22.22.2 || ^24.14.1 || >=25', 1],
  ['>=22.22.2', 1],
  ['22.x || 24.x', 2],
  ['*', 1],
  ['', 1],
])('finds in the range %j so many parts too wide: %i', (range, count) => {
  expect(tooWide(range)).toHaveLength(count);
});
