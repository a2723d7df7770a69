import { deliveryRow, diligentWith } from '../../support/deliveries.ts';
import { type Program, startProgram } from '../../support/program.ts';
import { apimallList, apimallRow, diligentRow } from '../../support/rows.ts';
import { after, json, startUpstream } from '../../support/upstream.ts';

const host = 'https://hooks.acme.example';

/** Of the webhooks in the graph, in their order: three at API Mall, two at Diligent. */
export const webhookUrls: readonly string[] = ['/7', '/8', '/9', '/a', '/b'].map((path) => host + path);

/** The started program, in front of both providers or of a Diligent that refuses every call. `delay` holds API Mall up. */
export async function startGraph({
  isDiligentDown = false,
  delay = Promise.resolve(),
} = {}): Promise<Pick<Program, 'url'> & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const apimallRows = [7, 8, 9].map((id) => apimallRow({ id, url: `${host}/${id}` }));
  const diligentRows = ['a', 'b'].map((id) => diligentRow({ id, webhook_url: `${host}/${id}` }));
  const apimall = started.use(await startUpstream(after(() => delay, apimallList(...apimallRows))));
  const diligent = started.use(
    await startUpstream(diligentWith(json([deliveryRow({ webhook_id: null })]), ...diligentRows)),
  );
  if (isDiligentDown) await diligent.stop();
  const program = started.use(
    await startProgram({
      APIMALL_API_URL: apimall.url,
      APIMALL_API_KEY: 'test-key',
      DILIGENT_API_URL: diligent.url,
      DILIGENT_API_KEY: 'test-key',
      DELIVERY_PAYLOADS: 'on',
      WRITES: 'on',
    }),
  );
  const owned = started.move();
  return { url: program.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
