import { z } from 'zod';

/** How requests are traced. What the exporter and the resource need beside this, OpenTelemetry's own code reads. */
export interface TracesConfig {
  /** Traces that begin here: the part of them that is recorded, from 0 to 1. */
  readonly ratio: number;
  /** Whether a caller that says so decides for its own. */
  readonly parentBased: boolean;
  /** What the receiver of spans wants to be sent with them, as `name=value,name=value`. It may hold a secret. */
  readonly headers: string | null;
  readonly batch: {
    readonly scheduledDelayMillis: number;
    readonly exportTimeoutMillis: number;
    readonly maxQueueSize: number;
    readonly maxExportBatchSize: number;
  };
}

function count(least: number) {
  const error = `must be a whole number from ${least} to 999999`;
  return z
    .string()
    .regex(/^\d{1,6}$/, { error })
    .transform(Number)
    .refine((n) => n >= least, { error });
}

const endpoint = z.string().refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
  error: 'must be an http(s) URL',
});
function isHeader(pair: string): boolean {
  const [, value] = /^\s*[\w!#$%&'*+.^`|~-]+\s*=(.+)$/.exec(pair) ?? [];
  try {
    return value !== undefined && decodeURIComponent(value) !== '';
  } catch {
    return false;
  }
}

const protocol = z.literal('http/protobuf', { error: 'must be http/protobuf: nothing else is spoken' });
const samplers = ['always_on', 'always_off', 'traceidratio'] as const;
const allSamplers = [...samplers, ...samplers.map((name) => `parentbased_${name}` as const)];

/** The variables of OpenTelemetry that are read here, with the defaults that its specification gives. */
export const traceSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.optional(),
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .refine((text) => text.split(',').every(isHeader), {
      error: 'must be name=value, with commas between them, and values percent-encoded',
    })
    .optional(),
  OTEL_EXPORTER_OTLP_TIMEOUT: count(1).prefault('10000'),
  OTEL_EXPORTER_OTLP_COMPRESSION: z.enum(['gzip', 'none'], { error: 'must be gzip or none' }).prefault('none'),
  OTEL_EXPORTER_OTLP_PROTOCOL: protocol.prefault('http/protobuf'),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol.optional(),
  OTEL_TRACES_EXPORTER: z.enum(['otlp', 'none'], { error: 'must be otlp or none' }).prefault('otlp'),
  OTEL_SDK_DISABLED: z.string().prefault('false'),
  OTEL_TRACES_SAMPLER: z
    .enum(allSamplers, { error: `must be among ${allSamplers.join(', ')}` })
    .prefault('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0?\.\d+|0|1|1\.0+|0\.)$/, { error: 'must be a number from 0 to 1' })
    .transform(Number)
    .prefault('1'),
  OTEL_PROPAGATORS: z
    .string()
    .regex(/^\s*(baggage\s*,\s*)?tracecontext(\s*,\s*baggage)?\s*$/, {
      error: 'must be tracecontext, with or without baggage (which is passed on to nobody)',
    })
    .prefault('tracecontext,baggage'),
  OTEL_BSP_SCHEDULE_DELAY: count(0).prefault('5000'),
  OTEL_BSP_EXPORT_TIMEOUT: count(1).prefault('30000'),
  OTEL_BSP_MAX_QUEUE_SIZE: count(1).prefault('2048'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: count(1).prefault('512'),
};
const TraceSettings = z.object(traceSettings);

/** Decides whether and how requests are traced. What is set for others does not matter where they are not: null. */
export function planTraces(env: Readonly<Record<string, string | undefined>>, faults: string[]): TracesConfig | null {
  const target = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isOff = env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER === 'none';
  if (target === undefined || isOff) return null;
  // The one of traces alone says it for traces.
  const general =
    env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL === undefined ? {} : { OTEL_EXPORTER_OTLP_PROTOCOL: undefined };
  const parsed = TraceSettings.safeParse({ ...env, ...general });
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) faults.push(`${String(path[0])}: ${message}`);
    return null;
  }
  const { data } = parsed;
  const sampler = data.OTEL_TRACES_SAMPLER;
  const ratios = { on: 1, off: 0, traceidratio: data.OTEL_TRACES_SAMPLER_ARG };
  return {
    ratio: ratios[sampler.replace(/^(parentbased_)?(always_)?/, '') as keyof typeof ratios],
    parentBased: sampler.startsWith('parentbased_'),
    headers: data.OTEL_EXPORTER_OTLP_HEADERS ?? null,
    batch: {
      scheduledDelayMillis: data.OTEL_BSP_SCHEDULE_DELAY,
      exportTimeoutMillis: data.OTEL_BSP_EXPORT_TIMEOUT,
      maxQueueSize: data.OTEL_BSP_MAX_QUEUE_SIZE,
      maxExportBatchSize: Math.min(data.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, data.OTEL_BSP_MAX_QUEUE_SIZE),
    },
  };
}
