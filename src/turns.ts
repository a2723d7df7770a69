/** One operation's place among all that are under way. */
export interface Turn {
  /** Whoever costs least goes first, so that nobody who asks for little waits for all who ask for much. */
  cost: number;
  /** Resolves when it is its turn, which lasts until it waits for anything else than promises. */
  take(): Promise<void>;
}

/**
 * Lets all work go on at once for `sliceMs` milliseconds, and what would hold up the event loop for longer one after the
 * other, with a look between at who came in and what was read. (Turns for all work would cost a third of the requests.)
 */
export function createTurns(sliceMs = 20): { join(): Turn } {
  const waiting: { readonly turn: Turn; start(): void }[] = [];
  let sliceEndsAt: number | undefined;
  let isBusy = false;

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
    isBusy = waiting.length > 0;
    if (!isBusy) return;
    if (isTimeLeft()) next();
    // Not the next time round but the one after: what was read until then takes its place in line first.
    else setImmediate(() => setImmediate(next));
  }

  function next(): void {
    const least = Math.min(...waiting.map(({ turn }) => turn.cost));
    const index = waiting.findIndex(({ turn }) => turn.cost === least);
    waiting.splice(index, 1)[0]?.start();
    // A tick comes when nothing is left to do for promises, so when this turn is over.
    queueMicrotask(() => process.nextTick(goOn));
  }

  return {
    join() {
      const turn: Turn = {
        cost: 0,
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
