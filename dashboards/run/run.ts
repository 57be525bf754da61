import { preemptions } from '../annotations.ts';
import { Dashboard } from '../grafana/dashboard.ts';
import { chosen, variables } from '../selectors.ts';
import { learning, smoothing } from './learning.ts';
import { gpus, machine } from './machine.ts';
import { speed } from './speed.ts';
import { state } from './state.ts';

export const run = new Dashboard({
  uid: 'destillml-run',
  title: 'DestillML / Run',
  description:
    'One Run, or a few side by side: where it is and why, whether it learns, how fast it is and what limits it. Curves last as long as the pod is scraped.',
  since: '1h',
  variables: [...variables.run, smoothing],
  annotations: [preemptions(chosen.runs)],
  rows: [state, learning, speed, gpus, machine],
});
