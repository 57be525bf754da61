import { runPhases } from '@destillml/core/api/meta.ts';
import { phaseColors } from './grafana/palette.ts';
import { StateTimeline } from './grafana/state-timeline.ts';

/** In which phase each Run was when. @param where selects Runs */
export function phaseTimeline({ where, width, height }: { where: string; width: number; height: number }) {
  // One series for each phase holds 1 or is not there: the number of the phase is the sum over them.
  const numbered = runPhases.map(
    (phase, index) => `(destillml_run_phase{${where}, phase="${phase}"} == 1) * ${index + 1}`,
  );
  return new StateTimeline({
    title: 'Phases of Runs',
    description:
      'What each Run did when. Waiting: for its teacher or its turn. Queued: for a GPU. Starting: its image, its data, its node. Paused: at a rung of a search, for its promotion.',
    unit: 'none',
    width,
    height,
    states: runPhases.map((phase, index) => ({ value: index + 1, text: phase, color: phaseColors[phase] })),
    queries: [{ expr: `max by (run) (${numbered.join(' or ')})`, legend: '{{run}}' }],
  });
}
