import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, test } from 'vitest';
import { createBareUpstream } from '../support/bare-upstream.ts';
import { createCertificate } from '../support/certificates.ts';
import { plainFaults, secureFaults } from '../support/fault-catalogue.ts';
import { type Fault, placements, type TrialOptions, tryFault } from '../support/matrix.ts';
import { serveNames } from '../support/names.ts';
import { inParallel } from './support/client.ts';
import { fallWithout, hold } from './support/figures.ts';

const good = createCertificate();
const elsewhere = createCertificate('DNS:elsewhere.test');
const names = serveNames();
const usual = getCACertificates();
setDefaultCACertificates([...usual, good.cert, elsewhere.cert]);

afterAll(() => {
  setDefaultCACertificates(usual);
  names[Symbol.dispose]();
});

const secure = secureFaults(good, createCertificate(), elsewhere);
/** What goes wrong before there is an HTTP answer to read. */
const connections = [...plainFaults, ...secure].filter(({ act }) => typeof act === 'string' || !('request' in act));
const answers = plainFaults.filter((fault) => !connections.includes(fault));

/** The limits that the program has by default. */
const limits = { deadlineMs: 3000, attemptTimeoutMs: 2000 };

/** Puts each fault into each place, and says what was wrong with the cases that failed. */
async function run(faults: readonly Fault[], open?: TrialOptions['open']): Promise<string[]> {
  const cases = faults.flatMap((fault) => placements.map((places) => ({ fault, places })));
  const outcomes = await inParallel(24, cases.length, async (number) => {
    const { fault, places } = cases[number] ?? {};
    if (!fault || !places) return [`no case ${number}`];
    const wrong = await tryFault(fault, places, { limits, tls: good, names, ...(open && { open }) });
    return wrong.map((what) => `an upstream that ${fault.name}, in ${places.join(' and ')}: ${what}`);
  });
  return outcomes.flat();
}

test.each([
  ['connection faults x 3 placements', connections],
  ['faults in answers x 3 placements', answers],
])('bears %s', async (what, faults) => {
  const wrong = await run(faults);
  hold(
    `${faults.length} ${what}`,
    'the right code within 3.3 s, the other source whole, 8 calls, no key to strangers, whole again within 3 s',
    wrong.length === 0 ? 'all of it, in every case' : wrong.join('; ').slice(0, 2000),
    wrong.length === 0,
  );
});

test('sees most of them where there is no policy', async () => {
  const wrong = await run([...connections, ...answers], (url) => createBareUpstream(url, { shareInFlight: false }));
  const all = 3 * (connections.length + answers.length);
  fallWithout(
    'any policy',
    'fault matrix',
    'fewer than half of the cases go wrong',
    `${wrong.length} of ${all}`,
    wrong.length < all / 2,
  );
});
