import type { RequestSource, SourceReport } from '../request-source.ts';
import type { Webhook } from '../webhook.ts';
import type { Sight, Warning } from './write-outcome.ts';

/** What a webhook that was to be created can be told by. */
export interface Likeness {
  readonly url: string;
  readonly events: readonly string[];
}

/** How many webhooks of this likeness the list shows now. Which of them is new, nobody can say. */
export async function seeAlike(source: RequestSource, likeness: Likeness): Promise<Sight<Webhook>> {
  const { state, rows } = await source.read();
  if (state === 'FAILED') return unseen;
  const alike = rows.filter((row) => isAlike(row, likeness));
  const [only = null] = alike.length === 1 ? alike : [];
  const number = alike.length === 0 ? 'no webhook' : alike.length === 1 ? 'one webhook' : `${alike.length} webhooks`;
  return { webhook: only, says: `${listOf(state)} shows ${number} with this URL and these events now.` };
}

/** Whether the list shows a webhook, and how it is now. */
export async function seeOne(source: RequestSource, externalId: string): Promise<Sight<Webhook>> {
  const { state, rows } = await source.read();
  if (state === 'FAILED') return unseen;
  const webhook = rows.find((row) => row.externalId === externalId) ?? null;
  return { webhook, says: `${listOf(state)} ${webhook ? 'shows' : 'does not show'} the webhook now.` };
}

/** When the newest delivery in the log of a webhook was tried. */
export async function seeLog(source: RequestSource, webhookId: string): Promise<Sight<Webhook>> {
  const log = source.provider.operations.deliveries ? await source.readDeliveries(webhookId) : null;
  if (!log || log.state === 'FAILED') return { webhook: null, says: 'Its log could not be read either.' };
  const times = log.rows.flatMap(({ at }) => at ?? []);
  const newest = times.toSorted().at(-1);
  const says = newest
    ? `The newest delivery in its log is of ${newest} now.`
    : 'Its log shows no delivery with a time.';
  return { webhook: null, says };
}

/** The one webhook that must be the new one: of this likeness, and nothing was sent to it yet. */
export async function identify(
  source: RequestSource,
  likeness: Likeness,
): Promise<{ readonly webhook: Webhook | null; readonly warnings: readonly Warning[] }> {
  const { state, rows } = await source.read();
  const alike = rows.filter((row) => isAlike(row, likeness) && row.lastDelivery === null);
  const [only] = alike;
  if (only && alike.length === 1) return { webhook: only, warnings: [] };
  const why =
    state === 'FAILED'
      ? 'and the list could not be read'
      : `and ${alike.length} webhooks in the list may be the new one`;
  return { webhook: null, warnings: [notIdentified(`It was created. The answer does not show it, ${why}.`)] };
}

/** A webhook after it was changed. */
export async function findAgain(
  source: RequestSource,
  externalId: string,
): Promise<{ readonly webhook: Webhook | null; readonly warnings: readonly Warning[] }> {
  const { webhook, says } = await seeOne(source, externalId);
  if (webhook) return { webhook, warnings: [] };
  return { webhook, warnings: [notIdentified(`It was changed. The answer does not show it. ${says}`)] };
}

function notIdentified(message: string): Warning {
  return { field: null, message, code: 'NOT_IDENTIFIED' };
}

const unseen: Sight<never> = { webhook: null, says: 'Its list could not be read either.' };

function listOf(state: SourceReport['state']): string {
  return state === 'OK' ? 'Its list' : 'Its list, of which a part is missing,';
}

function isAlike(row: Webhook, { url, events }: Likeness): boolean {
  const own = new Set(row.events);
  return row.url === url && own.size === new Set(events).size && events.every((event) => own.has(event));
}
