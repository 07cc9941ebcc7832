import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

// Programs that tests start take their code from the store that `npm start` fills, as an installed gateway does.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/v2gate');

/** Tests with a Node-RED of their own: it is one per process (stack 3). */
const OWN_PROCESS = [
  'test/gateway/**/*.test.ts',
  'test/nodes/**/*.test.ts',
  'test/flows/**/*.test.ts',
  'test/hostile/**/*.test.ts',
  'test/fuzz/**/*.test.ts',
];
const common = { testTimeout: 20_000, hookTimeout: 30_000, setupFiles: ['test/support/seed.ts'] };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: 'rooms',
          include: ['test/**/*.test.ts'],
          exclude: ['test/system/**', 'node_modules/**', ...OWN_PROCESS],
          isolate: false,
        },
      },
      { test: { ...common, name: 'processes', include: OWN_PROCESS } },
    ],
  },
});
