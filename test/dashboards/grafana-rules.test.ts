import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { dashboards } from '../../dashboards/all.ts';
import type { DashboardJson } from '../../dashboards/grafana/schema.ts';
import { rules } from './grafana-rules.ts';

/** Those of November 2026, which looked right to their tests and wrong in Grafana. */
const before: Readonly<Record<string, DashboardJson>> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../fixtures/dashboards-as-they-were.json'), 'utf8'),
);

describe.each(Object.entries(dashboards))('the dashboard %s', (_, dashboard) => {
  test.each(Object.entries(rules))('%s', (_rule, find) => {
    expect(find(dashboard.json())).toEqual([]);
  });
});

/** By rule: what it finds in the dashboards as they were, and in which. */
const found: Readonly<Record<keyof typeof rules, readonly (readonly [dashboard: string, fault: string])[]>> =
  {
    'a state timeline with mappings is not coloured by thresholds': [
      ['experiment', 'Phases of Runs: mappings are not looked at'],
      ['run', 'Phases of Runs: mappings are not looked at'],
    ],
    'a column has its name whichever of its queries find something': [
      ['experiment', 'Techniques: any query alone is called Runs'],
      ['lab-overview', 'All Experiments: any query alone is called Runs'],
    ],
    'All is not the beginning where Experiments or Runs are chosen': [
      ['experiment', 'experiment: All averages what differs'],
      ['run', 'run: All averages what differs'],
    ],
    'All is chosen at first only where it is told': [['run', 'run: begins with All']],
    'All is what the list has': [['operator', 'job: All is .*']],
    'nothing is said to be zero where nothing is known': [['lab-overview', 'Runs that train: or vector(0)']],
    'labels of a table have no unit of numbers': [['experiment', 'Runs: seed is formatted as percentunit']],
    'no colour is of a continuous scale without a range of its own': [
      ['experiment', 'Techniques: Test accuracy is coloured by the range of all columns'],
    ],
    'a chart of points names no columns that may be missing': [
      ['experiment', 'Accuracy against training time: nothing is drawn if a column is missing'],
    ],
    'the axes of a chart of points have labels': [
      ['experiment', 'Accuracy against parameters: named after its first column'],
    ],
    'annotations are asked for only by who wants them': [['experiment', 'Starts: on at first']],
    'long durations are clocks': [['operator', 'Up since: Up since reads 1.39 hour']],
  };

describe('what was wrong before is found:', () => {
  test.each(Object.keys(rules))('%s', (rule) => {
    for (const [dashboard, fault] of found[rule] ?? []) {
      expect(rules[rule]?.(before[dashboard]!)).toContain(fault);
    }
  });

  it('by every rule', () => {
    expect(Object.keys(found).toSorted()).toEqual(Object.keys(rules).toSorted());
  });
});
