import { type RowKind, rowKinds } from './rig/rows.ts';

/** The ways in which hookgraph is measured: what its upstreams' rows do, and with which settings. */
export const modes = ['unchanged', 'changing', 'default', 'some'] as const;
export type Mode = (typeof modes)[number];

/** What the rows of the upstreams do in a mode. */
export function rowsOfMode(mode: Mode): RowKind {
  return rowKinds.find((it) => it === mode) ?? 'unchanged';
}

/** A program that answers the queries of `query.ts`. */
export interface Contestant {
  readonly name: string;
  /** From the root of the project. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether it needs packages that only bench/ has. */
  readonly isForeign: boolean;
}

const production = { NODE_ENV: 'production', HOST: '127.0.0.1' };
const unshared: Contestant = {
  name: 'hookgraph',
  script: 'dist/main.js',
  env: { ...production, SHARE_IN_FLIGHT: 'off' },
  isForeign: false,
};
const shared: Contestant = { ...unshared, name: 'hookgraph, default', env: production };

/** hookgraph as it is shipped, with every guard on; only the default mode lets requests share a call under way. */
export const hookgraph: Readonly<Record<Mode, Contestant>> = {
  unchanged: unshared,
  changing: unshared,
  some: unshared,
  default: shared,
};

function other(name: string, isForeign = true): Contestant {
  return { name, script: `bench/contestants/${name}.ts`, env: production, isForeign };
}

/** What it is compared with. None of these has settings: their answers are made anew for each request. */
export const others = [
  other('bff', false),
  other('yoga-first', false),
  other('apollo'),
  other('mercurius'),
  other('hive'),
];

/** Those of them that a quick run has time for. */
export const ownOthers = others.filter(({ isForeign }) => !isForeign);

/** Whether a contestant is among those named; `hookgraph` means it with any settings. */
export function isWanted(name: string, only: readonly string[] | null): boolean {
  return only === null || only.includes(name.replace(/,.*/, ''));
}
