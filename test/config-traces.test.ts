import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';
import { providers } from '../src/providers/index.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4318' };
const read = (env: Record<string, string>) => readConfig(providers, env);

function faults(env: Record<string, string>): string {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('traces to whichever endpoint is named, with the defaults of OpenTelemetry', () => {
  const traces = {
    ratio: 1,
    parentBased: true,
    headers: null,
    batch: { scheduledDelayMillis: 5000, exportTimeoutMillis: 30_000, maxQueueSize: 2048, maxExportBatchSize: 512 },
  };
  expect(read(endpoint).traces).toEqual(traces);
  expect(read({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector.example/v1/traces' }).traces).toEqual(traces);
});

test.each([
  ['no endpoint is named', { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'odd' }],
  ['the SDK is disabled', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
  ['no exporter is wanted', { ...endpoint, OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
])('does not trace where %s, whatever else is set', (_why, env) => {
  expect(read(env).traces).toBeNull();
});

test.each([
  ['always_off', undefined, { ratio: 0, parentBased: false }],
  ['traceidratio', '0.25', { ratio: 0.25, parentBased: false }],
  ['parentbased_traceidratio', '.5', { ratio: 0.5, parentBased: true }],
  ['parentbased_always_off', '0.7', { ratio: 0, parentBased: true }],
])('samples by %s with argument %s', (sampler, argument, expected) => {
  const { traces } = read({
    ...endpoint,
    OTEL_TRACES_SAMPLER: sampler,
    ...(argument !== undefined && { OTEL_TRACES_SAMPLER_ARG: argument }),
  });
  expect(traces).toMatchObject(expected);
});

test('reads the settings of batches, and what the receiver wants from a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hookgraph-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'headers');
  writeFileSync(file, 'authorization=Bearer%20t\n');
  const env = { OTEL_BSP_SCHEDULE_DELAY: '10', OTEL_BSP_MAX_QUEUE_SIZE: '100', OTEL_EXPORTER_OTLP_HEADERS_FILE: file };
  expect(read({ ...endpoint, ...env }).traces).toMatchObject({
    headers: 'authorization=Bearer%20t',
    batch: { scheduledDelayMillis: 10, maxQueueSize: 100, maxExportBatchSize: 100 },
  });
});

test('names every variable that asks for what is not there, and shows no value', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'canary:4317',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc-canary',
    OTEL_TRACES_EXPORTER: 'canary',
    OTEL_TRACES_SAMPLER: 'canary',
    OTEL_TRACES_SAMPLER_ARG: '1.5',
    OTEL_PROPAGATORS: 'b3',
    OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=canary%zz',
    OTEL_EXPORTER_OTLP_TIMEOUT: '0',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'canary',
    LOG_LEVEL: 'canary',
    METRICS_PORT: '4000',
    PORT: '4000',
  };
  const told = faults(env);
  expect(
    told
      .match(/^ {2}- \w+/gm)
      ?.map((line) => line.slice(4))
      .sort(),
  ).toEqual(
    Object.keys(env)
      .filter((name) => name !== 'PORT')
      .sort(),
  );
  expect(told).not.toMatch(/canary|b3/);
});

test('takes the protocol of traces alone before the one of all signals', () => {
  const grpc = { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  expect(read({ ...grpc, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }).traces).not.toBeNull();
  expect(faults({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' })).toContain('must be http/protobuf');
});
