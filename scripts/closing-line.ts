/**
 * Prints `N passed, N failed` from vitest's JSON report: closing-line.ts REPORT VITEST-EXIT-STATUS.
 *
 * Ends with 1 if anything failed, was skipped, or if no test ran: a run that tests nothing must not look green.
 */
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';

const Report = z.object({
  numPassedTests: z.int(),
  numTotalTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** Counts a skipped test, a file that could not be loaded and an error outside any test as failed. */
function count(report: z.infer<typeof Report>, status: number): Count {
  const passed = report.numPassedTests;
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  const failed = report.numTotalTests - passed + unloadable.length;
  return { passed, failed: failed === 0 && status !== 0 ? 1 : failed };
}

const [path = '', status = '1'] = process.argv.slice(2);
const { passed, failed } = existsSync(path)
  ? count(Report.parse(JSON.parse(readFileSync(path, 'utf8'))), Number(status))
  : { passed: 0, failed: 1 };
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
