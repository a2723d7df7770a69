/** The middle one, or the mean of the two in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low = Number.NaN, high = Number.NaN] = [(sorted.length - 1) >> 1, sorted.length >> 1].map((at) => sorted[at]);
  return (low + high) / 2;
}

/** The median of what each round's pair says: rounds are minutes apart, and the machine is not the same all the time. */
export function medianRatio(values: readonly number[], bases: readonly number[]): number {
  return median(values.map((value, round) => value / (bases[round] ?? Number.NaN)));
}

/** The same for what the values are more than their bases. */
export function medianDifference(values: readonly number[], bases: readonly number[]): number {
  return median(values.map((value, round) => value - (bases[round] ?? Number.NaN)));
}
