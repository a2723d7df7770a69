import { z } from 'zod';
import { isOrigin, isProxyUrl, isTrustworthyUrl } from './address.ts';
import { type AuthConfig, planAuth } from './config-auth.ts';
import { readDocuments, type SecretFiles, withFiles } from './config-files.ts';
import { type KnownProvider, planSources, type SourceConfig, variablesOf } from './config-sources.ts';
import { planTraces, type TracesConfig, traceSettings } from './config-traces.ts';
import { type LogLevel, logLevels } from './log.ts';
import type { Documents } from './manifest.ts';

/** The whole configuration, checked. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly sources: readonly SourceConfig[];
  readonly credentials: 'server' | 'passthrough';
  readonly sandbox: boolean;
  /** Who may call; null where nobody is asked. */
  readonly auth: AuthConfig | null;
  /** Requests that each caller may send in a minute; null for any number. */
  readonly rateLimit: number | null;
  readonly upstream: {
    readonly deadlineMs: number;
    readonly attemptTimeoutMs: number;
    readonly maxBytes: number;
    readonly shareInFlight: boolean;
    readonly reuseSnapshots: boolean;
    /** Stands between us and the providers; null where none does. Its URL may hold a password. */
    readonly proxy: { readonly url: string; readonly except: string } | null;
  };
  readonly secretFiles: SecretFiles;
  readonly requestDeadlineMs: number;
  readonly maxInFlight: number;
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  /** Where metrics are served, 0 for any; null for beside the graph. */
  readonly metricsPort: number | null;
  /** null where requests are not traced. */
  readonly traces: TracesConfig | null;
  readonly partialResults: 'rows' | 'null';
  /** Whether webhooks may be changed. */
  readonly writes: boolean;
  /** Whether the log of deliveries is shown with bodies and headers. */
  readonly deliveryPayloads: boolean;
  readonly reuseAnswers: boolean;
  /** The only documents that are run, by their ids; null where any is. */
  readonly trustedDocuments: Documents | null;
  readonly graphiql: boolean;
  readonly introspection: boolean;
  /** Exact origins, or any origin on this machine. */
  readonly corsOrigins: readonly string[] | 'localhost';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of the environment in one message, which names variables and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(faults: readonly string[]) {
    super(['The configuration has faults:', ...faults.map((fault) => `  - ${fault}`)].join('\n'));
  }
}

const flag = z.enum(['on', 'off'], { error: 'must be on or off' }).transform((word) => word === 'on');

function whole(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .refine((n) => n >= least && n <= most, { error });
}

function list(separated: string) {
  return separated.split(',').map((item) => item.trim());
}

const settings = {
  NODE_ENV: z.string().prefault('development'),
  PORT: whole(0, 65_535).prefault('4000'),
  HOST: z
    .string()
    .transform((host) => host.replace(/^\[(.*)\]$/, '$1'))
    .prefault('127.0.0.1'),
  SOURCES: z.string().transform(list).optional().meta({ default: 'those with a key' }),
  CREDENTIALS: z.enum(['server', 'passthrough'], { error: 'must be server or passthrough' }).prefault('server'),
  SANDBOX: flag.optional().meta({ default: 'on outside production without any key or URL' }),
  AUTH: z.enum(['none'], { error: 'must be none, or not set' }).optional(),
  GATEWAY_TOKENS: z.string().optional(),
  JWT_JWKS_URL: z
    .string()
    .refine(isTrustworthyUrl, { error: 'must be an https URL (http only on loopback), without user or fragment' })
    .optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  RATE_LIMIT: z
    .string()
    .regex(/^(off|[1-9]\d{0,6})$/, { error: 'must be off, or a whole number from 1 to 9999999' })
    .transform((limit) => (limit === 'off' ? null : Number(limit)))
    .prefault('off'),
  UPSTREAM_DEADLINE_MS: whole(1, 600_000).prefault('3000'),
  UPSTREAM_ATTEMPT_TIMEOUT_MS: whole(1, 600_000).prefault('2000'),
  UPSTREAM_MAX_BYTES: whole(1, 268_435_456).prefault('5242880'),
  SHARE_IN_FLIGHT: flag.prefault('on'),
  REUSE_SNAPSHOTS: flag.prefault('on'),
  REUSE_ANSWERS: flag.prefault('on'),
  HTTPS_PROXY: z
    .string()
    .refine(isProxyUrl, {
      error:
        'must be a URL such as http://proxy.example:3128, without a path (https_proxy, where it is set, counts first)',
    })
    .optional(),
  NO_PROXY: z.string().optional(),
  REQUEST_DEADLINE_MS: whole(1, 600_000).prefault('10000'),
  MAX_IN_FLIGHT: whole(1, 100_000).prefault('512'),
  DRAIN_MS: whole(0, 600_000).prefault('5000'),
  LOG_LEVEL: z.enum(logLevels, { error: `must be ${logLevels.slice(0, -1).join(', ')} or silent` }).prefault('info'),
  METRICS_PORT: whole(0, 65_535).optional().meta({ default: 'none set: `/metrics` on PORT' }),
  PARTIAL_RESULTS: z.enum(['rows', 'null'], { error: 'must be rows or null' }).prefault('rows'),
  WRITES: flag.optional().meta({ default: 'off, on in the sandbox' }),
  DELIVERY_PAYLOADS: flag.prefault('off'),
  TRUSTED_DOCUMENTS: z.string().optional(),
  GRAPHIQL: flag.optional().meta({ default: 'on outside production without TRUSTED_DOCUMENTS' }),
  INTROSPECTION: flag.optional().meta({ default: 'on outside production' }),
  CORS_ORIGINS: z
    .string()
    .transform(list)
    .refine((origins) => origins.every(isOrigin), {
      error: 'must be origins such as https://app.example, without a path, with commas between them',
    })
    .optional()
    .meta({ default: 'localhost outside production' }),
};
const Settings = z.object(settings);

