import { UnknownOutcome } from '../../source-error.ts';
import type { WriteHttp } from '../../upstream/calls.ts';
import { type ApiMallWebhook, failureCode, readProblem, WireData, WireFailure, webhookReader } from './wire.ts';

/** A webhook as it is to be registered (`upstreams.md` A4). */
export interface ApiMallWebhookWanted {
  readonly url: string;
  readonly events: readonly string[];
  readonly secretKey: string | undefined;
  readonly apiKeyId: number | undefined;
}

/** Creates a webhook. The answer shows it without its counters (`upstreams.md` A4). */
export async function create(
  http: WriteHttp,
  source: string,
  { url, events, secretKey, apiKeyId }: ApiMallWebhookWanted,
): Promise<ApiMallWebhook | null> {
  const body = { url, events, secret_key: secretKey, api_key_id: apiKeyId };
  const data = await send(http, 'POST', '/webhooks', body, secretKey === undefined ? [] : [secretKey]);
  const webhook = webhookReader(source)(data);
  // JSON that shows no webhook may be an error, whatever the status.
  if (!webhook && data !== undefined) throw new UnknownOutcome(http.failure('BAD_RESPONSE', {}));
  return webhook;
}

/** Deletes a webhook. What the body of the answer says of it, but a failure, adds nothing to the status (`upstreams.md` A5). */
export async function remove(http: WriteHttp, externalId: string): Promise<void> {
  await send(http, 'DELETE', `/webhooks/${encodeURIComponent(externalId)}`, null, []);
}

/** The `data` of the answer's envelope, undefined where there is none. */
async function send(
  http: WriteHttp,
  method: 'POST' | 'DELETE',
  path: string,
  body: object | null,
  secrets: readonly string[],
): Promise<unknown> {
  const json = await http.send(method, path, body, { read: (it) => it, problem: readProblem, secrets });
  const { data: failure } = WireFailure.safeParse(json);
  if (failure) throw http.failure(failureCode(failure.error?.code), readProblem(json));
  return WireData.safeParse(json).data?.data;
}
