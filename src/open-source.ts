import DataLoader from 'dataloader';
import type { Delivery } from './delivery.ts';
import { InputError, SourceFailure } from './errors.ts';
import { createLine } from './line.ts';
import type { Operations } from './providers/provider.ts';
import type { RequestSource, Source, SourceOptions, SourceReport } from './request-source.ts';
import { type Asker, makeRead, makeWrite } from './source-calls.ts';
import { lackOf, withheld } from './source-reports.ts';
import type { Webhook } from './webhook.ts';

/** Logs that one request reads at one source: a provider with a log has ten webhooks at most, today. */
const mostLogs = 20;
/** Of these, so many at once. */
const logsAtOnce = 4;
const readingOperations: readonly (keyof Operations)[] = ['list', 'deliveries'];

/** Opens a source for one request. (What few requests need is made when it is: all of it is garbage soon.) */
export function openSource(source: Source, options: SourceOptions): RequestSource {
  const { key, provider } = source;
  let asked: Promise<SourceReport> | undefined;
  let report: Promise<SourceReport> | undefined;
  // One loader a source: one over several would settle all of them at the pace of the slowest.
  let loader: DataLoader<string, Webhook | null> | undefined;
  let readLog: ReturnType<typeof openLogs> | undefined;
  const opened: RequestSource = {
    __typename: 'WebhookSource',
    key,
    provider,
    capabilities() {
      const all = Object.keys(provider.operations) as (keyof Operations)[];
      return options.writes ? all : all.filter((name) => readingOperations.includes(name));
    },
    ask() {
      asked ??= makeRead(asker, 'webhooks', 'list', (http) => provider.operations.list(http, key));
      return asked;
    },
    read() {
      report ??= opened.ask().then((read) => afterTurn(read, options));
      return report;
    },
    wasAsked: () => asked !== undefined,
    load(externalId) {
      loader ??= createLoader(opened);
      return loader.load(externalId);
    },
    async readDeliveries(externalId) {
      readLog ??= openLogs(asker);
      return readLog(externalId);
    },
    async write(operation) {
      const written = await makeWrite(asker, operation);
      asked = undefined;
      report = undefined;
      loader = undefined;
      readLog = undefined;
      return written;
    },
  };
  const asker: Asker = { source, options, credential: options.findCredential(source), opened };
  return opened;
}

/** Whoever is to work on rows: it takes turns with others, and stops when its caller leaves. */
type Worker = Pick<SourceOptions, 'turn' | 'signal'>;

/** Asks these sources for their lists, and waits for the turn to work on all rows. */
export async function readLists(
  sources: readonly RequestSource[],
  { turn, signal }: Worker,
): Promise<readonly SourceReport[]> {
  const reports = await Promise.all(sources.map((source) => source.ask()));
  await turn.take();
  return signal.aborted ? reports.map(withheld) : reports;
}

/** What is done with rows, up to the text of the answer, holds up the event loop: for those who left, nothing is done. */
async function afterTurn<R>(report: SourceReport<R>, { turn, signal }: Worker): Promise<SourceReport<R>> {
  await turn.take();
  return signal.aborted ? withheld(report) : report;
}

function createLoader(source: RequestSource): DataLoader<string, Webhook | null> {
  return new DataLoader<string, Webhook | null>(async (externalIds) => {
    const report = await source.read();
    const byId = new Map(report.rows.map((row) => [row.externalId, row]));
    const lack = lackOf(report);
    const missing = lack && new SourceFailure(lack);
    return externalIds.map((externalId) => byId.get(externalId) ?? missing);
  });
}

/** Reads the logs of webhooks by the provider's own id, each once. */
function openLogs(asker: Asker): (externalId: string) => Promise<SourceReport<Delivery>> {
  const { key, provider } = asker.source;
  const { deliveries } = provider.operations;
  if (!deliveries) throw new Error(`${key} has no log of deliveries.`);
  const logs = new Map<string, Promise<SourceReport<Delivery>>>();
  const inLine = createLine(logsAtOnce);
  const read = async (externalId: string) => {
    const name = `deliveries ${externalId}`;
    const log = await inLine(() => makeRead(asker, 'deliveries', name, (http) => deliveries(http, key, externalId)));
    return afterTurn(log, asker.options);
  };
  return (externalId) => {
    const known = logs.get(externalId);
    if (known) return known;
    if (logs.size >= mostLogs) {
      throw new InputError(`deliveries: at most ${mostLogs} webhooks at once. Ask for smaller pages of webhooks.`);
    }
    const log = read(externalId);
    logs.set(externalId, log);
    return log;
  };
}
