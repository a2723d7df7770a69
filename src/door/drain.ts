import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The connections of a server and the answers that they wait for, which all may have before it ends. */
export interface Drain {
  /** Counts an answer in. */
  expect(request: IncomingMessage, response: ServerResponse): void;
  /** Counts it out: it was sent, or will not be. */
  settle(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a connection waits for an answer to a request that came whole, which would go out before any other. */
  isOwed(socket: Socket): boolean;
  isStopping(): boolean;
  /**
   * Goes on for `graceMs`, then takes no more traffic and lets answers under way finish for `drainMs` (both in milliseconds).
   * Tells whether all of them did.
   */
  stop(graceMs: number, drainMs: number): Promise<boolean>;
}

/** Milliseconds after the stop when requests that have not come in whole are given up. */
const reapAfterMs = 500;

/** Watches a server that does not listen yet. */
export function createDrain(server: Server): Drain {
  /**
   * The answers that each connection waits for. (Not one set of all of them: a set that changes with every request leaves tables
   * behind, each of which keeps the next from being collected.)
   */
  const connections = new Map<Socket, ServerResponse[]>();
  let stopping = false;
  server.on('connection', (socket: Socket) => {
    connections.set(socket, []);
    // When node:http has closed those that it does: before Node 26, not those behind another.
    socket.once('close', () => setImmediate(() => closeAll(socket)));
  });

  function closeAll(socket: Socket): void {
    for (const response of connections.get(socket)?.slice() ?? []) response.destroy().emit('close');
    connections.delete(socket);
  }

  return {
    expect({ socket }, response) {
      connections.get(socket)?.push(response);
      if (stopping) response.setHeader('connection', 'close');
    },
    settle({ socket }, response) {
      const waiting = connections.get(socket) ?? [];
      waiting.splice(waiting.indexOf(response), 1);
      // Once stopping, a connection ends with its last answer instead of waiting for another request.
      if (!server.listening && waiting.length === 0) socket.destroySoon();
    },
    isOwed: (socket) => connections.get(socket)?.some(({ req, headersSent }) => headersSent || req.complete) === true,
    isStopping: () => stopping,
    async stop(graceMs, drainMs) {
      stopping = true;
      await sleep(graceMs);
      let whole = true;
      const closed = new Promise((resolve) => server.close(resolve));
      const timer = setTimeout(() => {
        whole = false;
        server.closeAllConnections();
      }, drainMs);
      const open = () => [...connections.values()].flat();
      for (const [socket, waiting] of connections) if (waiting.length === 0) socket.destroy();
      for (const response of open()) if (!response.headersSent) response.setHeader('connection', 'close');
      // Whoever is still sending a request has had its time.
      const reaper = setTimeout(() => {
        for (const { req } of open()) if (!req.complete) req.destroy();
      }, reapAfterMs);
      await closed;
      clearTimeout(timer);
      clearTimeout(reaper);
      return whole;
    },
  };
}
