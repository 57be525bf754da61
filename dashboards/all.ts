import { experiment } from './experiment.ts';
import type { Dashboard } from './grafana/dashboard.ts';
import { labOverview } from './lab-overview.ts';
import { operator } from './operator.ts';
import { run } from './run.ts';

/** By the names of their files. */
export const dashboards: Readonly<Record<string, Dashboard>> = {
  'lab-overview': labOverview,
  experiment,
  run,
  operator,
};
