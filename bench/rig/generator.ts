import { Socket } from 'node:net';
import { createAnswerReader } from './answer-reader.ts';
import { readCpuMicros, readResidentKiB } from './process-figures.ts';

/** What the generator is told to do, as a message. */
export interface Job {
  readonly port: number;
  /** The whole request as it goes out, head and body. */
  readonly request: string;
  readonly connections: number;
  /** Milliseconds before counting begins, in which connections and code warm up. */
  readonly leadMs: number;
  /** Milliseconds that are counted at least. */
  readonly ms: number;
  /** Requests that are counted at least, unless that takes ten times as long, and ten seconds. */
  readonly leastRequests: number;
  /** Bytes that the body of every answer must have; null takes any. */
  readonly bodyBytes: number | null;
  /** The process whose time is counted with the requests. */
  readonly pid: number;
}

/** What was seen while counting. */
export interface JobResult {
  readonly requests: number;
  /** Answers of status 503: these are not among `requests`. */
  readonly refused: number;
  /** Answers of any other status or of another length: nor are these. */
  readonly wrong: number;
  /** What the first of them was. */
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
function run(job: Job): Promise<JobResult> {
  return new Promise((resolve) => {
    const bytes = Buffer.from(job.request);
    const sockets = new Set<Socket>();
    const count = createCount(job, (result) => {
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
      resolve(result);
    });
    function connect(): void {
      let sentAt = 0;
      const send = () => {
        sentAt = performance.now();
        socket.write(bytes);
      };
      const reader = createAnswerReader((head, length) => {
        count.answer(head, length, performance.now() - sentAt);
        send();
      });
      const onread = { buffer: shared, callback: (size: number) => reader(shared, size) };
      const socket = new Socket({ onread } as ConstructorParameters<typeof Socket>[0]);
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      // Who refuses a request ends its connection, too.
      socket.on('close', () => {
        sockets.delete(socket);
        connect();
      });
      socket.connect(job.port, '127.0.0.1', send);
    }
    for (let opened = 0; opened < job.connections; opened++) connect();
  });
}

/**
 * Counts from one answer to another: slow contestants answer all connections at about the same time and then none for long, so
 * that a window between any two moments would hold one such wave too many or too few.
 */
function createCount({ leadMs, ms, leastRequests, bodyBytes, pid }: Job, done: (result: JobResult) => void) {
  const latencies: number[] = [];
  const leadEndsAt = performance.now() + leadMs;
  let start: { readonly at: number; readonly cpuMicros: number } | null = null;
  let refused = 0;
  let wrong = 0;
  let firstWrong: string | null = null;
  const giveUp = setTimeout(finish, leadMs + Math.max(10 * ms, 10_000));

  function finish(): void {
    clearTimeout(giveUp);
    const elapsedMs = performance.now() - (start?.at ?? leadEndsAt);
    const cpuMicros = readCpuMicros(pid) - (start?.cpuMicros ?? 0);
    const medianMs = latencies.sort((a, b) => a - b)[latencies.length >> 1] ?? Number.NaN;
    const seen = { requests: latencies.length, refused, wrong, firstWrong };
    done({ ...seen, elapsedMs, cpuMicros, residentKiB: readResidentKiB(pid), medianMs });
  }

  return {
    answer(head: string, length: number | null, latencyMs: number): void {
      const isRefused = head.startsWith('HTTP/1.1 503');
      const isRight = head.startsWith('HTTP/1.1 200') && (bodyBytes ?? length) === (length ?? bodyBytes);
      const now = performance.now();
      if (start === null) {
        if (now >= leadEndsAt) start = { at: now, cpuMicros: readCpuMicros(pid) };
        return;
      }
      if (isRight) latencies.push(latencyMs);
      else if (isRefused) refused += 1;
      else {
        wrong += 1;
        firstWrong ??= `${length} bytes instead of ${bodyBytes}, ${head.slice(0, head.indexOf('\r\n'))}`;
      }
      if (now - start.at >= ms && latencies.length >= leastRequests) finish();
    },
  };
}

process.on('message', async (job: Job) => process.send?.(await run(job)));
process.on('disconnect', () => process.exit(0));
