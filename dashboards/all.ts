import { experiment } from './experiment/experiment.ts';
import type { Dashboard } from './grafana/dashboard.ts';
import { labOverview } from './lab-overview/lab-overview.ts';
import { operator } from './operator.ts';
import { run } from './run/run.ts';
import { sweep } from './sweep.ts';

/** By the names of their files. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'lab-overview': labOverview,
  experiment,
  sweep,
  run,
  operator,
};
