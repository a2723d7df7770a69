import { z } from 'zod';
import { isUpstreamUrl } from './address.ts';

/** What configuration needs to know of a provider. */
export interface KnownProvider {
  readonly key: string;
  /** Base URL of its real API. */
  readonly url: string;
}

/** One source to serve. */
export interface SourceConfig {
  readonly key: string;
  readonly url: string;
  /** null where callers pass their own, and in the sandbox. */
  readonly credential: string | null;
}

/** The variables that decide about sources, beside those of each provider. */
interface SourceSettings {
  readonly NODE_ENV: string;
  readonly CREDENTIALS: 'server' | 'passthrough';
  readonly SANDBOX?: boolean | undefined;
  readonly SOURCES?: readonly string[] | undefined;
}

/** What is served, and whether it is made up. */
interface SourcePlan {
  readonly sources: readonly SourceConfig[];
  readonly sandbox: boolean;
}

/** The only form of a key that is ever sent: nothing in it can end or fold a header (RFC 9110, 5.5). */
export const credentialPattern = /^[\x21-\x7e]{1,256}$/;
/** The same in words, as they follow the name of a variable. */
export const credentialRule = 'must be 1 to 256 visible ASCII characters';
const credential = z.string().regex(credentialPattern, { error: credentialRule });

const upstreamUrl = z
  .string()
  .refine(isUpstreamUrl, { error: 'must be an https URL (http only on loopback), without user, query or fragment' })
  .transform((url) => url.replace(/\/+$/, ''));

/** The two variables of a provider: its key and its base URL. */
export function variablesOf({ key }: Pick<KnownProvider, 'key'>): { readonly key: string; readonly url: string } {
  const prefix = key.toUpperCase().replaceAll('-', '_');
  return { key: `${prefix}_API_KEY`, url: `${prefix}_API_URL` };
}

/** Decides which sources are served, and whether from the sandbox. */
export function planSources(
  providers: readonly KnownProvider[],
  env: Readonly<Record<string, string | undefined>>,
  { NODE_ENV, CREDENTIALS, SANDBOX, SOURCES }: SourceSettings,
  faults: string[],
): SourcePlan {
  const read = <T>(name: string, schema: z.ZodType<T>): T | undefined => {
    if (env[name] === undefined) return undefined;
    const parsed = schema.safeParse(env[name]);
    if (!parsed.success) faults.push(`${name}: ${parsed.error.issues[0]?.message}`);
    return parsed.data;
  };
  const known = providers.map((provider) => {
    const names = variablesOf(provider);
    const url = read(names.url, upstreamUrl) ?? provider.url;
    return { key: provider.key, names, url, credential: read(names.key, credential) ?? null };
  });
  const hasKey = ({ names }: (typeof known)[number]) => env[names.key] !== undefined;
  const keyNames = known.filter(hasKey).map(({ names }) => names.key);
  const urlNames = known.map(({ names }) => names.url).filter((name) => env[name] !== undefined);

  const passthrough = CREDENTIALS === 'passthrough';
  const production = NODE_ENV === 'production';
  const sandbox = SANDBOX ?? (!production && !passthrough && keyNames.length + urlNames.length === 0);
  if (sandbox && passthrough) faults.push('SANDBOX: cannot be on with CREDENTIALS=passthrough');
  for (const name of sandbox ? [...keyNames, ...urlNames] : [])
    faults.push(`SANDBOX: cannot be on while ${name} is set`);
  for (const name of passthrough ? keyNames : []) faults.push(`${name}: has no use with CREDENTIALS=passthrough`);

  if (SOURCES && !SOURCES.every((name) => known.some(({ key }) => key === name))) {
    faults.push(`SOURCES: must be among ${known.map(({ key }) => key).join(', ')}, with commas`);
  }
  const named = known.filter(({ key }) => !SOURCES || SOURCES.includes(key));
  if (sandbox || passthrough) return { sandbox, sources: named.map(toSource) };

  const keyless = named.filter((source) => !hasKey(source));
  const missing = keyless.map(({ names }) => names.key).join(', ');
  if (SOURCES && keyless.length > 0) faults.push(`SOURCES: names sources that have no key; set ${missing}`);
  if (!SOURCES && production && keyless.length > 0) {
    faults.push(`SOURCES: must name the sources to serve in production, as not all have a key; or set ${missing}`);
  }
  if (!SOURCES && !production && keyNames.length === 0)
    faults.push(`${missing}: no source has a key; set one, or SANDBOX=on alone`);
  return { sandbox, sources: named.filter(hasKey).map(toSource) };
}

function toSource({ key, url, credential }: SourceConfig): SourceConfig {
  return { key, url, credential };
}
