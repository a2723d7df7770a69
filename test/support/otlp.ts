import { gunzipSync } from 'node:zlib';
import { startUpstream, type TestUpstream } from './upstream.ts';

/** A span as its receiver got it. */
export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where it has no parent. */
  readonly parentSpanId: string;
  /** 1 for work of our own, 2 for a request that came, 3 for one that we sent. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 2 for a fault. */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A receiver of traces over HTTP. */
export interface Receiver extends AsyncDisposable {
  readonly upstream: TestUpstream;
  spans(): readonly ReceivedSpan[];
  /** All that came, as it came. */
  bytes(): Buffer;
}

/** Listens on a free loopback port, and takes what comes. */
export async function startReceiver(): Promise<Receiver> {
  const bodies: Buffer[] = [];
  const upstream = await startUpstream(async (request, response) => {
    const chunks = await request.toArray();
    const body = Buffer.concat(chunks);
    bodies.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  return {
    upstream,
    spans: () => bodies.flatMap(readRequest),
    bytes: () => Buffer.concat(bodies),
    [Symbol.asyncDispose]: upstream.stop,
  };
}

type Field = number | bigint | Buffer;

/** The fields of a message by their numbers (protobuf, "Encoding"): varints, fixed ones, and bytes that may hold messages. */
function readMessage(bytes: Buffer): (number: number) => readonly Field[] {
  const fields = new Map<number, Field[]>();
  let at = 0;
  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  function take(length: number): Buffer {
    at += length;
    return bytes.subarray(at - length, at);
  }
  while (at < bytes.length) {
    const tag = Number(varint());
    const type = tag & 7;
    const fixed = type === 1 ? 8 : 4;
    const value = type === 0 ? varint() : take(type === 2 ? Number(varint()) : fixed);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return (number) => fields.get(number) ?? [];
}

function messages(fields: readonly Field[]): ReturnType<typeof readMessage>[] {
  return fields.map((field) => readMessage(field as Buffer));
}

function text([field]: readonly Field[], encoding: 'utf8' | 'hex' = 'utf8'): string {
  return Buffer.isBuffer(field) ? field.toString(encoding) : '';
}

/** Field numbers of opentelemetry/proto: trace/v1/trace.proto, common/v1/common.proto, resource/v1/resource.proto. */
function readRequest(body: Buffer): ReceivedSpan[] {
  return messages(readMessage(body)(1)).flatMap((resourceSpans) => {
    const resource = readAttributes(messages(resourceSpans(1)).flatMap((it) => it(1)));
    const spans = messages(resourceSpans(2)).flatMap((scopeSpans) => messages(scopeSpans(2)));
    return spans.map((span) => ({
      traceId: text(span(1), 'hex'),
      spanId: text(span(2), 'hex'),
      parentSpanId: text(span(4), 'hex'),
      name: text(span(5)),
      kind: Number(span(6)[0]),
      attributes: readAttributes(span(9)),
      status: Number(messages(span(15))[0]?.(3)[0] ?? 0),
      resource,
    }));
  });
}

function readAttributes(fields: readonly Field[]): Record<string, unknown> {
  const entries = messages(fields).map((pair) => {
    const [value] = messages(pair(2));
    const [flag] = value?.(2) ?? [];
    const [whole] = value?.(3) ?? [];
    if (flag !== undefined) return [text(pair(1)), Boolean(flag)];
    return [text(pair(1)), whole === undefined ? text(value?.(1) ?? []) : Number(whole)];
  });
  return Object.fromEntries(entries);
}
