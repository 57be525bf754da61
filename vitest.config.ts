import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    setupFiles: 'test/setup.ts',
    // A process for each file: TensorFlow keeps its tensors and threads until its process ends.
    pool: 'forks',
    // TensorFlow itself uses every core; a second file at a time fills the waits of tests that start processes.
    maxWorkers: 2,
    // Bounds for what hangs, not for what is slow: on a busy machine a training test takes a minute.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/e2e/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          // One real API server for all of them; it is started only if one of them is to run.
          globalSetup: 'test/integration/setup.ts',
        },
      },
      {
        extends: true,
        // Needs root: its files share a real cluster, which they bring up if it is not, and so run one after another:
        // "vitest run --project e2e --no-file-parallelism", then "make cluster-down".
        test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'] },
      },
    ],
  },
});
