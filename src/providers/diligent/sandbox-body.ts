import { isObject, type Reply, type SentBody } from '../sandbox-http.ts';

/** What a create or an update asks for: the members that were sent (`upstreams.md` B4). */
export interface Wanted {
  readonly webhook_url?: string;
  /** Empty for none. */
  readonly secret?: string;
  readonly is_active?: boolean;
  readonly events?: readonly string[];
}

/** One thing that is wrong, in the members of a zod issue; the shapes take what they show of it. */
interface Issue {
  readonly code: string;
  readonly expected?: string;
  readonly received?: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Makes the body of a 400. The documents have no single shape (B5), so each kind of mistake has its own here. */
type Shape = (issues: readonly Issue[]) => unknown;

/** Mistakes of one member. */
interface Mistake {
  readonly shape: Shape;
  readonly issues: readonly Issue[];
}

/** `{error: [issue]}`, as documented for `POST /webhooks`: a member has the wrong type, or is missing. */
const zodIssues: Shape = (issues) => ({ error: issues });

/** `{errors: [issue]}`, the shared schema: the URL is none, or not https. */
const errorsOnly: Shape = (issues) => ({ errors: issues.map(({ path, message, code }) => ({ path, message, code })) });

/** An array of the former: the body is no object. */
const bareArray: Shape = (issues) => [errorsOnly(issues)];

/** `{error: "text", details: [{field, message}]}`: the events. */
const details: Shape = (issues) => ({
  error: 'Validation failed',
  details: issues.map(({ path, message }) => ({ field: path.join('.'), message })),
});

/** `error`, `errors` and `message` together: the secret. */
const together: Shape = (issues) => ({
  error: 'Bad Request',
  errors: issues.map(({ path, message, code }) => ({ path, message, code })),
  message: issues[0]?.message,
});

/** `{message: "text"}`: what cannot be read at all. */
const unreadable: Readonly<Record<string, Reply>> = {
  'not JSON': { status: 400, body: { message: 'The request body is not valid JSON' } },
  'too large': { status: 400, body: { message: 'The request body is too large' } },
};

/** `{error: "text"}`: there are ten already. What the eleventh is answered with is documented nowhere. */
export const limitReached: Reply = { status: 400, body: { error: 'A customer can have at most 10 webhooks' } };

/**
 * Reads the body of a create, which needs a URL, or of an update. Gives the answer to send where something is wrong: of
 * several mistakes, those of the first member's shape. No answer repeats what was sent.
 */
export function readWanted(
  sent: SentBody,
  { needsUrl }: { readonly needsUrl: boolean },
): { readonly wanted: Wanted } | { readonly refusal: Reply } {
  if (typeof sent === 'string') return { refusal: unreadable[sent] ?? { status: 400 } };
  const { json } = sent;
  if (!isObject(json)) return { refusal: refuse(bareArray, [wrongType('object', json, [])]) };
  const mistakes = [
    ...(needsUrl || Object.hasOwn(json, 'webhook_url') ? wrongUrl(json.webhook_url) : []),
    ...wrongSecret(json.secret),
    ...wrongFlag(json.is_active),
    ...wrongEvents(json.events),
  ];
  const [first] = mistakes;
  if (!first) return { wanted: supplied(json) };
  const alike = mistakes.filter(({ shape }) => shape === first.shape);
  return {
    refusal: refuse(
      first.shape,
      alike.flatMap(({ issues }) => issues),
    ),
  };
}

function refuse(shape: Shape, issues: readonly Issue[]): Reply {
  return { status: 400, body: shape(issues) };
}

function supplied(json: Readonly<Record<string, unknown>>): Wanted {
  const names = ['webhook_url', 'secret', 'is_active', 'events'].filter((name) => Object.hasOwn(json, name));
  return Object.fromEntries(names.map((name) => [name, json[name]]));
}

function wrongUrl(url: unknown): readonly Mistake[] {
  if (typeof url !== 'string') return [{ shape: zodIssues, issues: [wrongType('string', url, ['webhook_url'])] }];
  if (url.startsWith('https://') && URL.canParse(url)) return [];
  const issue = { code: 'invalid_string', path: ['webhook_url'], message: 'Must be a URL that begins with https://' };
  return [{ shape: errorsOnly, issues: [issue] }];
}

// Null is not described for it, so it is what any schema makes of it that was not told otherwise.
function wrongSecret(secret: unknown): readonly Mistake[] {
  if (secret === undefined || typeof secret === 'string') return [];
  return [{ shape: together, issues: [wrongType('string', secret, ['secret'])] }];
}

function wrongFlag(flag: unknown): readonly Mistake[] {
  if (flag === undefined || typeof flag === 'boolean') return [];
  return [{ shape: zodIssues, issues: [wrongType('boolean', flag, ['is_active'])] }];
}

// Any text is an event here: the documents' list has grown before.
function wrongEvents(events: unknown): readonly Mistake[] {
  if (events === undefined) return [];
  if (!Array.isArray(events)) return [{ shape: details, issues: [wrongType('array', events, ['events'])] }];
  const issues = events.flatMap((event: unknown, index) =>
    typeof event === 'string' ? [] : [wrongType('string', event, ['events', index])],
  );
  return issues.length > 0 ? [{ shape: details, issues }] : [];
}

function wrongType(expected: string, value: unknown, path: Issue['path']): Issue {
  const received = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const message = received === 'undefined' ? 'Required' : `Expected ${expected}, received ${received}`;
  return { code: 'invalid_type', expected, received, path, message };
}
