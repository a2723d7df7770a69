import { graphql } from 'relay-runtime';

export const query = graphql`
  query webhooksQuery($count: Int!) {
    ...webhooks_list @arguments(count: $count)
  }
`;

export const list = graphql`
  fragment webhooks_list on Query
  @refetchable(queryName: "webhooksPageQuery")
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" }) {
    webhooks(first: $count, after: $cursor) @connection(key: "webhooks_list_webhooks") {
      edges {
        node {
          id
          ...webhooks_card
        }
      }
      complete
    }
  }
`;

export const card = graphql`
  fragment webhooks_card on Webhook @refetchable(queryName: "webhooksCardQuery") {
    url
    health
    lastDelivery {
      at
    }
  }
`;
