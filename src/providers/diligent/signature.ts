// For receivers, who load this file and nothing else of hookgraph: it imports nothing but node:crypto.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a receiver has of a delivery, and what it shares with Diligent. */
export interface DiligentDelivery {
  /**
   * The body of the request, byte for byte as it came: those bytes are signed. A body that was parsed and written anew differs
   * in spaces, escapes or numbers and does not verify. Where frameworks parse bodies, ask them for the raw one.
   */
  readonly body: Uint8Array;
  /** The header `X-Signature` as node:http or Fetch gives it; nothing where it is missing. Several never verify. */
  readonly signature: string | readonly string[] | null | undefined;
  /** The webhook's secret as it was given to Diligent, or the old and the new one while it is changed. */
  readonly secret: string | readonly string[];
}

/**
 * As documented (`upstreams.md` B7); hex may be in capitals, as it is the same bytes. The length is settled here, before the bytes
 * are compared: timingSafeEqual throws where lengths differ.
 */
const signaturePattern = /^sha256=([\dA-Fa-f]{64})$/;

/**
 * Whether Diligent signed this body: HMAC-SHA256 under the secret, in the header as `sha256=` and hex
 * (https://docs.godiligent.ai/guides/webhooks/securing-webhooks).
 *
 * False for anything that a sender can send, a delivery without a signature among it: what Diligent sends where no secret is set is
 * not documented. Throws a TypeError for a mistake in the receiver: a body that is not bytes, an empty secret, a signature that is
 * no header's value.
 *
 * How long it takes depends on the body's length and on whether the signature looks like one, and tells nothing of the right one:
 * whole digests of 32 bytes are compared, by timingSafeEqual.
 *
 * The body alone is signed, with no time and no header. So a delivery that was recorded verifies for ever: do once what may be done
 * once only, by what the body says. `X-Event-Id` tells repeats that are honest, but whoever repeats a body can choose another.
 * Whether a body is the payload or has headers beside it is not documented either, and does not matter here.
 */
export function verifyDiligentSignature({ body, signature, secret }: DiligentDelivery): boolean {
  // Not instanceof: test runners have bytes of another realm.
  if (!ArrayBuffer.isView(body)) throw new TypeError('body must be the raw bytes that came, as a Uint8Array');
  const secrets: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
  // Under an empty secret everybody can sign.
  if (secrets.length === 0 || !secrets.every(isText) || secrets.includes('')) {
    throw new TypeError('secret must be text that is not empty, or several');
  }
  const given = readSignature(signature);
  return given !== null && secrets.some((it) => timingSafeEqual(createHmac('sha256', it).update(body).digest(), given));
}

/** The 32 bytes of a signature; null where there is none, where it is not of the documented form, or where there are several. */
function readSignature(header: DiligentDelivery['signature']): Uint8Array | null {
  const values: readonly unknown[] = Array.isArray(header) ? header : [header ?? ''];
  if (!values.every(isText)) throw new TypeError('signature must be what the header X-Signature holds');
  const [value = ''] = values;
  const [, hex] = signaturePattern.exec(value) ?? [];
  return hex === undefined || values.length > 1 ? null : Buffer.from(hex, 'hex');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
