import { performance } from 'node:perf_hooks';

/** One operation's place among all that are under way. */
export interface Turn {
  /** Whoever costs least goes first, so that nobody who asks for little waits for all who ask for much. */
  cost: number;
  /**
   * Sets the cost, and resolves when it may ask for what it is to work on. What is asked for while enough wait for their turn
   * already would only wait there, too, and meanwhile take room and grow old. Nobody waits here for longer than a moment while there
   * is nothing to do, and for longer than a second at all: the deadlines of sources begin later, and have to end in time.
   */
  begin(cost: number): Promise<void>;
  /** Tells that it needs no turn: somebody else may begin. */
  pass(): void;
  /** Resolves when it is its turn, which lasts until it waits for anything else than promises. */
  take(): Promise<void>;
}

/** Those who share one event loop. */
export interface Turns {
  join(): Turn;
}

interface Waiting {
  readonly turn: Turn;
  start(): void;
}

interface Held extends Waiting {
  /** By `performance.now()`. */
  readonly since: number;
}

/** So many operations that wait for a turn are enough to do while more is asked for. */
const enough = 4;
const longestHoldMs = 1000;
/** Milliseconds after which it is seen that there is nothing to do. */
const lookMs = 1;

/**
 * Lets all work go on at once for `sliceMs` milliseconds, and what would hold up the event loop for longer one after the
 * other, with a look between at who came in and what was read. (Turns for all work would cost a third of the requests.)
 */
export function createTurns(sliceMs = 20): Turns {
  const waiting: Waiting[] = [];
  /** Those who are to begin later. */
  const held: Held[] = [];
  let sliceEndsAt: number | undefined;
  let isBusy = false;
  let lookTimer: NodeJS.Timeout | undefined;
  /** Milliseconds for which the event loop had nothing to do, at the last look. */
  let idleMs = 0;
  /** How many begin where it had nothing to do again. */
  let more = 1;

  function hold(turn: Turn): Promise<void> {
    if (!lookTimer) {
      idleMs = performance.eventLoopUtilization().idle;
      more = 1;
      lookTimer = setTimeout(look, lookMs);
    }
    return new Promise((start) => held.push({ turn, since: performance.now(), start }));
  }

  /** What others wait for that were asked may take long: then more and more begin. */
  function look(): void {
    const { idle } = performance.eventLoopUtilization();
    more = idle > idleMs ? more * 2 : 1;
    idleMs = idle;
    beginHeld(more);
    const late = performance.now() - longestHoldMs;
    // Those who came first stand first.
    while (held[0] && held[0].since < late) held.shift()?.start();
    lookTimer = held.length > 0 ? setTimeout(look, lookMs) : undefined;
  }

  function mayBegin(cost: number): boolean {
    let before = 0;
    let last: Turn | undefined;
    for (const { turn } of waiting) {
      // The lists of one operation come together, and each waits for a turn of its own.
      if (turn !== last && turn.cost <= cost) before += 1;
      last = turn;
    }
    return before < enough;
  }

  function beginHeld(most: number): void {
    for (let count = Math.min(most, held.length); count > 0; count--) takeCheapest(held, mayBegin)?.start();
  }

  /** A slice ends when the event loop goes on by itself, too. */
  function isTimeLeft(): boolean {
    if (sliceEndsAt === undefined) {
      sliceEndsAt = performance.now() + sliceMs;
      setImmediate(() => {
        sliceEndsAt = undefined;
      });
    }
    return performance.now() < sliceEndsAt;
  }

  function goOn(): void {
    beginHeld(1);
    isBusy = waiting.length > 0;
    if (!isBusy) return;
    if (isTimeLeft()) next();
    // Not the next time round but the one after: what was read until then takes its place in line first.
    else setImmediate(() => setImmediate(next));
  }

  function next(): void {
    takeCheapest(waiting)?.start();
    // A tick comes when nothing is left to do for promises, so when this turn is over.
    queueMicrotask(() => process.nextTick(goOn));
  }

  return {
    join() {
      const turn: Turn = {
        cost: 0,
        async begin(cost) {
          turn.cost = cost;
          if (!mayBegin(cost) || held.some((other) => other.turn.cost <= cost)) await hold(turn);
        },
        pass: () => beginHeld(1),
        take: () =>
          new Promise((start) => {
            waiting.push({ turn, start });
            // In a moment, so that the cheapest of all who come at once goes first.
            if (!isBusy) queueMicrotask(() => process.nextTick(goOn));
            isBusy = true;
          }),
      };
      return turn;
    },
  };
}

/** Takes out of a line who costs least; of several, who came first. */
function takeCheapest(line: Waiting[], may: (cost: number) => boolean = () => true): Waiting | undefined {
  let cheapest = line[0];
  for (const one of line) if (cheapest && one.turn.cost < cheapest.turn.cost) cheapest = one;
  if (!cheapest || !may(cheapest.turn.cost)) return undefined;
  line.splice(line.indexOf(cheapest), 1);
  return cheapest;
}
