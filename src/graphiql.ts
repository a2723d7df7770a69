import type { GraphiQLOptions, Plugin } from 'graphql-yoga';
import { encodeId } from './webhook.ts';

const overview = `# hookgraph: the webhooks of all your providers
# as one list. Run a tab with Ctrl+Enter.
query Overview {
  webhooks(first: 50) {
    totalCount
    healthCounts { health count }
    nodes {
      url
      provider
      health
      healthReason
      enabled
      events
      lastDelivery { at succeeded }
      ... on ApiMallWebhook {
        totalSent
        totalFailed
        successRate
      }
      ... on DiligentWebhook {
        hasSecret
        lastDeliveryStatus
      }
    }
    complete
    sources {
      source { name }
      state
      itemCount
      error { code message }
    }
  }
}`;

const failing = `query FailingOnly {
  webhooks(
    filter: { health: [FAILING] }
    orderBy: {
      field: LAST_DELIVERY_AT
      direction: DESC
    }
  ) {
    totalCount
    nodes {
      url
      provider
      healthReason
      lastDelivery { at httpStatus error }
    }
    complete
  }
}`;

const oneProvider = `# The other providers get no call.
query OneProvider {
  webhooks(filter: { provider: [DILIGENT] }) {
    nodes {
      id
      url
      health
      status
      ... on DiligentWebhook {
        isActive
        hasSecret
        lastDeliveryAt
        lastDeliveryStatus
      }
    }
    complete
  }
}`;

const byId = `# The id is among the variables below: put one from the
# overview there.
query WebhookById($id: ID!) {
  webhook(id: $id) {
    id
    externalId
    url
    host
    source { key name }
    status
    health
    healthReason
    secretConfigured
    createdAt
    updatedAt
  }
}`;

const sources = `query Sources {
  webhookSources {
    key
    name
    provider
    capabilities
    webhooks {
      totalCount
      complete
      sources { state durationMs }
    }
  }
}`;

const tabs = [
  { query: overview },
  { query: failing },
  { query: oneProvider },
  { query: byId, variables: JSON.stringify({ id: encodeId('ApiMallWebhook', 'apimall', '8') }, null, 2) },
  { query: sources },
];

/** A header that a browser can send as it stands, so that the answer to it says what is missing. */
const tokenHeaders = JSON.stringify({ authorization: 'Bearer YOUR-TOKEN' }, null, 2);

const tokenHint = `# Each tab needs a token. Put yours in place of
# YOUR-TOKEN below, under "Headers", and press the
# round arrow on the left, which fetches the schema.
#
`;

/** GraphiQL as a newcomer meets it: tabs that run as they stand, but for the token if one is needed, named by their operations. */
export function createGraphiqlOptions(needsToken: boolean): GraphiQLOptions {
  // Headers hold tokens and keys, which a browser is not to keep.
  const common = { shouldPersistHeaders: false };
  if (!needsToken) return { ...common, title: 'hookgraph', defaultTabs: tabs };
  const [first = { query: '' }, ...others] = tabs;
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
