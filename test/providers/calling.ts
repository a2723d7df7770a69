import type { Sandbox } from '../../src/providers/provider.ts';
import { startUpstream } from '../support/upstream.ts';

/** What a sandbox answered. */
export interface Answered {
  readonly status: number;
  /** As JSON brings it; undefined where there is no body. */
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its route
  readonly body: any;
}

/** A sandbox on a real socket, called without any code of ours between. */
export interface CalledSandbox extends AsyncDisposable {
  /** `body` goes out as JSON, or as it is where it is text. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
  /** All that came back so far: heads and bodies. */
  heard(): string;
}

/** Serves a sandbox, to be called with these headers unless others are given. */
export async function callSandbox(sandbox: Sandbox, usual: Readonly<Record<string, string>>): Promise<CalledSandbox> {
  const upstream = await startUpstream(sandbox.listener);
  const heard: string[] = [];
  return {
    async ask(method, path, body, headers = {}) {
      const response = await fetch(upstream.url + sandbox.path + path, {
        method,
        headers: { 'content-type': 'application/json', ...usual, ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      heard.push(JSON.stringify([...response.headers]), text);
      const type = text === '' ? null : 'application/json';
      if (response.headers.get('content-type') !== type) throw new Error(`Not the type of its body: ${text}`);
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    heard: () => heard.join('\n'),
    [Symbol.asyncDispose]: upstream[Symbol.asyncDispose],
  };
}
