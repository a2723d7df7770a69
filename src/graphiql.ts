import type { GraphiQLOptions, Plugin } from 'graphql-yoga';
import { readingTabs, writingTabs } from './graphiql-tabs.ts';

/** A header that a browser can send as it stands, so that the answer to it says what is missing. */
const tokenHeaders = JSON.stringify({ authorization: 'Bearer YOUR-TOKEN' }, null, 2);

const tokenHint = `# Each tab needs a token. Put yours in place of
# YOUR-TOKEN below, under "Headers", and press the
# round arrow on the left, which fetches the schema.
#
`;

/** What decides how GraphiQL begins. */
export interface GraphiqlSettings {
  /** Whether callers need a token, for the page to say so. */
  readonly needsToken: boolean;
  /** Whether webhooks may be changed. */
  readonly writes: boolean;
}

/** GraphiQL as a newcomer meets it: tabs that run as they stand, but for the token if one is needed, named by their operations. */
export function createGraphiqlOptions({ needsToken, writes }: GraphiqlSettings): GraphiQLOptions {
  // Headers hold tokens and keys, which a browser is not to keep.
  const common = { shouldPersistHeaders: false };
  const shown = writes ? [...readingTabs, ...writingTabs] : readingTabs;
  if (!needsToken) return { ...common, title: 'hookgraph', defaultTabs: shown };
  const [first = { query: '' }, ...others] = shown;
  return {
    ...common,
    title: 'hookgraph (needs a token)',
    defaultHeaders: tokenHeaders,
    defaultTabs: [{ ...first, query: tokenHint + first.query }, ...others],
  };
}

// GraphiQL 5 shifts a tab sideways while it is pressed, so that the click misses it.
const steadyTabs = '<style>.graphiql-tab { transform: none !important }</style>';

/** Renders the page from the package on disk: nothing is loaded from another host. Loaded on first use, as it is large. */
export async function renderGraphiql(options: GraphiQLOptions): Promise<string> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options).replace('</title>', `</title>${steadyTabs}`);
}

/** What the page may do in a browser: run its own scripts, and talk to its own origin. */
const pagePolicy = [
  "default-src 'self'",
  "script-src 'self' 'unsafe-inline' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Lets the page run where the front door lets no page do anything. */
export function useGraphiqlPolicy(): Plugin {
  return {
    onResponse({ response }) {
      if (!response.headers.get('content-type')?.startsWith('text/html')) return;
      response.headers.set('content-security-policy', pagePolicy);
    },
  };
}
