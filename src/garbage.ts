import { setFlagsFromString } from 'node:v8';

/** Releases of V8 that know the flag, and do not yet do by themselves what it asks for. */
const countsDeadBuffers = /^(13\.|14\.[0-7]\.)/;

/** Bytes: what Node 20 takes at once, and an eighth of what Node 26 does. */
const poolSize = 8192;

/**
 * Sets what V8 collects with the young, and when, for a program whose rows and buffers are gone as soon as they were used. (Node
 * warns of flags that are set after the start; these change no object that is there already.)
 */
export function tuneCollector(): void {
  // Otherwise what V8 once saw live for long, as rows do while the program is new, it makes from then on where it is collected late:
  // all that such an object points to lives as long, and collecting takes up to three times as long.
  setFlagsFromString('--no-allocation-site-pretenuring');
  // Otherwise each 64 MB that are read from sockets begin a major collection, though a minor one would free them: of unchanged lists
  // of thousands, that took half of the time. From 14.8 on V8 counts what buffers hold and not what they ever held, and has no flag.
  if (countsDeadBuffers.test(process.versions.v8)) setFlagsFromString('--external-memory-accounted-in-global-limit');
  // Small buffers are cut from one that lasts until it is used up. A larger one lasts for two minor collections, what is logged being
  // little, and is old from then on: dead ones came to 1.5 MB more every 5 s, until the next major collection.
  Buffer.poolSize = poolSize;
}
