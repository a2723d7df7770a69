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

const whyItFails = `# Diligent keeps a log of deliveries. The id is below.
query WhyItFails($id: ID!) {
  webhook(id: $id) {
    url
    healthReason
    ... on DiligentWebhook {
      failureSummary {
        attempts
        consecutiveFailures
        firstFailedAt
        lastSucceededAt
        statusClasses { statusClass count }
      }
      deliveries(first: 10) {
        totalCount
        nodes {
          id
          event
          at
          httpStatus
          succeeded
        }
        complete
      }
    }
  }
}`;

const redeliver = `# Put the id of a delivery below: the tab before this
# one shows some.
mutation Redeliver($id: ID!) {
  redeliverWebhookDelivery(input: { id: $id }) {
    webhook {
      ... on DiligentWebhook {
        deliveries(first: 3) {
          nodes { id at httpStatus }
          complete
        }
      }
    }
    userErrors { field message code }
  }
}`;

const create = `# It shows up in the overview. Diligent has room for ten.
mutation Create {
  createDiligentWebhook(
    input: {
      url: "https://hooks.acme.example/new"
      events: ["cdd_state_changed"]
      secret: "made up for this tab"
    }
  ) {
    webhook {
      id
      url
      events
      hasSecret
      health
    }
    userErrors { field message code }
    warnings { field message code }
  }
}`;

const update = `# Switches the webhook of WhyItFails off.
mutation Update($id: ID!) {
  updateDiligentWebhook(input: { id: $id, isActive: false }) {
    webhook {
      id
      url
      enabled
      health
    }
    userErrors { field message code }
    warnings { field message code }
  }
}`;

const remove = `# What becomes of it if you run this twice?
mutation Delete($id: ID!) {
  deleteWebhook(input: { id: $id }) {
    deletedId
    userErrors { field message code }
  }
}`;

/** Webhooks of the sandbox. */
const works = encodeId('ApiMallWebhook', 'apimall', '8');
const fails = encodeId('DiligentWebhook', 'diligent', '7d1c2b90-2f7e-4a43-8a6d-5d7f0a9be3c2');
const isOld = encodeId('ApiMallWebhook', 'apimall', '21');

/** Tabs that read. Each runs as it stands, in the sandbox. */
export const readingTabs = [
  { query: overview },
  { query: failing },
  { query: oneProvider },
  { query: byId, variables: idVariable(works) },
  { query: sources },
  { query: whyItFails, variables: idVariable(fails) },
];

/** Tabs that change webhooks. One needs an id that is made as time goes on. */
export const writingTabs = [
  { query: redeliver, variables: idVariable('') },
  { query: create },
  { query: update, variables: idVariable(fails) },
  { query: remove, variables: idVariable(isOld) },
];

function idVariable(id: string): string {
  return JSON.stringify({ id }, null, 2);
}
