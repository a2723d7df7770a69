import { isLoopback } from './address.ts';
import { readTokens, type Token } from './tokens.ts';

/** Who may call, and how they prove it. */
export interface AuthConfig {
  readonly tokens: readonly Token[];
  /** The issuer of JWTs that are taken; null for none. */
  readonly jwt: JwtConfig | null;
}

/** What a JWT must say, and where the keys are that it must be signed with. */
export interface JwtConfig {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
}

/** The variables that decide who may call. */
interface AuthSettings {
  readonly HOST: string;
  readonly AUTH?: 'none' | undefined;
  readonly GATEWAY_TOKENS?: string | undefined;
  readonly JWT_JWKS_URL?: string | undefined;
  readonly JWT_ISSUER?: string | undefined;
  readonly JWT_AUDIENCE?: string | undefined;
}

/** Decides who may call; null where nobody is asked. `isSet` tells whether a variable is there, be it right or wrong. */
export function planAuth(values: AuthSettings, isSet: (name: string) => boolean, faults: string[]): AuthConfig | null {
  const jwtNames = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'];
  const given = jwtNames.filter(isSet);
  const missing = jwtNames.filter((name) => !isSet(name));
  if (given.length > 0 && missing.length > 0) {
    faults.push(`${missing.join(', ')}: must be set beside ${given.join(' and ')}`);
  }
  const named = ['GATEWAY_TOKENS', ...jwtNames].filter(isSet);
  if (values.AUTH === 'none' && named.length > 0) faults.push(`AUTH: cannot be none while ${named.join(', ')} is set`);
  if (!isLoopback(values.HOST) && values.AUTH !== 'none' && named.length === 0) {
    const ways = 'set GATEWAY_TOKENS or JWT_JWKS_URL, or AUTH=none if that is wanted';
    faults.push(`HOST: is beyond loopback, where everyone could read; ${ways}`);
  }
  // Of a file that could not be read, nothing more can be said.
  const isUnread = faults.some((fault) => fault.startsWith('GATEWAY_TOKENS_FILE:'));
  const tokenFaults: string[] = [];
  const tokens = isUnread ? [] : readTokens(values.GATEWAY_TOKENS ?? '', tokenFaults);
  if (isSet('GATEWAY_TOKENS')) faults.push(...tokenFaults.map((fault) => `GATEWAY_TOKENS: ${fault}`));
  const { JWT_JWKS_URL: jwksUrl, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = values;
  const jwt = jwksUrl && issuer && audience ? { jwksUrl, issuer, audience } : null;
  return named.length === 0 ? null : { tokens, jwt };
}
