import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Without the alias vitest loads graphql twice and `instanceof GraphQLError` is silently false.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }] },
  test: { include: ['test/**/*.test.ts'], testTimeout: 15_000 },
});
