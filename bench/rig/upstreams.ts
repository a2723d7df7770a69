import type { RowKind } from './rows.ts';

/** The only key that both upstreams accept. */
export const upstreamKey = 'sk-bench-key';

/** What a list of the stub is like. */
export interface UpstreamShape {
  readonly rows: RowKind;
  /** Webhooks for each of the two upstreams. */
  readonly count: number;
  /** Milliseconds before each answer. */
  readonly delayMs: number;
}

/** The variables that lead a contestant to the stub. */
export function upstreamVariables(port: number, { rows, count, delayMs }: UpstreamShape): Record<string, string> {
  const base = `http://127.0.0.1:${port}/${rows}-${count}-${delayMs}`;
  return {
    APIMALL_API_URL: `${base}/api/v1`,
    APIMALL_API_KEY: upstreamKey,
    DILIGENT_API_URL: base,
    DILIGENT_API_KEY: upstreamKey,
  };
}
