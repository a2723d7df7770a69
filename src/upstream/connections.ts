import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { isLoopback } from '../address.ts';

/** A proxy that calls go through by CONNECT (RFC 9110, 9.3.6): it sees where to, and nothing of what is said. */
export interface UpstreamProxy {
  /** Its address, with user and password if it wants them: never to be shown. */
  readonly url: string;
  /** Hosts that are called directly, as `NO_PROXY` lists them. */
  readonly except: string;
}

/** How connections to one upstream are made. */
export interface ConnectionOptions {
  /** Milliseconds for each step of making one: to reach the other side, to pass the proxy, to agree on TLS. */
  readonly timeoutMs: number;
  /** Milliseconds after which one carries no further call. */
  readonly ageMs: number;
  readonly proxy: UpstreamProxy | null;
  /** Whether each carries one call only; several, one after the other, if not given. */
  readonly once?: boolean;
}

/** Opens a pool of connections to `origin`, which calls have to name again. What is on this machine needs no proxy. */
export function createConnections(origin: string, { timeoutMs, ageMs, proxy, once }: ConnectionOptions): Dispatcher {
  const connect = { timeout: timeoutMs, rejectUnauthorized: true };
  const options = {
    allowH2: false,
    // Busy connections heed it too: one that is too old ends with the call that it carries, and the next call opens
    // another. It goes by the wall clock, which may only make that sooner or later: no call is cut.
    clientTtl: ageMs,
    ...(once && { pipelining: 0 }),
  };
  if (!proxy || isLoopback(new URL(origin).hostname)) return new Pool(origin, { ...options, connect });
  return new EnvHttpProxyAgent({
    ...options,
    connect,
    // Both given, even if empty, so that it does not look into the environment.
    httpProxy: '',
    httpsProxy: proxy.url,
    noProxy: proxy.except,
    proxyTls: connect,
    requestTls: connect,
    // A proxy that takes a CONNECT and says nothing would be waited for five minutes.
    clientFactory: (url, own) => new Pool(url, { ...own, allowH2: false, headersTimeout: timeoutMs }),
  });
}
