import type { Experiment } from '../api/experiment.ts';
import { mostExplained } from '../api/explain.ts';
import type { Run } from '../api/run.ts';
import { groupBySeeds, haveEnded } from './groups.ts';
import type { RunNamer, WantedRun } from './naming.ts';
import { phaseOf } from './phases.ts';
import type { TeacherParameters } from './teacher.ts';

/**
 * The Run that explains what the networks of an Experiment look at, once all `trained` have ended: of Runs that differ
 * in their seed only, the first that succeeded. Which ones these are is part of what it is asked, so that another one
 * explains the networks of arms or students that are added later.
 *
 * While Runs have not ended, for instance because one was deleted to be trained again, an explanation that exists stays
 * wanted.
 */
export function explanationRuns(
  { spec }: Experiment,
  trained: readonly WantedRun[],
  runs: readonly Run[],
  teacher: TeacherParameters,
  namer: RunNamer,
  isSearching: boolean,
): readonly WantedRun[] {
  const { explain, dataset, training, seeds } = spec;
  if (explain === undefined) return [];
  if (isSearching || !haveEnded(trained, new Map(runs.map((run) => [run.metadata.name, run])))) {
    return runs
      .filter((run) => run.spec.parameters.role === 'explanation')
      .map((run) => ({ name: run.metadata.name, parameters: run.spec.parameters }));
  }

  const explained = groupBySeeds(trained, runs).flatMap(
    (group) => group.runs.find((run) => phaseOf(run) === 'Succeeded') ?? [],
  );
  const [first] = explained;
  if (first === undefined) return [];
  const own = explained.find((run) => run.spec.parameters.role === 'teacher');
  // A teacher of this Experiment that failed has no network to look at.
  const trainedTeacher = own === undefined ? {} : { teacherRun: own.metadata.name };
  const shown: TeacherParameters = spec.teacher.model === undefined ? teacher : trainedTeacher;
  const others = mostExplained - (shown.teacherRun === undefined && shown.teacherOnnx === undefined ? 0 : 1);
  const networks = explained.filter((run) => run !== own).map(({ metadata }) => metadata.name);
  const [seed = 1] = seeds;
  const treatment = {
    role: 'explanation' as const,
    stage: 'explanation' as const,
    model: first.spec.parameters.model,
    dataset,
    training,
    ...shown,
    explanation: { ...explain, networks: networks.slice(0, others) },
  };
  return [{ name: namer(treatment)(seed), parameters: { ...treatment, seed } }];
}
