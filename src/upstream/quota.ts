/** What may be taken at once: of calls, or of bytes. Whoever takes gives back, however it ends. */
export interface Quota {
  /** Takes this much, or nothing and answers false where so much is not left. */
  take(amount: number): boolean;
  give(amount: number): void;
}

/** Opens a quota of which nothing is taken, if with `whole` as a part of that: what is taken counts in both. */
export function createQuota(most: number, whole?: Quota): Quota {
  let taken = 0;
  return {
    take(amount) {
      if (taken + amount > most || whole?.take(amount) === false) return false;
      taken += amount;
      return true;
    },
    give(amount) {
      taken -= amount;
      whole?.give(amount);
    },
  };
}
