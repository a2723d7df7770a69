import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Without the alias vitest loads graphql twice and `instanceof GraphQLError` is silently false.
  resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }] },
  test: {
    projects: [
      { extends: true, test: { name: 'quick', include: ['test/**/*.test.ts'], testTimeout: 15_000 } },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/*.chaos.ts'],
          globalSetup: 'test/chaos/table.ts',
          testTimeout: 300_000,
          // What is measured is the program, not one suite beside another.
          fileParallelism: false,
          maxWorkers: 1,
        },
      },
    ],
  },
});
