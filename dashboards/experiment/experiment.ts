import { preemptions } from '../annotations.ts';
import { Dashboard } from '../grafana/dashboard.ts';
import { chosen, variables } from '../selectors.ts';
import { cost } from './cost.ts';
import { learning } from './learning.ts';
import { looks } from './looks.ts';
import { result } from './result.ts';
import { runs } from './runs.ts';

export const experiment = new Dashboard({
  uid: 'destillml-experiment',
  title: 'DestillML / Experiment',
  description:
    'Whether distilling helps, by how much and how surely, and at what cost; what is running, and which Run is best.',
  since: '6h',
  variables: variables.experiment,
  annotations: [preemptions(chosen.experiments)],
  rows: [result, learning, runs, cost, looks],
});
