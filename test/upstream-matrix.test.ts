import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { SourceError } from '../src/source-error.ts';
import { createUpstream, type Upstream, type UpstreamLimits } from '../src/upstream/http.ts';
import { createBareUpstream } from './support/bare-upstream.ts';
import { createCertificate, hasOpenssl } from './support/certificates.ts';
import { plainFaults, secureFaults } from './support/fault-catalogue.ts';
import { type Fault, placements, tryFault } from './support/matrix.ts';
import { serveNames } from './support/names.ts';
import { slackMs } from './support/slack.ts';

// They wait for most of their time.
vi.setConfig({ maxConcurrency: 8 });

const none = { key: '', cert: '' };
const [good, unknown, elsewhere] = hasOpenssl
  ? [createCertificate(), createCertificate(), createCertificate('DNS:elsewhere.test')]
  : [none, none, none];
const faults = hasOpenssl ? [...plainFaults, ...secureFaults(good, unknown, elsewhere)] : plainFaults;
const names = serveNames();
const usual = getCACertificates();

beforeAll(() => {
  if (hasOpenssl) setDefaultCACertificates([...usual, good.cert, elsewhere.cert]);
});

afterAll(() => {
  setDefaultCACertificates(usual);
  names[Symbol.dispose]();
});

/** What takes long, or much of the machine, is not repeated here until a circuit opens; the long run does that. */
function hasten(fault: Fault): Fault {
  return fault.code === 'TIMEOUT' || fault.code === 'TOO_LARGE' ? { ...fault, requests: 2 } : fault;
}

/** The long run has the limits of the program; these are for tries that come too late soon, and for all others never. */
function optionsFor({ code }: Fault) {
  const limits =
    code === 'TIMEOUT' ? { deadlineMs: 3000, attemptTimeoutMs: 500 } : { deadlineMs: 10_000, attemptTimeoutMs: 10_000 };
  return { limits, tls: good, names, slackMs };
}

test('knows more than 54 faults', () => {
  expect(plainFaults.length).toBeGreaterThan(54);
});

test.concurrent.each(faults.map((fault) => [fault.name, fault] as const))(
  'bears in every place, and forgets soon, an upstream that %s',
  async (_name, fault) => {
    const wrong = placements.map((places) => tryFault(hasten(fault), places, optionsFor(fault)));
    expect(await Promise.all(wrong)).toEqual([[], [], []]);
  },
);

type Open = (url: string, limits: UpstreamLimits) => Upstream;

const bare: Open = (url) => createBareUpstream(url, { shareInFlight: false });

/** Says after the first failure for ever that the circuit is open. */
const sticky: Open = (url, limits) => {
  const upstream = createUpstream(url, limits);
  let isOpen = false;
  return {
    ...upstream,
    async run(...call) {
      if (isOpen) throw new SourceError('CIRCUIT_OPEN');
      return await upstream.run(...call).finally(() => {
        isOpen = true;
      });
    },
  };
};

/** Tries again and again, whatever comes. */
const eager: Open = (url, limits) => {
  const upstream = bare(url, limits);
  return {
    ...upstream,
    async run(...call) {
      for (let tries = 1; tries < 9; tries++) await upstream.run(...call).catch(() => {});
      return await upstream.run(...call);
    },
  };
};

test.concurrent.each<[string, string, Open, string, RegExp]>([
  ['a deadline', 'never answers', bare, 'diligent', /not there after the deadline/],
  [
    'a deadline while connecting',
    'never lets a connection come about',
    bare,
    'apimall',
    /not there after the deadline/,
  ],
  ['a limit to bodies', 'sends chunks without end', bare, 'apimall', /not there after the deadline/],
  ['a look at the status', 'answers status 401', bare, 'diligent', /UPSTREAM_ERROR, not FAILED UNAUTHORIZED/],
  ['a look at the type', 'answers JSON as HTML', bare, 'apimall', /OK undefined, not FAILED BAD_RESPONSE/],
  [
    'a look at the bytes',
    'answers bytes that are not UTF-8',
    bare,
    'diligent',
    /OK undefined, not FAILED BAD_RESPONSE/,
  ],
  ['a fear of what is encoded', 'answers gzip', bare, 'diligent', /OK undefined, not FAILED BAD_RESPONSE/],
  ['a refusal to be led away', 'answers status 301 location,/webhooks', bare, 'apimall', /\d\d calls of apimall/],
  ['an end to tries', 'answers status 502', eager, 'diligent', /\d\d calls of diligent/],
  ['a trial of what failed', 'answers status 500', sticky, 'apimall', /whole again only after more than \d000 ms/],
])('would see what comes of having no %s, at an upstream that %s', async (_name, faultName, open, place, expected) => {
  const fault = plainFaults.find(({ name }) => name === faultName);
  if (!fault) throw new Error(`No fault ${faultName}`);
  const limits = { deadlineMs: 1000, attemptTimeoutMs: 1000 };
  expect((await tryFault(fault, [place], { limits, tls: good, names, open, slackMs })).join()).toMatch(expected);
});

test.skipIf(!hasOpenssl)('would see a key that goes to a host that nobody vouches for', async () => {
  const [fault] = secureFaults(good, unknown, elsewhere);
  if (!fault) throw new Error('No such fault');
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  vi.spyOn(process, 'emitWarning').mockReturnValue();
  const wrong = await tryFault(fault, ['diligent'], { ...optionsFor(fault), open: bare });
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  expect(wrong.join()).toMatch(/the key went to [^,]*test-key/s);
});
