import { fstatSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { pino } from 'pino';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The least that is written. */
export type LogLevel = (typeof logLevels)[number];

/** What a line holds beside its message. Whoever writes one names each field: no object of others is ever passed on. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Where lines go. Writing never waits and never throws. */
export interface Log {
  isOn(level: Exclude<LogLevel, 'silent'>): boolean;
  write(level: Exclude<LogLevel, 'silent'>, message: string, fields: LogFields): void;
  /** Hands on what was written so far, as far as it is taken at once. */
  flush(): void;
  /** The same for the end: waits a second at most for whoever reads. */
  close(): Promise<void>;
}

/**
 * What is handed on at once: to a pipe, no more than it takes whole or not at all (PIPE_BUF of pipe(7)). A file takes all, and
 * fewer writes to it cost less.
 */
const chunkBytes = { pipe: 4096, file: 16_384 };
/** What waits for a reader that takes nothing. Lines beyond are left out. */
const mostWaitingBytes = 1_048_576;
const flushMs = 200;
const closeMs = 1000;

/**
 * Opens the log on standard output: a line of JSON each, or in a terminal what people read. `onDrop` is called for each line
 * that finds no room, because nobody takes those before it.
 */
export async function createLog(level: LogLevel, onDrop: () => void): Promise<Log> {
  const { stream, flush, close } = process.stdout.isTTY ? await openTerminal() : openFile(onDrop);
  const least = logLevels.indexOf(level);
  const isOn: Log['isOn'] = (asked) => logLevels.indexOf(asked) >= least;
  const now = createClock();
  return {
    isOn,
    write(at, message, fields) {
      if (!isOn(at)) return;
      // In one go: pino makes the text of each member apart, which is three times the work.
      const members = JSON.stringify({ ...fields, msg: message }).slice(1);
      stream.write(`{"level":"${at}","time":"${now()}",${members}\n`);
    },
    flush,
    close,
  };
}

/** The time as ISO 8601. Made anew once a second, as `toISOString` is what a line would cost most. */
function createClock(): () => string {
  let second = Number.NaN;
  let upToSecond = '';
  return () => {
    const now = Date.now();
    const ms = now % 1000;
    if (now - ms !== second) {
      second = now - ms;
      upToSecond = new Date(second).toISOString().slice(0, -4);
    }
    return `${upToSecond}${String(ms).padStart(3, '0')}Z`;
  };
}

type Output = Pick<Log, 'flush' | 'close'> & { readonly stream: { write(line: string): unknown } };

function openFile(onDrop: () => void): Output {
  // Asking for it makes a pipe one that does not block. (Its own writes would wait in memory without a bound.)
  const { fd } = process.stdout;
  const most = fstatSync(fd).isFile() ? chunkBytes.file : chunkBytes.pipe;
  const stream = pino.destination({
    dest: fd,
    sync: true,
    // With none, sonic-boom would not offer again what was not taken.
    minLength: 1,
    maxWrite: most,
    maxLength: mostWaitingBytes,
    // What is not taken stays, and is offered again with what comes next.
    retryEAGAIN: () => false,
  });
  stream.on('error', () => {});
  stream.on('drop', (lines: string) => {
    for (const _ of lines.matchAll(/\n/g)) onDrop();
  });
  // Collected here, as sonic-boom measures all that waits at each line.
  let lines = '';
  let bytes = 0;
  function handOn(): void {
    if (bytes > 0) stream.write(lines);
    lines = '';
    bytes = 0;
  }
  function flush(): void {
    handOn();
    stream.flush();
  }
  function isFlushed(): boolean {
    try {
      handOn();
      stream.flushSync();
      return true;
    } catch {
      return false;
    }
  }
  setInterval(flush, flushMs).unref();
  process.on('exit', isFlushed);
  return {
    stream: {
      write(line) {
        const more = Buffer.byteLength(line);
        if (bytes + more > most) handOn();
        lines += line;
        bytes += more;
      },
    },
    flush,
    async close() {
      const endsAt = performance.now() + closeMs;
      while (!isFlushed() && performance.now() < endsAt) await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

async function openTerminal(): Promise<Output> {
  const { default: pretty } = await import('pino-pretty');
  const stream = pretty({ sync: true, translateTime: 'SYS:HH:MM:ss.l' });
  return { stream, flush() {}, close: async () => {} };
}

/** Writes nothing. */
export const silentLog: Log = { isOn: () => false, write() {}, flush() {}, close: async () => {} };

const longestName = 64;
const longestMessage = 500;
const longestStack = 2000;
const mostCauses = 4;

/**
 * A fault as a developer needs it: name, code, message, stack and what caused it, all of them bounded, and none of its other
 * properties.
 */
export function describeError(error: unknown, depth = 0): LogFields {
  if (!(error instanceof Error)) return { name: typeof error, message: printable(String(error), longestMessage) };
  const { code } = error as { code?: unknown };
  // GraphQL wraps what a resolver throws, and says so in a way of its own.
  const inner = error.cause ?? (error as { originalError?: unknown }).originalError;
  return {
    name: printable(error.name, longestName),
    ...(typeof code === 'string' && { code: printable(code, longestName) }),
    message: printable(error.message, longestMessage),
    stack: printable(framesOf(error), longestStack, '\n'),
    ...(inner != null && depth < mostCauses && { cause: describeError(inner, depth + 1) }),
  };
}

/** The stack without the message, which may be longer than there is room. */
function framesOf({ stack = '', message }: Error): string {
  const from = stack.indexOf(message) + message.length;
  return stack.slice(stack.indexOf('\n', from) + 1);
}

/** Text that is not ours, cut at a length, without what a terminal or a viewer of logs would act upon; `kept` may stay. */
export function printable(text: string, longest: number, kept = ''): string {
  return text
    .slice(0, longest)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
      character === kept ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
