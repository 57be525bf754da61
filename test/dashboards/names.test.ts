import { join } from 'node:path';
import { test } from 'vitest';
import { runNamed } from '../../dashboards/run/names.ts';
import { trialNamer } from '../../src/plan/naming.ts';
import { plan } from '../../src/plan/plan.ts';
import { experimentOf } from '../src/plan/world.ts';
import { interpolate } from './ask/interpolate.ts';
import { testRules } from './promtool.ts';

const rules = join(import.meta.dirname, '../../dashboards/generated/rules.yaml');
const experiment = experimentOf({ seeds: [1] }, { name: 'teacher-study' });

const runs = plan({ experiment, runs: [], now: new Date(0) }).create;
const distilled = runs.flatMap(({ spec: { parameters } }) => (parameters.arm === 'soft' ? [parameters] : []));

/** By name as the plan makes it: as a dashboard of that Experiment alone has it. */
const names = new Map<string, string>([
  ...runs.map(({ metadata, spec: { parameters } }): [string, string] => {
    const { role, arm, student, seed } = parameters;
    const parts = [arm ?? role, student, `s${seed}`].filter((part) => part !== undefined);
    return [metadata.name, parts.join('-')];
  }),
  ...distilled.map((parameters): [string, string] => [
    trialNamer(experiment, parameters)(4),
    'soft-small-t0004',
  ]),
]);

test.each([
  ['one Experiment', 'teacher-study', ''],
  ['several', ['teacher-study', 'other'], 'teacher-study '],
] as const)('Runs of %s are named without hash and role, by Prometheus itself', async (_, chosen, prefix) => {
  const series = [...names.keys()].map((run) => `x{experiment="teacher-study", run="${run}"}`);
  await testRules(rules, [
    {
      interval: '1m',
      input_series: series.map((each) => ({ series: each, values: '1' })),
      promql_expr_test: [
        {
          expr: `group by (name) (${interpolate(runNamed('x'), { experiment: chosen })})`,
          eval_time: '0m',
          exp_samples: [...names.values()].map((name) => ({ labels: `{name="${prefix}${name}"}`, value: 1 })),
        },
      ],
    },
  ]);
});
