import type { Config } from './config.ts';
import { variablesOf } from './config-sources.ts';
import { serverCredentials } from './credentials.ts';
import { openSource } from './open-source.ts';
import { createRecord } from './request.ts';
import type { Source, SourceReport } from './request-source.ts';
import type { SourceErrorCode } from './source-error.ts';
import { openSources } from './sources.ts';
import { createTurns } from './turns.ts';
import type { Upstream } from './upstream/http.ts';

/** What came of asking one source once. */
export interface SourceCheck {
  readonly source: string;
  /** Whether all is well: every row came and could be read; or, where callers bring their keys, the provider answered. */
  readonly ok: boolean;
  readonly reachable: boolean;
  /** null where that did not turn out. */
  readonly keyAccepted: boolean | null;
  readonly durationMs: number | null;
  readonly rows: number;
  /** Rows that came and could not be read. */
  readonly rejected: number;
  readonly error: {
    readonly code: SourceErrorCode;
    readonly message: string;
    readonly httpStatus: number | null;
  } | null;
  /** What the connection failed of, in the system's word, such as ECONNREFUSED. */
  readonly cause: string | null;
  /** What to do, with the names of variables; null where nothing is wrong. */
  readonly fix: string | null;
}

/** Sent where callers bring their own keys and there is none to ask with: a refusal of it is an answer, too. */
const noKey = 'hookgraph-check';

/** Asks each source for its list as a request would, with the same deadlines and tries. Nothing that it tells is secret. */
export async function checkSources(config: Config): Promise<readonly SourceCheck[]> {
  const { sources, settings, close } = await openSources(config);
  const isOwnKey = config.credentials === 'server';
  const findCredential = isOwnKey
    ? serverCredentials(settings)()
    : ({ provider }: Source) => provider.authorization(noKey);
  try {
    return await Promise.all(
      sources.map(async (source) => {
        const { upstream, cause } = rememberCause(source.upstream);
        const options = {
          record: createRecord(),
          findCredential,
          writes: false,
          signal: new AbortController().signal,
          turn: createTurns().join(),
          onInternalError(error: unknown) {
            throw error;
          },
          onListed() {},
        };
        const opened = openSource({ ...source, upstream }, options);
        return judge(await opened.read(), isOwnKey, cause());
      }),
    );
  } finally {
    await close();
  }
}

/** The same upstream, and what its calls failed of: a report of a source tells clients nothing of that. */
function rememberCause(upstream: Upstream): { upstream: Upstream; cause(): string | null } {
  let found: string | null = null;
  return {
    upstream: {
      ...upstream,
      run: (...run) =>
        upstream.run(...run).catch((error: unknown) => {
          found = codeWord(error instanceof Error ? error.cause : null);
          throw error;
        }),
    },
    cause: () => found,
  };
}

/** Codes are words in capitals, and hold nothing of what was sent. */
function codeWord(error: unknown): string | null {
  const { code } = Object(error);
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,63}$/.test(code) ? code : null;
}

/** Codes of sources that were not reached. Whatever else went wrong was an answer. */
const unreached: readonly SourceErrorCode[] = ['NOT_CONFIGURED', 'BAD_CREDENTIAL', 'TIMEOUT', 'UNREACHABLE'];
const refused: readonly SourceErrorCode[] = ['UNAUTHORIZED', 'FORBIDDEN'];

function judge({ source, state, error, ...read }: SourceReport, isOwnKey: boolean, cause: string | null): SourceCheck {
  const code = error?.code;
  const isRefused = code !== undefined && refused.includes(code);
  const ok = state === 'OK' || (isRefused && !isOwnKey);
  const accepted = isRefused ? false : state === 'FAILED' ? null : true;
  return {
    source: source.key,
    ok,
    reachable: code === undefined || !unreached.includes(code),
    keyAccepted: isOwnKey ? accepted : null,
    durationMs: read.durationMs,
    rows: read.rows.length,
    rejected: read.rejectedCount,
    error: ok || !error ? null : { code: error.code, message: error.message, httpStatus: error.httpStatus },
    cause,
    fix: ok || !error ? null : fixOf(error.code, variablesOf(source)),
  };
}

/** What whoever runs the program can do about a fault. */
function fixOf(code: SourceErrorCode, { key, url }: ReturnType<typeof variablesOf>): string {
  switch (code) {
    case 'NOT_CONFIGURED':
    case 'BAD_CREDENTIAL':
    case 'UNAUTHORIZED':
      return `check ${key}, or the file that ${key}_FILE names`;
    case 'FORBIDDEN':
      return `let the key in ${key} read webhooks, at the provider`;
    case 'UNREACHABLE':
      return `check ${url}, HTTPS_PROXY and NO_PROXY, and what stands between here and the provider`;
    case 'TIMEOUT':
      return `check what stands between here and the provider, or raise UPSTREAM_DEADLINE_MS and UPSTREAM_ATTEMPT_TIMEOUT_MS`;
    case 'NOT_FOUND':
      return `check ${url}`;
    case 'BAD_RESPONSE':
      return `check ${url}; if it is right, the provider has changed its answers: tell the maintainers`;
    case 'TOO_LARGE':
      return 'raise UPSTREAM_MAX_BYTES';
    case 'RATE_LIMITED':
    case 'UPSTREAM_ERROR':
    case 'CIRCUIT_OPEN':
    case 'OVERLOADED':
      return 'try again later: it is for the provider to mend';
  }
}

/** One source in a few lines, for people. */
export function describeCheck({ source, error, cause, fix, ...check }: SourceCheck): string {
  const said = (word: string, is: boolean | null) => `${word} ${is === null ? '-' : is ? 'yes' : 'no'}`;
  const facts = [
    said('reachable', check.reachable),
    said('key accepted', check.keyAccepted),
    `${check.durationMs === null ? '-' : Math.round(check.durationMs)} ms`,
    `${check.rows} rows${check.rejected > 0 ? `, ${check.rejected} rejected` : ''}`,
  ];
  const lines = [`${source}: ${check.ok ? 'OK' : 'FAILED'} (${facts.join(', ')})`];
  if (error)
    lines.push(
      `  ${error.code}: ${error.message}${[error.httpStatus && `HTTP ${error.httpStatus}`, cause]
        .filter(Boolean)
        .map((it) => ` (${it})`)
        .join('')}`,
    );
  if (fix) lines.push(`  Fix: ${fix}`);
  return lines.join('\n');
}
