import type { AuthConfig } from '../config-auth.ts';
import type { Caller } from '../request.ts';
import type { Token } from '../tokens.ts';
import type { UpstreamProxy } from '../upstream/connections.ts';
import { createJwtReader } from './jwt.ts';
import { createKeySet, type KeySetTimes, KeysUnavailable, type OnKeySetChange } from './key-set.ts';
import { createTokenList } from './token-list.ts';

/** Who calls, or why that is not known: no token came, it is not good, or that cannot be told for the moment. */
export type Identity = Caller | 'missing' | 'invalid' | 'unavailable';

/** Tells callers by their tokens. */
export interface Authentication {
  /** `headers` are all values of `Authorization` that a request has. Never rejects. */
  identify(headers: readonly string[]): Promise<Identity>;
  /** Takes these static tokens, and no others, from now on. */
  useTokens(tokens: readonly Token[]): void;
  /** Whether every kind of token that is configured can be checked. */
  isReady(): boolean;
  /** Stops what goes on in the background. */
  close(): Promise<void>;
}

/** Characters of an `Authorization` header. */
const longestHeader = 8192;
/** RFC 6750, 2.1. Another scheme is no token of ours. */
const bearer = /^bearer(?:\s+(.*))?$/i;
/** RFC 7519: three parts, of which the last is empty in one that nobody signed. */
const jwtForm = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** Opens what is configured; keys for JWTs are read in the background from now on. */
export function createAuthentication(
  { tokens, jwt }: AuthConfig,
  onKeySetChange: OnKeySetChange,
  proxy: UpstreamProxy | null = null,
  times?: KeySetTimes,
): Authentication {
  let findCaller = createTokenList(tokens);
  const names = new Set(tokens.map(({ name }) => name));
  const keySet = jwt && createKeySet(jwt.jwksUrl, onKeySetChange, proxy, times);
  const readJwt = jwt && keySet && createJwtReader(jwt, keySet, names);

  return {
    async identify(headers) {
      const [header, ...others] = headers;
      if (header === undefined) return 'missing';
      if (others.length > 0 || header.length > longestHeader) return 'invalid';
      const scheme = bearer.exec(header);
      if (!scheme) return 'missing';
      const [, token = ''] = scheme;
      // First: what somebody took for a static token may look like a JWT.
      const caller = findCaller(token);
      if (caller || !readJwt || !jwtForm.test(token)) return caller ?? 'invalid';
      try {
        return await readJwt(token);
      } catch (error) {
        return error instanceof KeysUnavailable ? 'unavailable' : 'invalid';
      }
    },
    useTokens(renewed) {
      findCaller = createTokenList(renewed);
      names.clear();
      for (const { name } of renewed) names.add(name);
    },
    isReady: () => keySet?.readings() !== 0,
    close: async () => keySet?.close(),
  };
}
