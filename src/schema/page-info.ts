import type { Page } from '../page.ts';

/** What Relay's `PageInfo` shows of a page. */
export function describePage<R>({ rows, cursor, hasNextPage, hasPreviousPage }: Page<R>) {
  const [first, last] = [rows.at(0), rows.at(-1)];
  return {
    hasNextPage,
    hasPreviousPage,
    startCursor: first ? cursor(first) : null,
    endCursor: last ? cursor(last) : null,
  };
}
