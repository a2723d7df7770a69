import { Socket } from 'node:net';
import { readCpuMicros, readResidentKiB } from './process-figures.ts';

/** What the generator is told to do, as a message. */
export interface Job {
  readonly port: number;
  /** The whole request as it goes out, head and body. */
  readonly request: string;
  readonly connections: number;
  /** Milliseconds before counting begins, in which connections and code warm up. */
  readonly leadMs: number;
  /** Milliseconds that are counted. */
  readonly ms: number;
  /** Bytes that the body of every answer must have; null takes any. */
  readonly bodyBytes: number | null;
  /** The process whose time is counted with the requests. */
  readonly pid: number;
}

/** What was seen while counting. */
export interface JobResult {
  readonly requests: number;
  /** Answers of status 503 while counting: these are not among `requests`. */
  readonly refused: number;
  /** Answers of any other status, or of another length, also before counting began. */
  readonly wrong: number;
  /** The first of them as text, cut. */
  readonly firstWrong: string | null;
  readonly elapsedMs: number;
  /** Processor time of the process, user and system. */
  readonly cpuMicros: number;
  readonly residentKiB: number;
  /** From a request's first byte to the last of its answer. */
  readonly medianMs: number;
}

// One buffer for all sockets: what is in it is read before the next read, and nothing is kept of it.
const shared = Buffer.allocUnsafe(262_144);

/** Runs a job: every connection sends its next request when it has its answer whole. */
function run({ port, request, connections, leadMs, ms, bodyBytes, pid }: Job): Promise<JobResult> {
  return new Promise((resolve) => {
    const bytes = Buffer.from(request);
    const latencies: number[] = [];
    let refused = 0;
    let wrong = 0;
    let firstWrong: string | null = null;
    let isCounting = false;
    let isOver = false;
    const complain = (what: string) => {
      wrong += 1;
      firstWrong ??= what.slice(0, 400);
    };
    const sockets = new Set<Socket>();
    const connect = () => {
      let sentAt = 0;
      const reader = createAnswerReader((head, length) => {
        const isRefused = head.startsWith('HTTP/1.1 503');
        if (isCounting && isRefused) refused += 1;
        else if (!head.startsWith('HTTP/1.1 200') || (bodyBytes !== null && (length ?? bodyBytes) !== bodyBytes))
          complain(`${length} bytes after ${head}`);
        if (isOver) return;
        const now = performance.now();
        if (isCounting && !isRefused) latencies.push(now - sentAt);
        sentAt = now;
        socket.write(bytes);
      });
      const socket = new Socket({
        onread: { buffer: shared, callback: (size) => reader(shared, size) },
      } as ConstructorParameters<typeof Socket>[0]);
      sockets.add(socket);
      socket.setNoDelay(true);
      // Who refuses ends the connection, too.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        if (!isOver) connect();
      });
      socket.connect(port, '127.0.0.1', () => {
        sentAt = performance.now();
        socket.write(bytes);
      });
    };
    for (let count = 0; count < connections; count++) connect();
    setTimeout(() => {
      isCounting = true;
      const startedAt = performance.now();
      const cpuAtStart = readCpuMicros(pid);
      setTimeout(() => {
        isOver = true;
        const cpuMicros = readCpuMicros(pid) - cpuAtStart;
        const elapsedMs = performance.now() - startedAt;
        const residentKiB = readResidentKiB(pid);
        for (const socket of sockets) socket.destroy();
        const medianMs = latencies.sort((a, b) => a - b)[latencies.length >> 1] ?? Number.NaN;
        resolve({
          requests: latencies.length,
          refused,
          wrong,
          firstWrong,
          elapsedMs,
          cpuMicros,
          residentKiB,
          medianMs,
        });
      }, ms);
    }, leadMs);
  });
}

/**
 * Finds where answers end in what one connection brings, and calls `done` with the head and the length of the body, null with chunks. Knows
 * `content-length` and chunks, and as much of HTTP as servers answer JSON with, no more.
 */
function createAnswerReader(
  done: (head: string, length: number | null) => void,
): (buffer: Buffer, size: number) => boolean {
  let head = '';
  /** Bytes of the body that are still to come; null while the head is read, infinite with chunks. */
  let left: number | null = null;
  let length: number | null = null;
  /** The last characters, to see the end of the last chunk in. */
  let tail = '';
  return (buffer, size) => {
    let start = 0;
    if (left === null) {
      head += buffer.toString('latin1', 0, size);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return true;
      start = size - (head.length - end - 4);
      head = head.slice(0, end);
      const [, declared] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
      left = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
      length = declared === undefined ? null : left;
    }
    if (left === Number.POSITIVE_INFINITY) {
      tail = (tail + buffer.toString('latin1', Math.max(start, size - 5), size)).slice(-5);
      if (tail === '0\r\n\r\n') left = 0;
    } else left -= size - start;
    if (left === 0) {
      const whole = head;
      head = tail = '';
      left = null;
      done(whole, length);
    }
    return true;
  };
}

process.on('message', async (job: Job) => process.send?.(await run(job)));
process.on('disconnect', () => process.exit(0));
