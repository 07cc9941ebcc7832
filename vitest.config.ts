import { defineConfig } from 'vitest/config';

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
