import type { RequestListener } from 'node:http';
import { afterAll, beforeAll } from 'vitest';
import { type Program, startProgram } from '../../support/program.ts';
import { startUpstream, type TestUpstream } from '../../support/upstream.ts';
import { ownSubgraph } from './compose.ts';
import type { GatewayKind, StartedGateway } from './gateways.ts';
import { teams as readmeTeams } from './neighbours.ts';
import { type GraphqlBody, readText, startTeams, type Team } from './teams.ts';

/** What a client sees of a supergraph. */
export interface Seen {
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its query
  readonly data: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: Readonly<Record<string, unknown>>;
  }[];
}

/** A gateway, with hookgraph and the teams behind it. */
export interface Supergraph {
  ask(query: string, variables?: object): Promise<Seen>;
  /** Starts hookgraph in front of these upstreams, and puts it behind the gateway until it is disposed of. */
  serve(upstreams: Upstreams, options?: ServeOptions): Promise<Served>;
}

export interface Upstreams {
  readonly apimall: RequestListener;
  readonly diligent: RequestListener;
}

export interface ServeOptions {
  readonly teams?: readonly Team[];
  readonly env?: Record<string, string>;
}

/** hookgraph, while it is behind a gateway. */
export interface Served extends AsyncDisposable {
  /** What the gateway sent to it so far. */
  readonly requests: readonly GraphqlBody[];
  /** How often each upstream was called so far, by source. */
  calls(): { readonly apimall: number; readonly diligent: number };
  readonly program: Program;
}

/**
 * One gateway for all cases of a suite, beside teams with this schema: it takes seconds to start. hookgraph is new for every
 * case.
 */
export function withSupergraph(start: GatewayKind['start'], teamsSdl = readmeTeams): Supergraph {
  const behind: { url: string; requests: GraphqlBody[]; teams: readonly Team[] } = { url: '', requests: [], teams: [] };
  const opened: AsyncDisposable[] = [];
  let gateway: StartedGateway;

  beforeAll(async () => {
    const front = await startFront(behind);
    const neighbour = await startTeams(teamsSdl, () => behind.teams);
    opened.push(front, neighbour);
    gateway = await start({
      webhooks: { sdl: ownSubgraph, url: `${front.url}/graphql` },
      teams: { sdl: teamsSdl, url: `${neighbour.url}/graphql` },
    });
    opened.push(gateway);
  }, 60_000);
  afterAll(async () => {
    for (const it of opened.reverse()) await it[Symbol.asyncDispose]();
  });

  return {
    async ask(query, variables) {
      const response = await fetch(gateway.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Seen;
    },
    async serve({ apimall, diligent }, { teams = [], env = {} } = {}) {
      const upstreams = { apimall: await startUpstream(apimall), diligent: await startUpstream(diligent) };
      const program = await startProgram({
        APIMALL_API_KEY: 'test-key',
        APIMALL_API_URL: upstreams.apimall.url,
        DILIGENT_API_KEY: 'test-key',
        DILIGENT_API_URL: upstreams.diligent.url,
        ...env,
      });
      const requests: GraphqlBody[] = [];
      Object.assign(behind, { url: program.url, requests, teams });
      return {
        program,
        requests,
        calls: () => ({ apimall: upstreams.apimall.calls.length, diligent: upstreams.diligent.calls.length }),
        async [Symbol.asyncDispose]() {
          await program[Symbol.asyncDispose]();
          await Promise.all([upstreams.apimall.stop(), upstreams.diligent.stop()]);
        },
      };
    },
  };
}

/** Passes on to hookgraph what the gateway sends, as it is, and keeps it. */
function startFront(behind: { readonly url: string; readonly requests: GraphqlBody[] }): Promise<TestUpstream> {
  return startUpstream(async (request, response) => {
    const body = await readText(request);
    behind.requests.push(JSON.parse(body));
    const { 'content-type': type = '', accept = '*/*' } = request.headers;
    const answer = await fetch(behind.url, { method: 'POST', headers: { 'content-type': type, accept }, body }).catch(
      () => null,
    );
    if (!answer) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(await answer.text());
  });
}
