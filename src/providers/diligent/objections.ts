import { z } from 'zod';

/** Where an issue says what it is about: a path as zod has it, or the name of a field (`upstreams.md` B5). */
const WireIssue = z.object({
  path: z
    .union([z.array(z.union([z.string(), z.number()])), z.string().transform((text) => [text])])
    .optional()
    .catch(undefined),
  field: z.string().optional().catch(undefined),
});

/** The members under which one error body or another has its issues. */
const WireError = z.object({
  error: z.array(z.unknown()).optional().catch(undefined),
  errors: z.array(z.unknown()).optional().catch(undefined),
  details: z.array(z.unknown()).optional().catch(undefined),
});

/** As many as any body of ours could cause. */
const mostIssues = 200;

/**
 * The names of the fields that an error body of Diligent's objects to, such as `events.0`, in whichever of the documented
 * shapes it is (`upstreams.md` B5); none where it names none.
 */
export function readObjections(body: unknown): readonly string[] {
  return issuesOf(body).slice(0, mostIssues).flatMap(nameOf);
}

function issuesOf(body: unknown): readonly unknown[] {
  // An array is of issues, or of bodies that have some.
  if (Array.isArray(body)) return body.slice(0, mostIssues).flatMap((item) => [item, ...membersOf(item)]);
  return membersOf(body);
}

function membersOf(body: unknown): readonly unknown[] {
  const { data } = WireError.safeParse(body);
  return [...(data?.error ?? []), ...(data?.errors ?? []), ...(data?.details ?? [])];
}

function nameOf(issue: unknown): readonly string[] {
  const { data } = WireIssue.safeParse(issue);
  const name = data?.path?.join('.') || data?.field;
  return name ? [name] : [];
}
