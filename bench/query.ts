const fields = `id url events health enabled lastDelivery { at }
      ... on ApiMallWebhook { apiKeyId totalSent totalFailed lastSentAt lastError }
      ... on DiligentWebhook { isActive hasSecret lastDeliveryAt lastDeliveryStatus }`;

/** The operations that every contestant is asked, by the names that the tables use. They are fixed: a change is a new benchmark. */
export const queries = {
  list: `query List {
  webhooks(first: 1000) {
    nodes {
      ${fields}
    }
  }
}`,
  report: `query Report {
  webhooks(first: 1000) {
    nodes {
      ${fields}
      healthReason
    }
    complete
    sources { state itemCount }
  }
}`,
} as const;

export type QueryName = keyof typeof queries;
export const queryNames = Object.keys(queries) as QueryName[];

/** The operation for lists that are longer than a page. */
export const countQuery = `query Count {
  webhooks(first: 1000) {
    totalCount
    nodes {
      ${fields}
    }
  }
}`;
