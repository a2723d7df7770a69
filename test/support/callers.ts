import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { type Authentication, createAuthentication } from '../../src/auth/authentication.ts';
import type { KeySetTimes } from '../../src/auth/key-set.ts';
import { digestOf, readTokens } from '../../src/tokens.ts';
import { json, startUpstream, type TestUpstream } from './upstream.ts';

/** Tells callers by these tokens, each with its name and scopes as in `GATEWAY_TOKENS`. */
export function knowTokens(tokens: Readonly<Record<string, string>>): Authentication {
  const entries = Object.entries(tokens).map(([token, entry]) => `${entry} ${digestOf(token)}`);
  const faults: string[] = [];
  const known = readTokens(entries.join(','), faults);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return createAuthentication({ tokens: known, jwt: null }, () => {});
}

/** What a token says; undefined says nothing. */
export type Claims = Readonly<Record<string, unknown>>;

/** An issuer of JWTs, with its keys on a real socket. */
export interface Issuer extends AsyncDisposable {
  readonly server: TestUpstream;
  /** The private key of each key that there was, by its id. */
  readonly keys: ReadonlyMap<string, CryptoKey>;
  /** What it answers with; the set of its keys, until that is changed. */
  listener: Parameters<typeof startUpstream>[0];
  /** Makes a key of this id, which alone is shown from now on. */
  rotate(kid: string): Promise<void>;
  /** Signs what is right, but for these claims; undefined takes one away. */
  sign(claims?: Claims, kid?: string): Promise<string>;
}

export const issuerName = 'https://issuer.example';
export const audience = 'hookgraph';

/** Starts an issuer with one key, `first`; it answers with that, or as `listener` does. */
export async function startIssuer(listener?: Issuer['listener']): Promise<Issuer> {
  const keys = new Map<string, CryptoKey>();
  const server = await startUpstream((request, response) => issuer.listener(request, response));
  const issuer: Issuer = {
    server,
    keys,
    listener: json({ keys: [] }),
    async rotate(kid) {
      const { publicKey, privateKey } = await generateKeyPair('ES256');
      keys.set(kid, privateKey);
      issuer.listener = json({ keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'ES256' }] });
    },
    sign(claims = {}, kid = 'first') {
      const key = keys.get(kid);
      if (!key) throw new Error(`There is no key ${kid}`);
      return signClaims({ ...rightClaims(), ...claims }, key, kid);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
  await issuer.rotate('first');
  if (listener) issuer.listener = listener;
  return issuer;
}

/** What a good token says. */
export function rightClaims(): Claims {
  const now = Math.floor(Date.now() / 1000);
  return { iss: issuerName, aud: audience, exp: now + 300, sub: 'alice', scope: 'webhooks:read' };
}

/** A token that says this, signed with this key. */
export function signClaims(
  claims: JWTPayload,
  key: CryptoKey | Uint8Array,
  kid: string,
  alg = 'ES256',
): Promise<string> {
  return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, kid }).sign(key);
}

/** Times at which a test need not wait. */
export const hastyTimes: KeySetTimes = {
  refreshMs: 600_000,
  coolDownMs: 0,
  retryMs: 20,
  longestRetryMs: 50,
  timeoutMs: 2000,
};

/** Tells callers by the JWTs of this issuer, and one by the token `hg_app`. */
export function knowIssuer(
  issuer: Issuer,
  times: Partial<KeySetTimes> = {},
  onKeySetChange: (reason: string | null) => void = () => {},
): Authentication & AsyncDisposable {
  const jwt = { jwksUrl: `${issuer.server.url}/keys`, issuer: issuerName, audience };
  const tokens = readTokens(`app webhooks:read ${digestOf('hg_app')}`, []);
  const authentication = createAuthentication({ tokens, jwt }, onKeySetChange, null, { ...hastyTimes, ...times });
  return { ...authentication, [Symbol.asyncDispose]: () => authentication.close() };
}
