import { runPhases } from '@destillml/core/api/meta.ts';
import { phaseColors } from './grafana/palette.ts';
import { StateTimeline } from './grafana/state-timeline.ts';

/** What the numbers of `phaseNumber` stand for. */
export const phaseWords = runPhases.map((phase, index) => ({
  value: index + 1,
  text: phase,
  color: phaseColors[phase],
}));

/** The phase of each Run as a number. @param where selects Runs */
export function phaseNumber(where: string): string {
  // One series for each phase holds 1 or is not there: the number of the phase is the sum over them.
  const numbered = runPhases.map(
    (phase, index) => `(destillml_run_phase{${where}, phase="${phase}"} == 1) * ${index + 1}`,
  );
  return `max by (namespace, experiment, run) (${numbered.join(' or ')})`;
}

/** More Runs than that are not told apart in one panel. */
const most = 20;

type PhaseTimeline = {
  /** Selects Runs. */
  readonly where: string;
  readonly width: number;
  readonly height: number;
  /** The Runs that it has, with the label name. */
  readonly rows: string;
};

/** In which phase each Run was when: of the twenty that started last. */
export function phaseTimeline({ where, width, height, rows }: PhaseTimeline) {
  // At the end of the time range, so that it is the same twenty at each point of it.
  const times = ['start', 'created']
    .map(
      (time) => `max by (namespace, experiment, run) (destillml_run_${time}_time_seconds{${where}} @ end())`,
    )
    .join(' or ');
  const newest = `topk(${most}, (${times}) and on (namespace, experiment, run) ${rows})`;
  return new StateTimeline({
    title: 'Phases of Runs',
    description:
      'What each Run did when, of the twenty that started last. Waiting: for its teacher or its turn. Queued: for a GPU. Starting: its image, its data, its node. Paused: at a rung of a search, for its promotion.',
    unit: 'none',
    width,
    height,
    states: phaseWords,
    queries: [
      {
        expr: `(${phaseNumber(where)} and on (namespace, experiment, run) ${newest}) * on (namespace, experiment, run) group_left (name) ${rows}`,
        legend: '{{name}}',
      },
    ],
  });
}
