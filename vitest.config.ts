import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Without the alias vitest loads graphql twice and `instanceof GraphQLError` is silently false. */
function oneGraphql(path: string) {
  return { alias: [{ find: /^graphql$/, replacement: fileURLToPath(new URL(path, import.meta.url)) }] };
}

export default defineConfig({
  resolve: oneGraphql('node_modules/graphql/index.js'),
  test: {
    projects: [
      {
        extends: true,
        // By default one core is left idle, and most tests wait for timers and sockets.
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          // None of them is a promise: what is slow because the machine is busy must not fail.
          testTimeout: 60_000,
          hookTimeout: 30_000,
          expect: { poll: { timeout: 12_000 } },
          maxWorkers: '100%',
          // A machine that others use as well may stall for seconds. What is wrong is wrong three times.
          retry: process.env.CI ? 2 : 0,
          // What the program is made of is loaded once for all files of a worker; no test replaces a part of it.
          isolate: false,
        },
      },
      {
        // Their packages are their own, and so is their graphql.
        resolve: oneGraphql('test/clients/node_modules/graphql/index.js'),
        test: { name: 'clients', include: ['test/clients/*.clients.ts'], testTimeout: 60_000 },
      },
      {
        test: {
          name: 'deploy',
          include: ['test/deploy/*.deploy.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // Installing and scraping share two cores badly.
          fileParallelism: false,
        },
      },
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
