import { readmeBlocks } from '../../support/readme.ts';

/** What a neighbour writes first: the version of federation, and what it uses of it. */
function link(version: string, ...names: readonly string[]): string {
  const imports = names.map((name) => `"${name}"`).join(', ');
  return `extend schema @link(url: "https://specs.apollo.dev/federation/${version}", import: [${imports}])`;
}

/**
 * As the README shows them: one with teams that own webhooks of any provider, one with a field for the webhooks of one
 * provider, and what one with pages of its own must have.
 */
export const [teams = '', incidents = '', pageInfo = ''] = readmeBlocks('graphqls', 'In a supergraph');

const orders = `
  type Order { number: Int! madeAt: DateTime }
  type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
  type Query { orders(first: Int): OrderConnection }
  scalar DateTime
`;

/** Has pages of its own, with this `PageInfo`. */
export function pages(type: string): string {
  return [link('v2.3', '@shareable'), type, orders].join('\n');
}

/** Owns `Query.node`, with what its `Node` has beside an id. */
export function nodes(field = ''): string {
  return `${link('v2.3', '@key')}
    interface Node { id: ID! ${field} }
    type Product implements Node @key(fields: "id") { id: ID! name: String! ${field} }
    type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! }
  `;
}

/** Has a `Webhook` of its own that means something else. */
export const clash = `${link('v2.3')}
  type Webhook { id: ID! url: String! }
  type Query { webhookOfPayments: Webhook }
`;

/** Adds a provider of its own, which only hookgraph can. */
export const implementer = `${link('v2.3', '@key')}
  interface Webhook @key(fields: "id") { id: ID! }
  type AcmeWebhook implements Webhook @key(fields: "id") { id: ID! }
  type Query { acmeWebhooks: [AcmeWebhook!] }
`;

/** Speaks the first federation 2: refers to the webhooks of one provider, and extends sources. */
export const old = `${link('v2.0', '@key', '@shareable')}
  ${pageInfo}
  type Contract @key(fields: "id") { id: ID! webhook: DiligentWebhook }
  type DiligentWebhook @key(fields: "id", resolvable: false) { id: ID! }
  type WebhookSource @key(fields: "id") { id: ID! contract: Contract }
  type Query { contracts: [Contract!] }
`;
