/** Does a piece of work when its turn comes. */
export type Line = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets so many pieces of work go on at once; the others wait, the first first. */
export function createLine(most: number): Line {
  const waiting: (() => void)[] = [];
  let going = 0;
  return async (work) => {
    if (going < most) going += 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else going -= 1;
    }
  };
}
