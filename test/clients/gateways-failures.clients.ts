import { describe, expect, test } from 'vitest';
import { text } from '../support/upstream.ts';
import { gateways } from './support/gateways.ts';
import { teams as readmeTeams } from './support/neighbours.ts';
import { type Seen, withSupergraph } from './support/supergraph.ts';
import { holding, idOf, urlOf } from './support/webhooks.ts';

const teams = [{ id: 'a', name: 'Orders', webhookIds: [idOf.apimall(1), idOf.diligent(1), idOf.apimall(2)] }];
const down = { ...holding(2), diligent: text('', 500) };
const rows = [1, 2].map((index) => ({ url: urlOf('apimall', index), team: { name: 'Orders' } }));
const withComplete = '{ webhooks { complete nodes { url team { name } } } }';
const withSources = '{ webhooks { sources { state error { code } } nodes { url team { name } } } }';
const withNeither = '{ webhooks { nodes { url team { name } } } teams { name } }';

/** The place and the code of each error. */
function codesOf({ errors = [] }: Seen): readonly (readonly [string | undefined, unknown])[] {
  return errors.map(({ path, extensions }) => [path?.join('.'), extensions?.code] as const);
}

describe.each(Object.entries(gateways))('through %s, with a source down,', (_name, { start, keepsErrors }) => {
  const supergraph = withSupergraph(start);

  test.each(['rows', 'null'])('shows the rest and what is missing as data (PARTIAL_RESULTS=%s)', async (mode) => {
    await using _served = await supergraph.serve(down, { teams, env: { PARTIAL_RESULTS: mode } });
    expect(await supergraph.ask(withComplete)).toEqual({ data: { webhooks: { complete: false, nodes: rows } } });
    const sources = [
      { state: 'OK', error: null },
      { state: 'FAILED', error: { code: 'UPSTREAM_ERROR' } },
    ];
    expect(await supergraph.ask(withSources)).toEqual({ data: { webhooks: { sources, nodes: rows } } });
  });

  const shown = keepsErrors ? 'an error beside the rows' : 'rows that seem whole';
  test(`shows ${shown} where neither is selected and PARTIAL_RESULTS=rows`, async () => {
    await using _served = await supergraph.serve(down, { teams });
    const seen = await supergraph.ask(withNeither);
    expect(seen.data).toEqual({ webhooks: { nodes: rows }, teams: [{ name: 'Orders' }] });
    expect(codesOf(seen)).toEqual(keepsErrors ? [['webhooks', 'SOURCE_FAILED']] : []);
  });

  test('lets nobody take a part for the whole where PARTIAL_RESULTS=null', async () => {
    await using _served = await supergraph.serve(down, { teams, env: { PARTIAL_RESULTS: 'null' } });
    const seen = await supergraph.ask(withNeither);
    expect(seen.data).toEqual({ webhooks: null, teams: [{ name: 'Orders' }] });
    expect(codesOf(seen)).toEqual([['webhooks', 'SOURCE_FAILED']]);
    expect(seen.errors?.[0]?.extensions).toMatchObject({ source: 'diligent', sourceErrorCode: 'UPSTREAM_ERROR' });
  });

  test('shows one webhook that could not be read as null with the error', async () => {
    await using _served = await supergraph.serve(down, { teams });
    const seen = await supergraph.ask(
      `{ up: webhook(id: "${idOf.apimall(1)}") { url } down: webhook(id: "${idOf.diligent(1)}") { url } }`,
    );
    expect(seen.data).toEqual({ up: { url: urlOf('apimall', 1) }, down: null });
    expect(codesOf(seen)).toEqual([['down', 'SOURCE_FAILED']]);
  });

  const told = keepsErrors ? 'with the error at its place' : 'without an error';
  test(`shows null ${told} for each entity that could not be read, and the others whole`, async () => {
    await using _served = await supergraph.serve(down, { teams });
    const seen = await supergraph.ask('{ teams { name webhooks { url } } webhooks(first: 1) { complete } }');
    expect(seen.data).toEqual({
      teams: [{ name: 'Orders', webhooks: [{ url: urlOf('apimall', 1) }, null, { url: urlOf('apimall', 2) }] }],
      // Says why there is null, wherever errors are dropped.
      webhooks: { complete: false },
    });
    expect(codesOf(seen)).toEqual(keepsErrors ? [['teams.0.webhooks.1', 'SOURCE_FAILED']] : []);
  });

  test('shows an error and what the neighbour has where hookgraph itself is down', async () => {
    await using served = await supergraph.serve(holding(2), { teams });
    await served.program[Symbol.asyncDispose]();
    const seen = await supergraph.ask('{ teams { name } webhooks { complete nodes { url } } }');
    expect(seen.data).toEqual({ teams: [{ name: 'Orders' }], webhooks: null });
    expect(seen.errors?.length).toBeGreaterThan(0);
  });
});

describe.each(Object.entries(gateways))('through %s, beside lists that have no room for null,', (_name, { start }) => {
  const supergraph = withSupergraph(start, readmeTeams.replace('[Webhook]!', '[Webhook!]!'));

  test('loses with one source the webhooks of all', async () => {
    const query = '{ teams { name webhooks { url } } }';
    await using _whole = await supergraph.serve(holding(2), { teams });
    expect((await supergraph.ask(query)).data.teams[0].webhooks).toHaveLength(3);
    await using _broken = await supergraph.serve(down, { teams });
    const seen = await supergraph.ask(query);
    expect(seen.data).toBeNull();
    expect(seen.errors?.length).toBeGreaterThan(0);
  });
});
