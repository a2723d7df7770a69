import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buildASTSchema, graphql, parse } from 'graphql';
import { startUpstream, type TestUpstream } from '../../support/upstream.ts';

/** A team, with the ids of the webhooks that it owns. */
export interface Team {
  readonly id: string;
  readonly name: string;
  readonly webhookIds: readonly string[];
}

/** What federation has every subgraph serve. */
const machinery = `
  scalar _Any
  union _Entity = Team | Webhook
  extend type Query { _entities(representations: [_Any!]!): [_Entity]! }
`;

/** Serves teams under a schema such as `teams` in `neighbours.ts`; `Webhook` is an object to all that extend the interface. */
export async function startTeams(sdl: string, listTeams: () => readonly Team[]): Promise<TestUpstream> {
  const schema = buildASTSchema(parse(sdl + machinery), { assumeValidSDL: true });
  const teamOf = (id: string) => listTeams().find(({ webhookIds }) => webhookIds.includes(id)) ?? null;
  const webhook = (id: string) => ({ __typename: 'Webhook', id, team: () => show(teamOf(id)) });
  const show = (team: Team | null | undefined) =>
    team && { __typename: 'Team', ...team, webhooks: () => team.webhookIds.map(webhook) };

  function find({ __typename, id }: { __typename: string; id: string }) {
    if (__typename === 'Webhook') return webhook(id);
    if (__typename === 'Team') return show(listTeams().find((team) => team.id === id));
    throw new Error(`There is no ${__typename} here.`);
  }
  const rootValue = {
    teams: () => listTeams().map(show),
    _entities: ({ representations }: { representations: Parameters<typeof find>[0][] }) => representations.map(find),
  };
  return startUpstream(
    graphqlListener(({ query, variables }) =>
      graphql({ schema, rootValue, source: query, variableValues: variables ?? null }),
    ),
  );
}

/** A GraphQL request as JSON brings it. */
export interface GraphqlBody {
  readonly query: string;
  readonly variables?: Record<string, unknown> | null;
  readonly operationName?: string | null;
}

/** Answers POST requests with what `execute` makes of their bodies. */
export function graphqlListener(execute: (body: GraphqlBody) => Promise<unknown>): RequestListener {
  return async (request, response) => {
    try {
      send(response, 200, await execute(JSON.parse(await readText(request))));
    } catch (error) {
      send(response, 500, { errors: [{ message: String(error) }] });
    }
  };
}

/** The body of a request, as text. */
export async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
