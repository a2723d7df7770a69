import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage now: all of it, or only what is young. What lives through two minor collections is old from then on. */
export const collect: (options?: { readonly type: 'minor' }) => void = runInNewContext('gc');
