import { readSecret, type SecretFiles } from './config-files.ts';
import { credentialPattern, credentialRule, type SourceConfig, variablesOf } from './config-sources.ts';
import type { Authorization, FindCredential } from './request-source.ts';
import type { SecretFile } from './secret-files.ts';
import { SourceError } from './source-error.ts';
import { readTokens, type Token } from './tokens.ts';

/** The keys that came since the start, by the keys of their sources. */
export type RenewedCredentials = Map<string, string>;

/** The configured keys, the same for every request until one is renewed. Requests under way keep the one that they began with. */
export function serverCredentials(
  sources: readonly SourceConfig[],
  renewed: Readonly<Pick<RenewedCredentials, 'get'>> = new Map(),
): () => FindCredential {
  const credentials = new Map(sources.map(({ key, credential }) => [key, credential]));
  const known = new Map<string, { readonly credential: string; readonly headers: Authorization }>();
  const find: FindCredential = ({ key, provider }) => {
    const credential = renewed.get(key) ?? credentials.get(key);
    if (credential == null) return new SourceError('NOT_CONFIGURED');
    const last = known.get(key);
    if (last?.credential === credential) return last.headers;
    const headers = provider.authorization(credential);
    known.set(key, { credential, headers });
    return headers;
  };
  return () => find;
}

/** Those of `files` that hold keys of these sources: what they bring is put into `renewed`. */
export function credentialFiles(
  sources: readonly SourceConfig[],
  files: SecretFiles,
  renewed: RenewedCredentials,
): SecretFile[] {
  return sources.flatMap((source) => {
    const name = variablesOf(source).key;
    const file = files.get(name);
    if (!file) return [];
    function take(text: string): string | null {
      const credential = readSecret(text);
      if (!credentialPattern.test(credential)) return credentialRule;
      renewed.set(source.key, credential);
      return null;
    }
    return [{ ...file, variable: `${name}_FILE`, take }];
  });
}

/** The one of `files` that holds `GATEWAY_TOKENS`, if one does: what it brings is told to `use`. */
export function tokenFiles(files: SecretFiles, use: (tokens: readonly Token[]) => void): SecretFile[] {
  const file = files.get('GATEWAY_TOKENS');
  if (!file) return [];
  function take(text: string): string | null {
    const faults: string[] = [];
    const tokens = readTokens(readSecret(text), faults);
    if (faults.length > 0) return faults.join('; ');
    use(tokens);
    return null;
  }
  return [{ ...file, variable: 'GATEWAY_TOKENS_FILE', take }];
}

/** The caller's own keys, from the headers of its request. Without one, or with a malformed one, no call is made. */
export function callerCredentials(headers: Pick<Headers, 'get'>): FindCredential {
  return ({ provider }) => {
    const credential = headers.get(provider.credentialHeader);
    if (credential === null) {
      return new SourceError('NOT_CONFIGURED', { message: `The request has no header ${provider.credentialHeader}.` });
    }
    return credentialPattern.test(credential) ? provider.authorization(credential) : new SourceError('BAD_CREDENTIAL');
  };
}
