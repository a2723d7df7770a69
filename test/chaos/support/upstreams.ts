import type { IncomingMessage, RequestListener } from 'node:http';
import { apimallList, apimallRow, diligentRow } from '../../support/rows.ts';
import { json } from '../../support/upstream.ts';

/** A list of API Mall of `count` rows, all of this owner. */
export function apimallRows(count: number, owner = 'acme'): RequestListener {
  const row = (id: number) => apimallRow({ id, url: `https://${owner}.example/apimall/${id}` });
  return apimallList(...Array.from({ length: count }, (_, number) => row(number + 1)));
}

/** A list of Diligent of `count` rows, all of this owner. */
export function diligentRows(count: number, owner = 'acme'): RequestListener {
  const row = (id: number) => diligentRow({ id: `d-${id}`, webhook_url: `https://${owner}.example/diligent/${id}` });
  return json(Array.from({ length: count }, (_, number) => row(number + 1)));
}

/** A generator of numbers from 0 to 1 that gives the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ends the connection in the rudest way. */
export const reset: RequestListener = (request) => request.socket.resetAndDestroy();

/** The key that a call came with. */
export function keyOf({ headers }: IncomingMessage): string {
  return String(headers['x-api-key'] ?? headers.authorization?.replace('Bearer ', ''));
}

/** Refuses with this status, and says the caller's key wherever there is room for it. */
export function tell(status: number): RequestListener {
  return (request, response) => {
    const key = keyOf(request);
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': key, 'retry-after': '0' });
    const error = { code: key, message: `The key ${key} is bad` };
    response.end(JSON.stringify({ success: false, error, request_id: key, message: key, data: [{ id: key }] }));
  };
}

/** Breaks off in the middle of its answer. */
export const truncated: RequestListener = (request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
  response.write('{"success":true,"data":[', () => request.socket.destroy());
};

const quickFaults = [reset, tell(503), truncated];

/** Answers as `whole` does but for this share of calls, which meet a fault that takes no time. */
export function sometimes(share: number, random: () => number, whole: RequestListener): RequestListener {
  return (request, response) => {
    const fault = random() < share ? quickFaults[Math.floor(random() * quickFaults.length)] : undefined;
    (fault ?? whole)(request, response);
  };
}

/** Sends a byte every 250 ms, of a body that never ends. */
export const drip: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('[');
  const timer = setInterval(() => response.write(' '), 250);
  response.once('close', () => clearInterval(timer));
};

/** Sends 256 MiB, as fast as they are taken. */
export const flood: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(65_536, ' ');
  let left = 4096;
  function pour(): void {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) return void response.once('drain', pour);
    }
    response.end();
  }
  pour();
};
