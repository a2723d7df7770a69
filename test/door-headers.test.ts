import { createYoga } from 'graphql-yoga';
import { expect, test } from 'vitest';
import { schema } from '../src/schema/index.ts';
import { listen } from './support/server.ts';

// It keeps names as they are spelt, which that of Node does not.
const { Response } = createYoga({ schema }).fetchAPI;

test('what an answer says itself goes out once, however its name is spelt, and counts more than what all say', async () => {
  const own = { 'Cache-Control': 'no-cache', 'Content-Type': 'text/plain' };
  await using door = await listen({ fetch: () => new Response('short', { headers: own }) });
  const { headers } = await fetch(`${door.url}/graphql?query={__typename}`);
  expect(headers.get('cache-control')).toBe('no-cache');
  expect(headers.get('content-type')).toBe('text/plain');
  expect(headers.get('x-frame-options')).toBe('DENY');
});
