import { type Experiment, experiment as experimentSchema } from '../../../src/api/experiment.ts';
import type { RunPhase } from '../../../src/api/meta.ts';
import type { Run, RunResult, RunStatus } from '../../../src/api/run.ts';
import { isAtRung, isFinal, phaseOf } from '../../../src/plan/phases.ts';
import type { Plan } from '../../../src/plan/plan.ts';

export const now = new Date('2026-03-01T12:00:00.123Z');
export const later = new Date('2026-03-01T13:00:00Z');

/** An Experiment with a teacher, one student, two arms and two seeds, unless `spec` says otherwise. */
export function experimentOf(
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): Experiment {
  return experimentSchema.parse({
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study', namespace: 'lab', uid: 'uid-1', generation: 3, ...metadata },
    spec: {
      dataset: { name: 'mnist' },
      teacher: { model: 'resnet56' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [
        { name: 'soft', softTargets: {} },
        { name: 'attention', attentionTransfer: {} },
      ],
      seeds: [1, 2],
      parallelism: 100,
      ...spec,
    },
  });
}

export function resultOf(testAccuracy: number, validationAccuracy = testAccuracy): RunResult {
  return {
    bestEpoch: 3,
    validationAccuracy,
    testAccuracy,
    testAccuracyTop5: 1,
    testLoss: 0.5,
    parameters: 78_042,
    flops: 25_000_000,
    epochs: 4,
    trainingSeconds: 72,
    imagesPerSecond: 431.4,
    artifacts: 'runs/x',
  };
}

/** What a plan's writes make of the world; only the first `writes` of them, if given. */
export function apply(runs: readonly Run[], plan: Plan, writes = Number.POSITIVE_INFINITY): readonly Run[] {
  const steps: readonly ((runs: readonly Run[]) => readonly Run[])[] = [
    ...plan.create.map((run) => (before: readonly Run[]) => {
      if (before.some(({ metadata }) => metadata.name === run.metadata.name))
        throw new Error('AlreadyExists');
      return [...before, { ...run, metadata: { ...run.metadata, generation: 1 } }];
    }),
    ...plan.stop.map(({ name, ...stop }) => specWriter(name, { stop })),
    ...plan.pause.map((name) => specWriter(name, { suspend: true })),
    ...plan.start.map((name) => specWriter(name, { suspend: false })),
    ...plan.promote.map(({ name, untilEpoch }) => specWriter(name, { untilEpoch })),
  ];
  return steps.slice(0, writes).reduce((before, step) => step(before), runs);
}

export function countWrites({ create, stop, pause, start, promote }: Plan): number {
  return create.length + stop.length + pause.length + start.length + promote.length;
}

function specWriter(name: string, spec: Partial<Run['spec']>) {
  return (runs: readonly Run[]) => {
    if (!runs.some(({ metadata }) => metadata.name === name)) throw new Error(`NotFound: ${name}`);
    return runs.map((run) => {
      if (run.metadata.name !== name) return run;
      const generation = (run.metadata.generation ?? 0) + 1;
      return { ...run, metadata: { ...run.metadata, generation }, spec: { ...run.spec, ...spec } };
    });
  };
}

export function withStatus(run: Run, status: Partial<RunStatus> & { phase: RunPhase }): Run {
  return { ...run, status: { conditions: [], ...run.status, ...status } };
}

/** With a `Progressing` condition that was reported of the Run's present spec. */
export function withProgressing(
  run: Run,
  status: 'True' | 'False',
  reason: string,
  message: string,
  observedGeneration = run.metadata.generation,
): Run {
  const condition = {
    type: 'Progressing',
    status,
    reason,
    message,
    lastTransitionTime: '2026-03-01T10:00:00Z',
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
  };
  return withStatus(run, { phase: phaseOf(run), conditions: [condition] });
}

/** Sets the status of the Runs for which `of` gives one. */
export function report(
  runs: readonly Run[],
  of: (run: Run) => (Partial<RunStatus> & { phase: RunPhase }) | undefined,
): readonly Run[] {
  return runs.map((run) => {
    const status = of(run);
    return status ? withStatus(run, status) : run;
  });
}

/**
 * One step of the Run controller, as it stands in the design: a stopped Run ends once its pod is gone, a paused one
 * waits again, a started one trains and then succeeds or fails. Only one that is under way is `Progressing`.
 */
export function step(run: Run, succeeds: (run: Run) => RunResult | undefined, time: string): Run {
  if (isFinal(phaseOf(run))) return run;
  const next = goOn(run, succeeds, time);
  const isUnderWay = phaseOf(next) !== 'Waiting' && !isFinal(phaseOf(next));
  const seen = withProgressing(next, isUnderWay ? 'True' : 'False', phaseOf(next), 'As its phase says.');
  const { generation } = run.metadata;
  return generation === undefined
    ? seen
    : withStatus(seen, { phase: phaseOf(seen), observedGeneration: generation });
}

function goOn(run: Run, succeeds: (run: Run) => RunResult | undefined, time: string): Run {
  const phase = phaseOf(run);
  if (run.spec.stop) {
    const { reason, message } = run.spec.stop;
    return withStatus(run, { phase: run.status?.startTime ? 'Stopped' : 'Skipped', reason, message });
  }
  if (isAtRung(run)) return run;
  if (run.spec.suspend) return phase === 'Waiting' ? run : withStatus(run, { phase: 'Waiting' });
  switch (phase) {
    case 'Paused':
    case 'Waiting':
      return withStatus(run, { phase: 'Starting' });
    case 'Starting':
    case 'Queued':
      return withStatus(run, {
        phase: 'Running',
        startTime: run.status?.startTime ?? time,
        ...halfway(run, succeeds(run)),
      });
    default: {
      const result = succeeds(run);
      const { untilEpoch: epoch } = run.spec;
      if (result && epoch !== undefined && epoch < run.spec.parameters.training.epochs) {
        const { rungs = [] } = run.status ?? {};
        // Some are only good in the end.
        const share = epoch / run.spec.parameters.training.epochs;
        const validationAccuracy = result.validationAccuracy * (0.5 + share / 2);
        return withStatus(run, { phase: 'Paused', rungs: [...rungs, { epoch, validationAccuracy }] });
      }
      return result
        ? withStatus(run, { phase: 'Succeeded', result })
        : withStatus(run, { phase: 'Failed', reason: 'TrainingDiverged', message: 'The loss became NaN.' });
    }
  }
}

/** What a trainer has reported of a Run of a search when it is half-way: some of them fall behind. */
function halfway(run: Run, result: RunResult | undefined): Partial<RunStatus> {
  const { trial, parameters, untilEpoch = parameters.training.epochs } = run.spec;
  if (trial === undefined || result === undefined) return {};
  const epoch = Math.ceil(untilEpoch / 2);
  const bestValidationAccuracy = result.validationAccuracy * (0.5 + epoch / untilEpoch / 4);
  const { epochs } = parameters.training;
  return {
    progress: { epoch, epochs, step: 0, steps: 1, bestValidationAccuracy, updatedAt: '2026-03-01T12:00:00Z' },
  };
}

/** `role[/arm][/student]/seed`, to read tests by; of a Run of a search with its number. */
export function shortName(run: Pick<Run, 'spec'>): string {
  const { stage, role, arm, student, seed } = run.spec.parameters;
  const last = run.spec.trial ? `#${run.spec.trial.number}` : seed;
  return [...(stage === 'main' ? [] : [stage]), arm ?? role, ...(student ? [student] : []), last].join('/');
}

export function names(runs: readonly Run[]): readonly string[] {
  return runs.map(({ metadata }) => metadata.name);
}
