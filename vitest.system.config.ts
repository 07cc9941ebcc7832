import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/system/**/*.test.ts', 'test/fuzz/{deploys,files,mqtt,peers}.test.ts'],
    env: { V2GATE_FUZZ_INPUTS: process.env.V2GATE_FUZZ_INPUTS ?? '10000' },
    setupFiles: ['test/support/seed.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    fileParallelism: false,
  },
});
