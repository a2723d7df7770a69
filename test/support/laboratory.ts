import { once } from 'node:events';
import { createServer as createWeb, type RequestListener } from 'node:http';
import { createServer as createSecureWeb } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { wholeLists } from './faults.ts';
import type { Names } from './names.ts';

/** What an upstream does in the place of answering. */
export type Misbehaviour =
  /** Meets every connection so, before HTTP. */
  | { readonly connection: (socket: Socket) => void }
  /** Meets every request so. */
  | { readonly request: RequestListener }
  /** Answers whole, over TLS of this kind. */
  | { readonly tls: TlsOptions }
  /** Listens nowhere, at no known address, or where no connection ever comes about. */
  | 'port closed'
  | 'name unknown'
  | 'black hole';

/** An upstream that misbehaves until it is healed, at one address before and after. */
export interface Laboratory extends AsyncDisposable {
  readonly url: string;
  /** How often it was called, requests or connections, as far as they came through. */
  calls(): number;
  /** What came in over connections that are none of HTTP, or over TLS that nobody may trust. */
  received(): string;
  /** Answers whole from now on. */
  heal(): Promise<void>;
}

export interface LaboratoryOptions {
  /** Speaks TLS with this, once healed at least. */
  readonly tls?: TlsOptions | undefined;
  readonly names: Names;
}

let opened = 0;

/** Opens an upstream on a free loopback port that misbehaves so. */
export async function startLaboratory(
  misbehaviour: Misbehaviour,
  { tls, names }: LaboratoryOptions,
): Promise<Laboratory> {
  const fault = typeof misbehaviour === 'string' ? null : misbehaviour;
  let healed = fault === null;
  let calls = 0;
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  const listener: RequestListener = (request, response) => {
    calls += 1;
    const listener = !healed && fault && 'request' in fault ? fault.request : wholeLists;
    listener(request, response);
  };
  const healthy = tls ? createSecureWeb(tls, listener) : createWeb(listener);
  const untrusted = createSecureWeb(fault && 'tls' in fault ? fault.tls : {}, (request, response) => {
    chunks.push(Buffer.from(`${request.url}\r\n${request.rawHeaders.join('\r\n')}`));
    wholeLists(request, response);
  });
  untrusted.on('tlsClientError', () => {});
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (healed || !fault || 'request' in fault) return void healthy.emit('connection', socket);
    calls += 1;
    if ('tls' in fault) return void untrusted.emit('connection', socket);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    return fault.connection(socket);
  });
  const port = await listenOn(server, 0);
  if (misbehaviour === 'port closed') await close(server);
  const hole = misbehaviour === 'black hole' ? await startBlackHole(port) : null;
  const host = misbehaviour === 'name unknown' ? `upstream${++opened}.lab.test` : '127.0.0.1';
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${hole?.port ?? port}`,
    calls: () => calls,
    received: () => Buffer.concat(chunks).toString('latin1'),
    async heal() {
      healed = true;
      names.set(host, '127.0.0.1');
      if (misbehaviour === 'port closed') await listenOn(server, port);
      hole?.open();
    },
    async [Symbol.asyncDispose]() {
      names.set(host, undefined);
      for (const socket of sockets) socket.destroy();
      await hole?.[Symbol.asyncDispose]();
      if (server.listening) await close(server);
    },
  };
}

async function listenOn(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/** A port that whoever connects to hears nothing from. */
export interface BlackHole extends AsyncDisposable {
  readonly port: number;
  /** Lets all connections through, those that wait too. */
  open(): void;
}

/** Fills a port's queue of connections, which nobody empties until it is opened: then they get through to `target`. */
export async function startBlackHole(target = 0): Promise<BlackHole> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const listen = `
    const { connect, createServer } = require('node:net');
    const { parentPort, workerData } = require('node:worker_threads');
    const relay = (socket) => {
      const through = connect(workerData.target, '127.0.0.1');
      for (const [from, to] of [[socket, through], [through, socket]]) from.on('error', () => to.destroy()).pipe(to);
    };
    const server = createServer(relay).listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      Atomics.wait(workerData.gate, 0, 0);
    });`;
  const worker = new Worker(listen, { eval: true, workerData: { gate, target } });
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  for (let connected = true; connected && fillers.length < 64; ) {
    const filler = connect(port, '127.0.0.1').on('error', () => {});
    fillers.push(filler);
    connected = await Promise.race([once(filler, 'connect').then(() => true), sleep(250, false)]);
  }
  function open() {
    for (const filler of fillers) filler.destroy();
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
  }
  return {
    port,
    open,
    async [Symbol.asyncDispose]() {
      open();
      await worker.terminate();
    },
  };
}
