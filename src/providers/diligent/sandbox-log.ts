import { payloadOf, uuidOf, type WireDelivery, writeDelivery } from './sandbox-delivery.ts';

/** What is sent to a webhook's receiver, and how it answers. */
export interface Traffic {
  /** Milliseconds between two events. */
  readonly every: number;
  /** The HTTP status of its answers. */
  readonly code: number;
  /** That of the answer which it now and then takes a while for. */
  readonly slowCode?: number;
  /** That of all answers since shortly before the sandbox was opened, until the webhook is updated. */
  readonly brokenCode?: number;
}

/** What a delivery rests on, of a webhook as it is now. */
export interface Receiver {
  readonly id: string;
  readonly isActive: boolean;
  readonly events: readonly string[];
  readonly secret: string | null;
}

/** The deliveries of one webhook. */
export interface DeliveryLog {
  /** Takes in what was sent until `now`, to the receiver as it was since the last time. */
  advance(receiver: Receiver, now: number): void;
  /** Sends an event of the log again. False where the log does not have it. */
  redeliver(receiver: Receiver, id: string, now: number): boolean;
  /** From now on the receiver answers as it should. */
  repair(): void;
  /** The rows, newest first. */
  read(): readonly WireDelivery[];
}

/** Rows that are kept. How far back the log reaches is documented nowhere (`upstreams.md` B6). */
const depth = 50;

/** How many of the latest events a broken receiver has not taken when the sandbox is opened. */
const brokenFor = 7;

/** Milliseconds that a slow answer takes. Its row comes with the answer, as the next event is sent. */
const slowness = 2400;

const start = Date.parse('2026-03-12T08:58:00.000Z');

/**
 * A log that holds `past`, oldest first, and grows by the clock: one event at `start`, one each `every` before and after.
 * What an event is follows from its number alone, so the log is the same whenever it is looked at, and so are its ids.
 */
export function createLog(traffic: Traffic | null, openedAt: number, past: readonly WireDelivery[] = []): DeliveryLog {
  const brokenSince = traffic ? latestEvent(traffic, openedAt) - brokenFor + 1 : 0;
  let rows = past;
  let next = Number.NEGATIVE_INFINITY;
  let redeliveries = 0;
  let isRepaired = false;

  function codeAt(event: number): number {
    const { code = 200, brokenCode } = traffic ?? {};
    return brokenCode === undefined || isRepaired || event < brokenSince ? code : brokenCode;
  }

  // An answer that took long is of an event before its row.
  function add(more: readonly WireDelivery[]): void {
    rows = [...rows, ...more].toSorted((a, b) => timeOf(a) - timeOf(b)).slice(-depth);
  }

  function deliver(receiver: Receiver, number: number): readonly WireDelivery[] {
    const { id: webhookId, events, secret } = receiver;
    const { every = 0, slowCode } = traffic ?? {};
    const event = events.at(number % events.length) ?? '';
    const attempt = (name: string, time: number, code: number) => {
      const timestamp = iso(time);
      const source = `${webhookId} ${name}`;
      const payload = payloadOf(event, source, timestamp);
      return writeDelivery({ id: uuidOf(source), webhookId, secret, event, payload, timestamp, code });
    };
    const time = start + number * every;
    const sent = attempt(`${number}`, time, codeAt(number));
    // Every ninth, counted so that it is not the one at `start`.
    const isSlow = slowCode !== undefined && Math.abs(number % 9) === 4;
    return isSlow ? [attempt(`${number} slow`, time - slowness, slowCode), sent] : [sent];
  }

  return {
    advance(receiver, now) {
      if (!traffic) return;
      const latest = latestEvent(traffic, now);
      const first = Math.max(next, latest - depth + 1);
      next = Math.max(next, latest + 1);
      if (!takesEvents(receiver)) return;
      const numbers = Array.from({ length: Math.max(0, latest - first + 1) }, (_, index) => first + index);
      if (numbers.length > 0) add(numbers.flatMap((number) => deliver(receiver, number)));
    },
    redeliver(receiver, id, now) {
      const original = rows.find((row) => row.id === id);
      if (!original) return false;
      // Undocumented: to an inactive webhook nothing is sent, though the answer is the same.
      if (!receiver.isActive) return true;
      redeliveries += 1;
      const { id: webhookId, secret } = receiver;
      const { event_type: event, request } = original;
      // Its id is a new one: whether it would be that of the event is documented nowhere (B6).
      const again = uuidOf(`${webhookId} again ${redeliveries}`);
      const timestamp = iso(Math.max(now, ...rows.map(timeOf)));
      const code = codeAt(Number.POSITIVE_INFINITY);
      add([writeDelivery({ id: again, webhookId, secret, event, payload: request.payload, timestamp, code })]);
      return true;
    },
    repair() {
      isRepaired = true;
    },
    read: () => rows.toReversed(),
  };
}

/** An event goes to every active webhook whose list has it (B4). */
function takesEvents({ isActive, events }: Receiver): boolean {
  return isActive && events.length > 0;
}

/** The number of the latest event; what is at `start` has come at any time. */
function latestEvent({ every }: Traffic, now: number): number {
  return Math.max(0, Math.floor((now - start) / every));
}

function timeOf({ timestamp }: WireDelivery): number {
  return Date.parse(timestamp);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
