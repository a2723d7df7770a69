import { vi } from 'vitest';

/** Waits until what is expected is so, however busy the machine is; unlike `expect.poll`, also in tests that run at the same time. */
export function eventually<T>(check: () => T | Promise<T>, interval = 20): Promise<T> {
  return vi.waitFor(check, { timeout: 12_000, interval });
}
