/** One operation's place among all that are under way. */
export interface Turn {
  /** Whoever costs least goes first, so that nobody who asks for little waits for all who ask for much. */
  cost: number;
  /** Resolves when it is its turn, which lasts until it waits for anything else than promises. */
  take(): Promise<void>;
}

/** Lets what holds up the event loop go one after the other, with a look between at who came in and what was read. */
export function createTurns(): { join(): Turn } {
  const waiting: { readonly turn: Turn; start(): void }[] = [];

  function next(): void {
    const least = Math.min(...waiting.map(({ turn }) => turn.cost));
    const index = waiting.findIndex(({ turn }) => turn.cost === least);
    waiting.splice(index, 1)[0]?.start();
    if (waiting.length > 0) setImmediate(next);
  }

  return {
    join() {
      const turn: Turn = {
        cost: 0,
        take: () =>
          new Promise((start) => {
            if (waiting.push({ turn, start }) === 1) setImmediate(next);
          }),
      };
      return turn;
    },
  };
}
