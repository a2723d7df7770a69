import { createServer, type Socket } from 'node:net';
import { apimallList, digitsOf, diligentList, type ListBody, type RowKind, rowKinds } from './rows.ts';
import { upstreamKey } from './upstreams.ts';

/**
 * Both providers' list routes, as a process of its own that tells its parent the port. Answers come from prebuilt bytes,
 * straight to the socket: an HTTP server would be slower than what is measured. The base URL says what is answered:
 * `/<rows>-<webhooks>-<milliseconds>`, then `/api/v1` for API Mall.
 */

interface Route {
  readonly delayMs: number;
  /** The next answer in pieces, headers included. No two of API Mall's are the same. */
  answer(): readonly Buffer[];
}

const routes = new Map<string, Route>();
/** What callers send is the same text again and again: it is understood once. */
const understood = new Map<string, Route>();

function find(head: string): Route {
  const [, rows, count, delay, api = ''] =
    /^GET \/(\w+)-(\d+)-(\d+)(\/api\/v1)?\/webhooks HTTP\/1\.1\r\n/.exec(head) ?? [];
  const kind = rowKinds.find((it) => it === rows);
  const isApimall = api !== '';
  if (!kind) return fixed('404 Not Found', '{"message":"Not found"}');
  const key = isApimall ? `authorization: bearer ${upstreamKey}` : `x-api-key: ${upstreamKey}`;
  if (!head.toLowerCase().includes(`\r\n${key}\r\n`)) {
    const envelope = '{"success":false,"error":{"code":"unauthorized","message":"Unauthorized"},"request_id":"req_0"}';
    return fixed('401 Unauthorized', isApimall ? envelope : '{"error":"Unauthorized"}');
  }
  const name = `${kind}-${count}-${delay}${api}`;
  const list = isApimall ? apimallList : diligentList;
  const route = routes.get(name) ?? moving(kind, list(Number(count)), Number(delay));
  routes.set(name, route);
  return route;
}

function fixed(status: string, body: string): Route {
  const bytes = Buffer.concat([headOf(status, body.length), Buffer.from(body)]);
  return { delayMs: 0, answer: () => [bytes] };
}

function moving(kind: RowKind, { bytes, movingPlaces, requestIdPlace }: ListBody, delayMs: number): Route {
  const head = headOf('200 OK', bytes.length);
  const latest = Buffer.concat([head, bytes]);
  let requests = 0;
  if (kind === 'unchanged') {
    if (requestIdPlace === null) return { delayMs, answer: () => [latest] };
    const idAt = head.length + requestIdPlace.offset;
    const [rows, end] = [latest.subarray(0, idAt), latest.subarray(idAt)];
    return {
      delayMs,
      answer() {
        requests += 1;
        const last = Buffer.from(end);
        last.set(digitsOf(requests).count);
        return [rows, last];
      },
    };
  }
  const step = kind === 'some' ? 10 : 1;
  return {
    delayMs,
    answer() {
      requests += 1;
      const digits = digitsOf(requests);
      if (requestIdPlace) latest.set(digits.count, head.length + requestIdPlace.offset);
      for (let row = requests % step; row < movingPlaces.length; row += step) {
        for (const place of movingPlaces[row] ?? []) latest.set(digits[place.kind], head.length + place.offset);
      }
      // A copy: what a slow reader still waits for must not change under its hands.
      return [Buffer.from(latest)];
    },
  };
}

function headOf(status: string, length: number): Buffer {
  return Buffer.from(`HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`);
}

function serve(socket: Socket): void {
  let rest = '';
  socket.setNoDelay(true).setEncoding('latin1');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
      const head = rest.slice(0, end + 4);
      rest = rest.slice(end + 4);
      const route = understood.get(head) ?? find(head);
      if (understood.size < 1000) understood.set(head, route);
      if (route.delayMs === 0) send(socket, route);
      else setTimeout(send, route.delayMs, socket, route);
    }
  });
}

function send(socket: Socket, route: Route): void {
  const pieces = route.answer();
  if (pieces.length > 1) socket.cork();
  for (const piece of pieces) socket.write(piece);
  if (pieces.length > 1) socket.uncork();
}

const server = createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined });
});
process.on('disconnect', () => process.exit(0));
