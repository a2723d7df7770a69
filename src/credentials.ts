import { credentialPattern, type SourceConfig } from './config.ts';
import type { FindCredential } from './context.ts';
import { SourceError } from './errors.ts';

/** The configured keys, the same for every request. */
export function serverCredentials(sources: readonly SourceConfig[]): () => FindCredential {
  const credentials = new Map(sources.map(({ key, credential }) => [key, credential]));
  const find: FindCredential = ({ key }) => credentials.get(key) ?? new SourceError('NOT_CONFIGURED');
  return () => find;
}

/** The caller's own keys, from the headers of its request. Without one, or with a malformed one, no call is made. */
export function callerCredentials(headers: Headers): FindCredential {
  return ({ provider }) => {
    const credential = headers.get(provider.credentialHeader);
    if (credential === null) {
      return new SourceError('NOT_CONFIGURED', { message: `The request has no header ${provider.credentialHeader}.` });
    }
    return credentialPattern.test(credential) ? credential : new SourceError('BAD_CREDENTIAL');
  };
}