/** Every variable and its default as text, for the README to be held against. */
export function describeVariables(providers: readonly KnownProvider[]): ReadonlyMap<string, string> {
  const own = Object.entries({ ...settings, ...traceSettings }).map(([name, schema]) => {
    const fallback = schema.meta()?.default ?? ('defaultValue' in schema.def ? schema.def.defaultValue : 'none set');
    return [name, String(fallback)] as const;
  });
  const theirs = providers.flatMap((provider) => {
    const { key, url } = variablesOf(provider);
    return [[key, 'none set'] as const, [url, provider.url] as const];
  });
  return new Map([...own, ...theirs]);
}

/** Reads the environment. Throws a `ConfigError` with all faults at once. */
export function readConfig(providers: readonly KnownProvider[], environment: Environment = process.env): Config {
  const faults: string[] = [];
  const keys = providers.map((provider) => variablesOf(provider).key);
  const secrets = ['GATEWAY_TOKENS', 'OTEL_EXPORTER_OTLP_HEADERS', ...keys];
  const { env, secretFiles } = withFiles(withProxyNames(environment), secrets, faults);
  const values = parseSettings(env, faults);
  const production = values.NODE_ENV === 'production';
  const plan = planSources(providers, env, values, faults);
  const auth = planAuth(values, (name) => env[name] !== undefined, faults);
  if (values.METRICS_PORT !== undefined && values.METRICS_PORT !== 0 && values.METRICS_PORT === values.PORT) {
    faults.push('METRICS_PORT: is PORT; without METRICS_PORT, /metrics is there anyway');
  }
  if (values.UPSTREAM_DEADLINE_MS > values.REQUEST_DEADLINE_MS) {
    faults.push(
      `REQUEST_DEADLINE_MS: must be at least UPSTREAM_DEADLINE_MS (${values.UPSTREAM_DEADLINE_MS}), or no answer would wait for one provider and show the others`,
    );
  }
  if (values.WRITES && !plan.sandbox && logLevels.indexOf(values.LOG_LEVEL) > logLevels.indexOf('warn')) {
    faults.push('LOG_LEVEL: must be warn or lower with WRITES=on, as each write leaves a line of that level');
  }
  const trustedDocuments = readDocuments(values.TRUSTED_DOCUMENTS, faults);
  const traces = planTraces(env, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...plan,
    host: values.HOST,
    port: values.PORT,
    credentials: values.CREDENTIALS,
    auth,
    rateLimit: values.RATE_LIMIT,
    upstream: {
      deadlineMs: values.UPSTREAM_DEADLINE_MS,
      attemptTimeoutMs: values.UPSTREAM_ATTEMPT_TIMEOUT_MS,
      maxBytes: values.UPSTREAM_MAX_BYTES,
      shareInFlight: values.SHARE_IN_FLIGHT,
      reuseSnapshots: values.REUSE_SNAPSHOTS,
      proxy: values.HTTPS_PROXY === undefined ? null : { url: values.HTTPS_PROXY, except: values.NO_PROXY ?? '' },
    },
    secretFiles,
    requestDeadlineMs: values.REQUEST_DEADLINE_MS,
    maxInFlight: values.MAX_IN_FLIGHT,
    drainMs: values.DRAIN_MS,
    logLevel: values.LOG_LEVEL,
    metricsPort: values.METRICS_PORT ?? null,
    traces,
    partialResults: values.PARTIAL_RESULTS,
    writes: values.WRITES ?? plan.sandbox,
    deliveryPayloads: values.DELIVERY_PAYLOADS,
    reuseAnswers: values.REUSE_ANSWERS,
    trustedDocuments,
    graphiql: values.GRAPHIQL ?? (!production && !trustedDocuments),
    introspection: values.INTROSPECTION ?? !production,
    corsOrigins: values.CORS_ORIGINS ?? (production ? [] : 'localhost'),
  };
}

/** These two alone are spelt in lower case, too, and that goes first, as it does for curl. */
function withProxyNames(environment: Environment): Environment {
  const spelt = ['HTTPS_PROXY', 'NO_PROXY'].map((name) => [name, environment[name.toLowerCase()] || environment[name]]);
  return { ...environment, ...Object.fromEntries(spelt) };
}

function parseSettings(env: Environment, faults: string[]): z.infer<typeof Settings> {
  const parsed = Settings.safeParse(env);
  if (parsed.success) return parsed.data;
  const wrong = new Set(parsed.error.issues.map(({ path }) => String(path[0])));
  for (const { path, message } of parsed.error.issues) faults.push(`${String(path[0])}: ${message}`);
  // The rest is checked too, as if the wrong ones were not set.
  return Settings.parse(Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name))));
}
