import type { RequestListener } from 'node:http';
import { callerCredentials } from '../../src/credentials.ts';
import { createUpstream } from '../../src/upstream/http.ts';
import { openGraphAt, reportQuery, wholeLists } from './faults.ts';
import type { Graph, GraphOptions } from './graph.ts';
import { startUpstream } from './upstream.ts';

/** A graph whose API Mall is whole, and what stands behind Diligent can be changed while it is asked. */
export interface SwitchedGraph extends AsyncDisposable {
  readonly graph: Graph;
  readonly upstream: { listener: RequestListener };
  /** The calls that Diligent's upstream got so far. */
  called(): number;
}

/** Opens such a graph, which asks with its callers' keys; the limits of the options are for Diligent alone. */
export async function openSwitched(listener: RequestListener, options: GraphOptions = {}): Promise<SwitchedGraph> {
  const upstream = { listener };
  const whole = await startUpstream(wholeLists);
  const switched = await startUpstream((...http) => upstream.listener(...http));
  // However busy the machine is, and however many ask.
  const patient = { deadlineMs: 20_000, attemptTimeoutMs: 20_000, maxBytes: 5_242_880, shareInFlight: true };
  const graph = await openGraphAt(
    { apimall: createUpstream(whole.url, patient), diligent: switched.url },
    { findCredentials: callerCredentials, ...options },
  );
  return {
    graph,
    upstream,
    called: () => switched.calls.length,
    async [Symbol.asyncDispose]() {
      await Promise.all([whole.stop(), switched.stop()]);
      await graph[Symbol.asyncDispose]();
    },
  };
}

/** What the graph says of Diligent: its state, or the code of its error. Throws unless API Mall is whole. */
export async function askSwitched({ graph }: SwitchedGraph, key = 'test-key'): Promise<string> {
  const headers = { 'x-apimall-api-key': key, 'x-diligent-api-key': key };
  const { data } = await graph.answer(reportQuery, {}, headers);
  const [apimall, diligent] = data.webhooks.sources;
  if (apimall.state !== 'OK') throw new Error(`API Mall is ${apimall.state}: ${apimall.error.code}`);
  return diligent.error?.code ?? diligent.state;
}
