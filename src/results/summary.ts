import type { Experiment } from '../api/experiment.ts';
import type { Run, RunParameters, RunResult } from '../api/run.ts';
import { type Group, groupBySeeds, resultsOf } from '../plan/groups.ts';
import { hasEnded, phaseOf } from '../plan/phases.ts';
import { type Spread, spread } from '../plan/spread.ts';
import type { ExternalTeacher } from '../plan/teacher.ts';
import { type Memory, wantedRuns } from '../plan/wanted.ts';
import type { Gain, SummaryRow } from './row.ts';
import { holm, pairedDifference } from './statistics.ts';
import { techniqueOf } from './technique.ts';

/** Rows in the order of the spec: the teacher; per student its baseline and the arms; the scarcity stage. */
export type Summary = { readonly rows: readonly SummaryRow[] };

/**
 * What an Experiment has shown so far. Only Runs that it asks for now count: not those of an arm that was removed, nor
 * those trained with other parameters before the spec was changed.
 *
 * `teacher` is what was found for `spec.teacher.from`; `memory` makes the next call quicker.
 */
export function summarise(
  experiment: Experiment,
  runs: readonly Run[],
  teacher?: ExternalTeacher,
  memory?: Memory,
): Summary {
  const wanted = wantedRuns(experiment, runs, undefined, memory).runs;
  const trained = wanted.filter(({ parameters }) => parameters.role !== 'explanation');
  const groups = groupBySeeds(trained, runs);
  const external = teacher && 'run' in teacher ? teacher : undefined;
  const teacherResults = [
    ...groups
      .filter(({ parameters }) => parameters.role === 'teacher')
      .flatMap((group) => resultsOf(group.runs)),
    ...(external?.result ? [external.result] : []),
  ];
  const teacherAccuracy = spread(teacherResults.map((result) => result.testAccuracy))?.mean;

  const externalRows: SummaryRow[] =
    external?.model && external.result
      ? [
          {
            stage: 'main',
            role: 'teacher',
            technique: 'teacher',
            network: external.model,
            fraction: experiment.spec.dataset.fraction,
            runs: { wanted: 1, succeeded: 1, failed: 0 },
            ...measurements([external.result]),
          },
        ]
      : [];
  const rows = groups.map((group) => row(group, groups, teacherAccuracy));
  return { rows: [...externalRows, ...corrected(rows)] };
}

/** The tests of the arms of one student in one stage are a family: the more arms, the sooner one is lucky. */
function corrected(rows: readonly SummaryRow[]): readonly SummaryRow[] {
  const families = Map.groupBy(rows, ({ stage, student }) => `${stage}/${student}`);
  const adjusted = new Map<Gain, Gain>();
  for (const family of families.values()) {
    const gains = family.flatMap((row) => row.gain ?? []);
    const tested = gains.filter(({ pValue }) => pValue !== undefined);
    const ranked = gains.filter(({ wilcoxonPValue }) => wilcoxonPValue !== undefined);
    const byT = holm(tested.map(({ pValue }) => pValue ?? 1));
    const byRank = holm(ranked.map(({ wilcoxonPValue }) => wilcoxonPValue ?? 1));
    for (const gain of gains) {
      const pAdjusted = byT[tested.indexOf(gain)];
      const wilcoxonPAdjusted = byRank[ranked.indexOf(gain)];
      adjusted.set(gain, {
        ...gain,
        ...(pAdjusted === undefined ? {} : { pAdjusted }),
        ...(wilcoxonPAdjusted === undefined ? {} : { wilcoxonPAdjusted }),
      });
    }
  }
  return rows.map((row) => (row.gain === undefined ? row : { ...row, gain: adjusted.get(row.gain) }));
}

function row(group: Group, groups: readonly Group[], teacherAccuracy: number | undefined): SummaryRow {
  const { parameters, wanted, runs } = group;
  const results = resultsOf(runs);
  const accuracy = spread(results.map((result) => result.testAccuracy))?.mean;
  const retained =
    parameters.role !== 'teacher' && accuracy !== undefined && teacherAccuracy
      ? accuracy / teacherAccuracy
      : undefined;
  return {
    stage: parameters.stage,
    role: parameters.role,
    technique: techniqueOf(parameters),
    ...(parameters.student === undefined ? {} : { student: parameters.student }),
    network: parameters.model,
    fraction: parameters.dataset.fraction,
    runs: {
      wanted,
      succeeded: runs.filter((run) => phaseOf(run) === 'Succeeded').length,
      failed: runs.filter((run) => hasEnded(run) && phaseOf(run) !== 'Succeeded').length,
    },
    ...measurements(results),
    ...comparison(group, baselineOf(parameters, groups), teacherAccuracy),
    ...(retained === undefined ? {} : { accuracyRetained: retained }),
  };
}

function measurements(results: readonly RunResult[]): Partial<SummaryRow> {
  const [first] = results;
  if (first === undefined) return {};
  const over = (value: (result: RunResult) => number): Spread | undefined => spread(results.map(value));
  return {
    parameters: first.parameters,
    flops: first.flops,
    testAccuracy: over((result) => result.testAccuracy),
    validationAccuracy: over((result) => result.validationAccuracy),
    trainingSeconds: over((result) => result.trainingSeconds)?.mean,
    imagesPerSecond: over((result) => result.imagesPerSecond)?.mean,
  };
}

/** Gain and share of the gap closed, on the seeds that both the arm and its baseline have; nothing where there are none. */
function comparison(
  group: Group,
  baseline: Group | undefined,
  teacherAccuracy: number | undefined,
): Pick<SummaryRow, 'gain' | 'gapClosed'> {
  if (group.parameters.role !== 'distilled' || baseline === undefined) return {};
  const base = accuracyBySeed(baseline);
  const pairs = [...accuracyBySeed(group)].flatMap(([seed, accuracy]) => {
    const reference = base.get(seed);
    return reference === undefined ? [] : [{ seed, accuracy, reference }];
  });
  const difference = pairedDifference(pairs.map(({ accuracy, reference }) => accuracy - reference));
  const reference = spread(pairs.map((pair) => pair.reference));
  if (difference === undefined || reference === undefined) return {};
  const gap = teacherAccuracy === undefined ? 0 : teacherAccuracy - reference.mean;
  return {
    gain: { ...difference, seeds: pairs.map(({ seed }) => seed) },
    ...(gap > 0 ? { gapClosed: difference.mean / gap } : {}),
  };
}

function accuracyBySeed({ runs }: Group): ReadonlyMap<number, number> {
  return new Map(
    runs.flatMap((run) =>
      resultsOf([run]).map(({ testAccuracy }) => [run.spec.parameters.seed, testAccuracy] as const),
    ),
  );
}

function baselineOf({ stage, student }: RunParameters, groups: readonly Group[]): Group | undefined {
  return groups.find(
    ({ parameters }) =>
      parameters.role === 'baseline' && parameters.stage === stage && parameters.student === student,
  );
}
