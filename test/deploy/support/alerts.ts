/** What makes an alert fire, and what leaves it alone: series by their names and labels, in the notation of promtool. */
export interface AlertCase {
  readonly fires: Readonly<Record<string, string>>;
  readonly rests: Readonly<Record<string, string>>;
}

const reads = (state: string) => `hookgraph_source_reads_total{source="apimall",state="${state}"}`;
const faults = (code: string) => `hookgraph_source_faults_total{source="apimall",code="${code}"}`;
const writes = (outcome: string) =>
  `hookgraph_source_writes_total{source="apimall",action="create",outcome="${outcome}"}`;
const operations = (outcome: string) => `hookgraph_operation_duration_seconds_count{outcome="${outcome}"}`;
const bucket = (le: string) => `hookgraph_operation_duration_seconds_bucket{le="${le}"}`;
const circuit = (source: string) => `hookgraph_source_circuits_open{source="${source}",instance="a"}`;
const cut = (source: string) => `hookgraph_source_faults_total{source="${source}",instance="a",code="CIRCUIT_OPEN"}`;
const requests = (route: string, status: number) =>
  `hookgraph_http_request_duration_seconds_count{instance="a",route="${route}",status="${status}"}`;
const shed = 'hookgraph_requests_shed_total{instance="a"}';
const lost = 'hookgraph_log_lines_dropped_total{instance="a"}';
const failing = 'hookgraph_webhooks{source="apimall",health="FAILING"}';
const healthy = 'hookgraph_webhooks{source="apimall",health="HEALTHY"}';
const late = 'nodejs_eventloop_lag_p99_seconds{job="hookgraph"}';
const memory = 'process_resident_memory_bytes{job="hookgraph"}';

/** One case for each alert; a sample comes every half minute. */
export const alertCases: Readonly<Record<string, AlertCase>> = {
  HookgraphDown: { fires: { 'up{job="hookgraph"}': '0x200' }, rests: { 'up{job="hookgraph"}': '1x200' } },
  HookgraphSourceFailing: {
    fires: { [reads('FAILED')]: '0+6x200', [reads('OK')]: '0+5x200' },
    rests: { [reads('FAILED')]: '0+5x200', [reads('OK')]: '0+6x200' },
  },
  HookgraphKeyRefused: {
    fires: { [faults('FORBIDDEN')]: '0+1x200' },
    rests: { [faults('FORBIDDEN')]: '7x200', [faults('TIMEOUT')]: '0+1x200' },
  },
  HookgraphSourcePartial: {
    fires: { [reads('PARTIAL')]: '0+1x200' },
    rests: { [reads('PARTIAL')]: '7x200', [reads('OK')]: '0+1x200' },
  },
  HookgraphCircuitOpen: {
    fires: { [circuit('apimall')]: '1x200', [cut('apimall')]: '0+1x200' },
    // Of one nobody asks any more; the other works now and then.
    rests: {
      [circuit('apimall')]: '1x200',
      [cut('apimall')]: '7x200',
      [circuit('diligent')]: '1 0 '.repeat(100).trim(),
      [cut('diligent')]: '0+1x200',
    },
  },
  HookgraphRateLimited: {
    fires: { [faults('RATE_LIMITED')]: '0+1x200' },
    rests: { [faults('RATE_LIMITED')]: '7x200', [faults('TIMEOUT')]: '0+1x200' },
  },
  HookgraphWriteUnknown: {
    fires: { [writes('OUTCOME_UNKNOWN')]: '0+1x200' },
    rests: { [writes('OUTCOME_UNKNOWN')]: '7x200', [writes('SOURCE_FAILED')]: '0+1x200' },
  },
  HookgraphOperationsFailing: {
    fires: { [operations('failed')]: '0+6x200', [operations('whole')]: '0+94x200' },
    rests: { [operations('failed')]: '0+4x200', [operations('whole')]: '0+96x200' },
  },
  HookgraphCallersRefused: {
    fires: { [requests('graphql', 401)]: '0+2x200', [requests('graphql', 200)]: '0+8x200' },
    rests: {
      [requests('graphql', 401)]: '0+1x200',
      [requests('graphql', 200)]: '0+19x200',
      [requests('probe', 401)]: '0+9x200',
    },
  },
  HookgraphNotReady: {
    fires: { [requests('probe', 503)]: '0+10x200' },
    rests: { [requests('probe', 503)]: '0x115 2x80', [requests('graphql', 503)]: '0+9x200' },
  },
  HookgraphSlow: {
    fires: { [bucket('2.5')]: '0+94x200', [bucket('5')]: '0+100x200', [bucket('+Inf')]: '0+100x200' },
    rests: { [bucket('2.5')]: '0+96x200', [bucket('5')]: '0+100x200', [bucket('+Inf')]: '0+100x200' },
  },
  HookgraphShedding: { fires: { [shed]: '0+1x200' }, rests: { [shed]: '7x200' } },
  HookgraphLate: { fires: { [late]: '0.3x200' }, rests: { [late]: '0.2x200' } },
  HookgraphMemory: { fires: { [memory]: '460000000x200' }, rests: { [memory]: '440000000x200' } },
  HookgraphLogLinesLost: { fires: { [lost]: '0+1x200' }, rests: { [lost]: '7x200' } },
  HookgraphWebhooksFailing: {
    fires: { [failing]: '2x200', [healthy]: '5x200' },
    rests: { [failing]: '0x200', [healthy]: '5x200' },
  },
};

/** A file of unit tests for `promtool test rules`: after an hour, each alert fires or rests as its case says. */
export function alertTests(rulesFile: string, cases = alertCases): object {
  const tests = Object.entries(cases).flatMap(([name, { fires, rests }]) =>
    [
      { series: fires, exp_samples: [{ labels: '{}', value: 1 }] },
      { series: rests, exp_samples: [] },
    ].map(({ series, exp_samples }) => ({
      interval: '30s',
      input_series: Object.entries(series).map(([it, values]) => ({ series: it, values })),
      promql_expr_test: [
        { expr: `count(ALERTS{alertname="${name}",alertstate="firing"})`, eval_time: '1h', exp_samples },
      ],
    })),
  );
  return { rule_files: [rulesFile], evaluation_interval: '30s', tests };
}
