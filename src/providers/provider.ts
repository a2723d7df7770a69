import type { RequestListener } from 'node:http';
import type { Delivery, DeliveryIdParts } from '../delivery.ts';
import type { Http, WriteHttp } from '../upstream/calls.ts';
import type { Snapshot } from '../upstream/snapshot.ts';
import type { Webhook } from '../webhook.ts';

/** Milliseconds since the epoch. The sandbox lives by the clock that it is given, so that a test can stop time. */
export type Clock = () => number;

/**
 * What may be asked of a source, with an `Http` that already carries its address, key and deadline. An absent member is
 * a thing that the provider cannot do; the members are what `WebhookSource.capabilities` shows.
 */
export interface Operations<W extends Webhook = Webhook> {
  /** Reads all webhooks of `source`, the key that goes into their ids. Throws a `SourceError` where none can be read. */
  list(http: Http, source: string): Promise<Snapshot<W>>;
  /** Creates a webhook from what the provider's own mutation hands on; null where the answer does not show it. */
  create?(http: WriteHttp, source: string, input: never): Promise<W | null>;
  /** Changes the webhook with this id of the provider's own; null where the answer does not show it. */
  update?(http: WriteHttp, source: string, externalId: string, input: never): Promise<W | null>;
  delete?(http: WriteHttp, externalId: string): Promise<void>;
  /** Reads what the provider still knows of the deliveries of one webhook, newest first. */
  deliveries?(http: Http, source: string, externalId: string): Promise<Snapshot<Delivery>>;
  /** Starts to send an event of a webhook again. That it arrives is not said. */
  redeliver?(http: WriteHttp, delivery: DeliveryIdParts): Promise<void>;
}

/** The provider's upstream in memory: its routes, its check of the key, its error bodies, its rows. */
export interface Sandbox {
  /** The path that the API lives under, as in the provider's own base URL; empty for the root. */
  readonly path: string;
  /** The only key that it accepts. */
  readonly key: string;
  readonly listener: RequestListener;
}

/** A vendor's API. Everything that is particular to it is reached from here. */
export interface Provider<W extends Webhook = Webhook> {
  /** Key of its source: part of every global id, so it never changes. `[a-z0-9-]+`, also the folder's name. */
  readonly key: string;
  /** Its value of the enum `WebhookProvider`. */
  readonly enumValue: string;
  readonly name: string;
  readonly description: string;
  /** Its GraphQL object type; naming it here is what brings it into the schema. */
  readonly type: { readonly name: string };
  /** What the provider's own ids look like as text. */
  readonly externalId: RegExp;
  /** Base URL of the real API, without a slash at the end. */
  readonly url: string;
  /** The header in which a caller passes its own key under `CREDENTIALS=passthrough`. */
  readonly credentialHeader: string;
  /** The request headers that authenticate a call to this provider. */
  authorization(key: string): Readonly<Record<string, string>>;
  readonly operations: Operations<W>;
  /** One sentence that names the evidence of a webhook's `health`, without relative times, so that equal rows read equal. */
  explain(webhook: W): string;
  sandbox(clock: Clock): Sandbox;
}
