import { named } from '../networks.ts';

/** What series of a Run have to be aggregated by to be named. */
export const byRun = 'experiment, run';

/**
 * Series with the label name: the Run's without its Experiment's, where one is chosen, and without the hash at its end,
 * which leaves room for the curve: `soft-targets-small-s1`, `soft-targets-small-t0004`.
 */
export function runNamed(series: string): string {
  const whole = `label_replace(${series}, "short", "$1", "run", "(.*?)(?:-[0-9a-f]{10})?")`;
  const told = 'scarcity|teacher|baseline|explanation';
  const rest = `.*?-(?:(?:distilled|search)-(.*)|((?:${told})-.*))`;
  return named(`label_replace(${whole}, "short", "$1$2", "short", "${rest}")`, 'short');
}
