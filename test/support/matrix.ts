import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceErrorCode } from '../../src/source-error.ts';
import { createUpstream, type Upstream, type UpstreamLimits } from '../../src/upstream/http.ts';
import { openGraphAt, reportQuery, wholeLists } from './faults.ts';
import type { Graph } from './graph.ts';
import { type LaboratoryOptions, type Misbehaviour, startLaboratory } from './laboratory.ts';
import { startUpstream } from './upstream.ts';

/** A way in which an upstream fails, and what clients are to see of it. */
export interface Fault {
  /** Goes on from "an upstream that". */
  readonly name: string;
  readonly act: Misbehaviour;
  /** By source where the two differ. */
  readonly code: SourceErrorCode | Readonly<Record<string, SourceErrorCode>>;
  readonly state?: 'PARTIAL';
  /** Where TLS should be spoken. */
  readonly isSecure?: true;
  /** What asks to be left alone for a while is asked once; all else until a circuit would open. */
  readonly requests?: number;
}

export const placements: readonly (readonly [string, ...string[]])[] = [
  ['apimall'],
  ['diligent'],
  ['apimall', 'diligent'],
];

export interface TrialOptions extends LaboratoryOptions {
  readonly limits: Pick<UpstreamLimits, 'deadlineMs' | 'attemptTimeoutMs'>;
  /** Milliseconds to add to what is promised, where the machine has other work beside. */
  readonly slackMs?: number;
  /** Opens what stands between graph and fault. */
  readonly open?: (url: string, limits: UpstreamLimits) => Upstream;
}

/** Failed calls that open a circuit. */
const volume = 8;
const mostCalls = 8;
/** Milliseconds in which all must be whole again once the fault is over. */
const usualRecoveryMs = 3000;
/** Milliseconds over the deadline in which an answer must be out. */
const usualGraceMs = 300;

interface Report {
  readonly state: string;
  readonly error: { readonly code: string } | null;
  readonly source: { readonly key: string };
}

/**
 * Puts the fault into these places of a graph of its own, asks it several times, switches the fault off and asks on. Says
 * what is not as promised: the code and the state of every source, the time of every answer, the calls that each
 * upstream got, that no credential went to a stranger, and how soon all is whole again.
 */
export async function tryFault(fault: Fault, places: readonly string[], options: TrialOptions): Promise<string[]> {
  const { limits, names, tls, open = createUpstream, slackMs = 0 } = options;
  const graceMs = usualGraceMs + slackMs;
  const recoveryMs = usualRecoveryMs + slackMs;
  const all = { ...limits, maxBytes: 1_048_576, shareInFlight: false };
  await using whole = await startUpstream(wholeLists);
  const patient = { ...all, deadlineMs: 20_000, attemptTimeoutMs: 20_000 };
  await using opened = new AsyncDisposableStack();
  const started = places.map((key) =>
    startLaboratory(fault.act, { names, tls: fault.isSecure && tls }).then((lab) => ({ key, lab })),
  );
  const labs = (await Promise.all(started)).map(({ key, lab }) => ({ key, lab: opened.use(lab) }));
  const at = (key: string) => {
    const lab = labs.find((own) => own.key === key)?.lab;
    return lab ? open(lab.url, all) : createUpstream(whole.url, patient);
  };
  await using graph = await openGraphAt({ apimall: at('apimall'), diligent: at('diligent') });
  const wrong: string[] = [];
  const startedAt = performance.now();

  for (let turn = 0; turn < (fault.requests ?? volume) && wrong.length === 0; turn++) {
    const reports = await ask(graph, limits.deadlineMs + graceMs);
    if (!reports) wrong.push(`answer ${turn + 1} is not there after the deadline`);
    const faulty = reports?.filter(({ source }) => places.includes(source.key));
    for (const { source, state, error } of reports ?? []) {
      const code = typeof fault.code === 'string' ? fault.code : fault.code[source.key];
      const expected = places.includes(source.key) ? [`${fault.state ?? 'FAILED'} ${code}`] : ['OK undefined'];
      if (turn > 0 && places.includes(source.key)) expected.push('FAILED CIRCUIT_OPEN');
      const said = `${state} ${error?.code}`;
      if (!expected.includes(said)) wrong.push(`${source.key} in answer ${turn + 1}: ${said}, not ${expected}`);
    }
    // Asked any later, the upstream would be tried once more.
    if (faulty?.every(({ error }) => error?.code === 'CIRCUIT_OPEN')) break;
  }
  // An open circuit lets one call try each second: on a busy machine, we may have asked for as long.
  const trials = slackMs > 0 ? Math.floor((performance.now() - startedAt) / 1000) : 0;
  for (const { key, lab } of labs) {
    if (lab.calls() > mostCalls + trials) wrong.push(`${lab.calls()} calls of ${key}`);
    if (fault.isSecure && lab.received().includes('test-key')) wrong.push(`the key went to ${lab.received()}`);
  }
  if (wrong.length > 0) return wrong;

  for (const { lab } of labs) await lab.heal();
  const healedAt = performance.now();
  for (;;) {
    const reports = await ask(graph, recoveryMs);
    const isWhole = reports?.every(({ state }) => state === 'OK');
    const elapsedMs = performance.now() - healedAt;
    if (elapsedMs > recoveryMs)
      return [`whole again only after more than ${recoveryMs} ms: ${JSON.stringify(reports)}`];
    if (isWhole) return [];
    await sleep(50);
  }
}

/** The report of each source, or null where no answer, or none without errors, came in time. */
async function ask(graph: Graph, patienceMs: number): Promise<readonly Report[] | null> {
  const late = new AbortController();
  const answer = graph.answer(reportQuery).finally(() => late.abort());
  const first = await Promise.race([answer, sleep(patienceMs, null, late).catch(() => null)]);
  return first?.errors ? null : (first?.data.webhooks.sources ?? null);
}
