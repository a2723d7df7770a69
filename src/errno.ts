const errnoPattern = /^[A-Z][A-Z0-9_]{1,63}$/;

/** The word of the system or of a library that a failure goes back to, such as ECONNREFUSED; null where there is none. */
export function errnoOf(error: unknown, depth = 0): string | null {
  if (!(error instanceof Error) || depth > 4) return null;
  const { code } = error as { code?: unknown };
  return errnoOf(error.cause, depth + 1) ?? (typeof code === 'string' && errnoPattern.test(code) ? code : null);
}
