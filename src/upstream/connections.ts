import { performance } from 'node:perf_hooks';
import { buildConnector, Client, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
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

/** Connections to one upstream. */
export interface Connections {
  /** What the next call is to be sent with: a connection that carries no other, made when it is first used. */
  take(): Dispatcher;
  /** Gives it back, once, when the call has ended. After a fault it carries no other. */
  give(taken: Dispatcher, hasFailed: boolean): void;
  /** Ends all connections, also those with a call under way. */
  destroy(): Promise<void>;
}

/** Opens connections to `origin`, which calls have to name again. What is on this machine needs no proxy. */
export function createConnections(origin: string, options: ConnectionOptions): Connections {
  const { proxy } = options;
  if (!proxy || isLoopback(new URL(origin).hostname)) return connectDirectly(origin, options);
  const agent = connectThrough(proxy, options);
  return { take: () => agent, give() {}, destroy: () => agent.destroy() };
}

/** No time of theirs: an exchange has one of its own for the whole. */
const noTimes = { headersTimeout: 0, bodyTimeout: 0 };

interface Connection {
  readonly client: Client;
  /** By `performance.now()`. */
  readonly since: number;
}

/**
 * Keeps those that wait on a stack: to take one takes the same time however many there are. (A pool of undici looks through
 * all of them, and at the age of each.)
 */
function connectDirectly(origin: string, { timeoutMs, ageMs, once = false }: ConnectionOptions): Connections {
  // One for all, as it knows the sessions of TLS that may be resumed.
  const connect = buildConnector({ timeout: timeoutMs, rejectUnauthorized: true, allowH2: false });
  const all = new Map<Dispatcher, Connection>();
  const waiting: Connection[] = [];
  let isDestroyed = false;

  function open(): Client {
    // Room for two calls, though there is never more than one: where it is full, undici looks for room after each call.
    const client = new Client(origin, { connect, allowH2: false, pipelining: once ? 0 : 2, ...noTimes });
    const connection = { client, since: performance.now() };
    all.set(client, connection);
    // A call that is tried again just then fails, too.
    if (isDestroyed) drop(client);
    // With a call to make, it connects again by itself.
    client.on('disconnect', () => {
      const place = waiting.indexOf(connection);
      if (place === -1) return;
      waiting.splice(place, 1);
      drop(client);
    });
    return client;
  }

  function drop(client: Dispatcher): void {
    all.delete(client);
    // Once undici is done with the call that it carried.
    client.close().catch(() => {});
  }

  const isOld = ({ since }: Connection) => once || performance.now() - since > ageMs;

  return {
    take() {
      for (let next = waiting.pop(); next; next = waiting.pop()) {
        if (!isOld(next)) return next.client;
        drop(next.client);
      }
      return open();
    },
    give(client, hasFailed) {
      const connection = all.get(client);
      if (!connection) return;
      if (hasFailed || isOld(connection)) drop(client);
      else waiting.push(connection);
    },
    async destroy() {
      isDestroyed = true;
      await Promise.all([...all.keys()].map((client) => client.destroy()));
    },
  };
}

function connectThrough(proxy: UpstreamProxy, { timeoutMs, ageMs, once }: ConnectionOptions): Dispatcher {
  const connect = { timeout: timeoutMs, rejectUnauthorized: true };
  return new EnvHttpProxyAgent({
    allowH2: false,
    // Busy connections heed it too: one that is too old ends with the call that it carries, and the next call opens
    // another. It goes by the wall clock, which may only make that sooner or later: no call is cut.
    clientTtl: ageMs,
    ...(once && { pipelining: 0 }),
    ...noTimes,
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
