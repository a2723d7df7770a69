import type { DeliveryIdParts } from '../../delivery.ts';
import { UnknownOutcome } from '../../source-error.ts';
import type { WriteHttp } from '../../upstream/calls.ts';
import { readObjections } from './objections.ts';
import { type DiligentWebhook, webhookReader } from './wire.ts';

/** What of a webhook is to be set (`upstreams.md` B4): what is undefined is left as it is, or as Diligent has it by default. */
export interface DiligentWebhookWanted {
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly isActive?: boolean | undefined;
  /** Empty for none. */
  readonly secret?: string | undefined;
}

/** Creates a webhook. Of the statuses of success, 204 comes without a body (`upstreams.md` B2). */
export async function create(
  http: WriteHttp,
  source: string,
  wanted: DiligentWebhookWanted,
): Promise<DiligentWebhook | null> {
  return readShown(http, await send(http, 'POST', '/webhooks', wanted), source);
}

/** Changes what is wanted of a webhook, and nothing else. */
export async function update(
  http: WriteHttp,
  source: string,
  externalId: string,
  wanted: DiligentWebhookWanted,
): Promise<DiligentWebhook | null> {
  const webhook = readShown(http, await send(http, 'PATCH', pathOf(externalId), wanted), source);
  return webhook?.externalId === externalId ? webhook : null;
}

/** The webhook that an answer shows; null where it has no body. JSON that shows none may be an error, whatever the status. */
function readShown(http: WriteHttp, json: unknown, source: string): DiligentWebhook | null {
  const webhook = webhookReader(source)(json);
  if (!webhook && json !== undefined) throw new UnknownOutcome(http.failure('BAD_RESPONSE', {}));
  return webhook;
}

/** Deletes a webhook. */
export async function remove(http: WriteHttp, externalId: string): Promise<void> {
  await send(http, 'DELETE', pathOf(externalId));
}

/** Starts to send an event again: without a body (`upstreams.md` B2). */
export async function redeliver(http: WriteHttp, { webhookId, externalId }: DeliveryIdParts): Promise<void> {
  await send(http, 'POST', `${pathOf(webhookId)}/events/${encodeURIComponent(externalId)}/redeliver`);
}

function pathOf(externalId: string): string {
  return `/webhooks/${encodeURIComponent(externalId)}`;
}

function send(
  http: WriteHttp,
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  wanted?: DiligentWebhookWanted,
): Promise<unknown> {
  const { url, events, isActive, secret } = wanted ?? {};
  const body = wanted ? { webhook_url: url, events, is_active: isActive, secret } : null;
  return http.send(method, path, body, {
    read: (json) => json,
    problem: (json) => ({ objections: readObjections(json) }),
    secrets: secret === undefined ? [] : [secret],
  });
}
