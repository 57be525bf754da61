import { preemptions } from '../annotations.ts';
import { Dashboard } from '../grafana/dashboard.ts';
import { chosen, variables } from '../selectors.ts';
import { broken } from './broken.ts';
import { experiments } from './experiments.ts';
import { now } from './now.ts';
import { queues } from './queues.ts';
import { use } from './use.ts';

export const labOverview = new Dashboard({
  uid: 'destillml-lab-overview',
  title: 'DestillML / Lab overview',
  description:
    'Whether GPUs are idle while people wait, who waits and why, who used what, and what is broken.',
  since: '24h',
  variables: variables.lab,
  annotations: [preemptions(chosen.namespaces)],
  rows: [now, use, broken, queues, experiments],
});
