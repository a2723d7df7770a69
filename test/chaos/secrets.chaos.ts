import { test } from 'vitest';
import { ask } from '../support/program.ts';
import { startUpstream } from '../support/upstream.ts';
import { inParallel, isFailed, listQuery, openClient, tally } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';
import { startBareGateway, startGateway } from './support/gateway.ts';
import { tell } from './support/upstreams.ts';

const statuses = [200, 301, 400, 401, 403, 404, 429, 500, 503];

test('keeps keys to itself that upstreams say back to it', async () => {
  let status = 200;
  await using apimall = await startUpstream((request, response) => tell(status)(request, response));
  await using diligent = await startUpstream((request, response) => tell(status)(request, response));
  await using gateway = await startGateway({ apimall: apimall.url, diligent: diligent.url });
  await using client = openClient(gateway, 1);
  const outcomes = await inParallel(1, 10 * statuses.length, (number) => {
    status = statuses[number % statuses.length] ?? 200;
    return client.ask();
  });
  const telling = outcomes.filter(({ text }) => text.includes('canary')).length;
  const failed = outcomes.filter(isFailed);
  hold(
    'keys in what upstreams say, 9 statuses',
    '0 answers with keys, 0 failed',
    `${telling} of ${outcomes.length}, ${failed.length} failed ${tally(failed)}`,
    telling === 0 && failed.length === 0,
  );
});

test('finds them where the words of an upstream are passed on', async () => {
  await using upstream = await startUpstream(tell(503));
  await using gateway = await startBareGateway({ apimall: upstream.url, diligent: upstream.url });
  const text = JSON.stringify(await ask(gateway.url, listQuery));
  const count = text.split('canary').length - 1;
  fallWithout('messages of our own', 'secrets', '0 canary keys', `${count} in one answer`, count === 0);
});
