import { describe, expect, it } from 'vitest';
import { type Experiment, type ExperimentStatus, experimentStatus } from '../../../src/api/experiment.ts';
import { type Run, type RunResult, run as runSchema } from '../../../src/api/run.ts';
import { isActive, phaseOf } from '../../../src/plan/phases.ts';
import { plan } from '../../../src/plan/plan.ts';
import { apply, countWrites, experimentOf, later, now, report, resultOf, step, withStatus } from './world.ts';

const learningRate = 'training.optimizer.learningRate';
const temperature = 'distillation.softTargets.temperature';

/** A sweep of the learning rate and of one arm's temperature. */
function sweepOf(sweep: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): Experiment {
  return experimentOf({
    training: { epochs: 90 },
    seeds: [7, 8, 9],
    ...spec,
    sweep: {
      algorithm: { random: {} },
      maxRuns: 6,
      parameters: [
        { name: learningRate, double: { min: 0.01, max: 1, scale: 'log' } },
        { name: temperature, discrete: [1, 2, 4, 8] },
      ],
      ...sweep,
    },
  });
}

const asha = { asha: { minEpochs: 10, eta: 3, sampler: 'random' } };

/** Runs with a higher learning rate are better; those of the main stage as good as what they were found by. */
const byLearningRate = (run: Run): RunResult =>
  resultOf(
    0.5 + run.spec.parameters.training.optimizer.learningRate / 4,
    0.4 + run.spec.parameters.training.optimizer.learningRate / 2,
  );

type Ended = { readonly runs: readonly Run[]; readonly status: ExperimentStatus };

/** Lets everything go on until nothing is left to do; `look` sees every state on the way. */
function carryOn(
  experiment: Experiment,
  begin: readonly Run[] = [],
  { succeeds = byLearningRate as (run: Run) => RunResult | undefined, look = (_: readonly Run[]) => {} } = {},
): Ended {
  let runs = begin;
  let status = experiment.status;
  for (let round = 0; round < 1000; round++) {
    const next = plan({ experiment: { ...experiment, ...(status ? { status } : {}) }, runs, now });
    status = next.status;
    const before = runs;
    runs = apply(runs, next);
    look(runs);
    runs = runs.map((run) => step(run, succeeds, now.toISOString()));
    if (countWrites(next) === 0 && runs.every((run, index) => phaseOf(run) === phaseOf(before[index] ?? run)))
      return { runs, status: plan({ experiment: { ...experiment, status }, runs, now: later }).status };
  }
  throw new Error('it does not end');
}

const trialsOf = (runs: readonly Run[], study?: string) =>
  runs.filter(({ spec: { trial } }) => trial && (study === undefined || trial.study === study));
const mainOf = (runs: readonly Run[]) =>
  runs.filter(({ spec: { parameters } }) => parameters.stage === 'main');
const seedsOf = (runs: readonly Run[]) => runs.map(({ spec }) => spec.parameters.seed);

describe('the studies of a sweep', () => {
  it.each([
    ['teacher', ['teacher']],
    ['students', ['small.baseline']],
    ['distilled', ['small.soft', 'small.attention']],
    ['comparison', ['small.baseline', 'small.soft', 'small.attention']],
  ])('for %s are %j', (what, expected) => {
    const parameters = [{ name: learningRate, discrete: [0.1, 0.2] }];
    const { status } = carryOn(sweepOf({ for: what, parameters }));
    expect(status.studies?.map(({ name }) => name)).toEqual(expected);
  });

  it('vary what touches them: an arm has the parameters of its own techniques, and no label smoothing', () => {
    const parameters = [
      { name: learningRate, discrete: [0.1, 0.2] },
      { name: temperature, discrete: [1, 2] },
      { name: 'training.labelSmoothing', discrete: [0, 0.1] },
    ];
    const { runs } = carryOn(sweepOf({ for: 'comparison', parameters, maxRuns: 2 }));
    const varied = (study: string) =>
      Object.keys(trialsOf(runs, study)[0]?.spec.trial?.values ?? {}).toSorted();
    expect(varied('small.baseline')).toEqual(['training.labelSmoothing', learningRate]);
    expect(varied('small.soft')).toEqual([temperature, learningRate]);
    expect(varied('small.attention')).toEqual([learningRate]);
  });

  it('leave arms alone that nothing touches', () => {
    const parameters = [{ name: temperature, discrete: [1, 2] }];
    const { runs, status } = carryOn(sweepOf({ parameters, maxRuns: 2 }));
    expect(status.studies?.map(({ name }) => name)).toEqual(['small.soft']);
    expect(mainOf(runs).filter(({ spec }) => spec.parameters.arm === 'attention')).toHaveLength(3);
  });

  it('have Runs of one seed, named by their number, that say what they try and are what they say', () => {
    const { runs } = carryOn(sweepOf());
    const trials = trialsOf(runs, 'small.soft');
    expect(trials).toHaveLength(6);
    for (const [index, run] of trials.entries()) {
      expect(runSchema.safeParse(run).error).toBeUndefined();
      const { trial, parameters } = run.spec;
      expect(run.metadata.name).toMatch(
        new RegExp(`^study-search-soft-small-t000${index + 1}-[0-9a-f]{10}$`),
      );
      expect(run.metadata.labels).toMatchObject({
        'destillml.io/study': 'small.soft',
        'destillml.io/stage': 'search',
      });
      expect(trial?.number).toBe(index + 1);
      expect(parameters.training.optimizer.learningRate).toBe(trial?.values[learningRate]);
      expect(parameters.objective?.softTargets?.temperature).toBe(trial?.values[temperature]);
      expect(trial?.summary).toBe(
        `learningRate=${trial?.values[learningRate]}, temperature=${trial?.values[temperature]}`,
      );
      expect(parameters.seed).toBe(7);
      expect(parameters.training.labelSmoothing).toBe(0);
    }
  });

  it('try an augmentation with and without, and its numbers only with it', () => {
    const parameters = [
      { name: 'dataset.augmentation.colorJitter', boolean: {} },
      { name: 'dataset.augmentation.colorJitter.hue', discrete: [0.1, 0.2] },
    ];
    const { runs } = carryOn(sweepOf({ for: 'students', parameters }));
    const tried = trialsOf(runs).map(({ spec }) => [
      spec.trial?.values['dataset.augmentation.colorJitter'],
      spec.parameters.dataset.augmentation.colorJitter,
    ]);
    expect(tried).toHaveLength(3);
    expect(tried).toContainEqual([false, undefined]);
    expect(tried).toContainEqual([true, { brightness: 0, contrast: 0, saturation: 0, hue: 0.1 }]);
    expect(tried).toContainEqual([true, { brightness: 0, contrast: 0, saturation: 0, hue: 0.2 }]);
  });

  it('never have more Runs under way than parallelism, and are of one size', () => {
    const experiment = sweepOf({}, { parallelism: 3 });
    let most = 0;
    carryOn(experiment, [], {
      look: (runs) => {
        most = Math.max(most, runs.filter(isActive).length);
        expect(runs.filter(isActive).length).toBeLessThanOrEqual(3);
        const sizes = ['small.soft', 'small.attention'].map((study) => trialsOf(runs, study).length);
        expect(Math.abs((sizes[0] ?? 0) - (sizes[1] ?? 0))).toBeLessThanOrEqual(1);
      },
    });
    expect(most).toBe(3);
  });

  it('wait for the teacher where they distil, and never begin where it failed', () => {
    const experiment = sweepOf();
    const first = plan({ experiment, runs: [], now });
    expect(trialsOf(first.create)).toEqual([]);
    const [teacher] = first.create;
    const trainsIt = `Run ${teacher?.metadata.name} trains the teacher: Waiting.`;
    expect(first.status.studies).toMatchObject([
      { state: 'Waiting', reason: 'TeacherUnfinished', message: trainsIt },
      { state: 'Waiting', reason: 'TeacherUnfinished', message: trainsIt },
    ]);

    const succeeds = (run: Run) => (run.spec.parameters.role === 'teacher' ? undefined : resultOf(0.5));
    const { runs, status } = carryOn(experiment, [], { succeeds });
    expect(trialsOf(runs)).toEqual([]);
    // The API server takes it, however much the teacher had to say.
    const wordy = runs.map((run) =>
      run.spec.parameters.role === 'teacher'
        ? withStatus(run, { phase: 'Failed', message: 'x'.repeat(30_000) })
        : run,
    );
    const told = plan({ experiment, runs: wordy, now }).status;
    expect(experimentStatus.safeParse(told).error).toBeUndefined();
    expect(status.phase).toBe('Complete');
    expect(status.studies?.map(({ state, reason }) => [state, reason])).toEqual([
      ['Failed', 'TeacherFailed'],
      ['Failed', 'TeacherFailed'],
    ]);
  });
});

describe('a study of which no Run is under way', () => {
  const students = { for: 'students', parameters: [{ name: learningRate, discrete: [0.1, 0.2] }] };
  /** What is said of the baselines' study, once so many of its Runs exist. */
  function said(
    trials: number,
    spec: Record<string, unknown>,
    obstacle?: { reason: string; message: string },
  ) {
    const { runs } = carryOn(sweepOf({ ...students, maxRuns: 1 }));
    const kept = [...runs.filter((run) => run.spec.trial === undefined), ...trialsOf(runs).slice(0, trials)];
    const experiment = sweepOf(students, spec);
    return plan({ experiment, runs: kept, obstacle, now }).status.studies?.[0];
  }

  it('says that the Experiment is suspended', () => {
    expect(said(0, { suspend: true })).toMatchObject({ state: 'Waiting', reason: 'Suspended' });
    expect(said(1, { suspend: true })).toMatchObject({
      state: 'Searching',
      reason: 'Suspended',
      message: '1 of 1 Runs have ended or come to a rung. It goes on once spec.suspend is false.',
    });
  });

  it('says what is missing in one word, and which condition tells more', () => {
    const obstacle = { reason: 'QueueMissing', message: 'x'.repeat(30_000) };
    const expected = {
      reason: 'QueueMissing',
      message: 'The condition PrerequisitesMet says what is missing.',
    };
    expect(said(0, {}, obstacle)).toMatchObject({ state: 'Waiting', ...expected });
  });

  it('says that other Runs have the slots', () => {
    const first = plan({ experiment: sweepOf(students), runs: [], now });
    expect(first.status.studies?.[0]).toMatchObject({ state: 'Searching', reason: 'RunsUnfinished' });
    const experiment = sweepOf({ ...students, for: 'comparison' }, { parallelism: 1 });
    const both = plan({ experiment, runs: [], now });
    expect(both.status.studies?.[0]).toMatchObject({
      state: 'Waiting',
      reason: 'WaitingForSlots',
      message: 'Other Runs have all of spec.parallelism, 1.',
    });
  });
});

describe('what a study has found', () => {
  it('is trained with every seed; of the seed that it was found with it is the Run that found it', () => {
    const { runs, status } = carryOn(sweepOf({ for: 'distilled' }));
    const best = status.studies?.find(({ name }) => name === 'small.soft')?.best;
    const found = runs.find(({ metadata }) => metadata.name === best?.run);
    expect(best?.values[learningRate]).toBe(
      Math.max(...trialsOf(runs, 'small.soft').map(({ spec }) => Number(spec.trial?.values[learningRate]))),
    );
    const confirmed = mainOf(runs).filter(({ spec }) => spec.parameters.arm === 'soft');
    expect(seedsOf(confirmed)).toEqual([8, 9]);
    for (const { spec } of confirmed) {
      expect({ ...spec.parameters, seed: 7, stage: 'search' }).toEqual(found?.spec.parameters);
    }
    expect(status.best?.arm).toBeDefined();
    expect(status.phase).toBe('Complete');
  });

  it('is trained anew where the Run that found it was stopped', () => {
    const experiment = sweepOf({
      for: 'students',
      maxRuns: 2,
      parameters: [{ name: learningRate, discrete: [0.1, 0.2] }],
    });
    const begun = apply([], plan({ experiment, runs: [], now }));
    const progress = {
      epoch: 20,
      epochs: 90,
      step: 1,
      steps: 1,
      bestValidationAccuracy: 0.9,
      updatedAt: '2026-03-01T12:00:00Z',
    };
    const runs = report(begun, ({ spec: { trial } }) => {
      if (trial === undefined) return undefined;
      return trial.number === 1
        ? { phase: 'Stopped', progress }
        : { phase: 'Succeeded', result: resultOf(0.5) };
    });
    const { create } = plan({ experiment, runs, now });
    const found = trialsOf(runs)[0]?.spec.trial?.values[learningRate];
    expect(seedsOf(create)).toEqual([7, 8, 9]);
    for (const { spec } of create) {
      expect(spec.trial).toBeUndefined();
      expect(spec.parameters.training.optimizer.learningRate).toBe(found);
    }
  });

  it('by validation accuracy, never by test accuracy', () => {
    const succeeds = (run: Run) =>
      resultOf(1 - byLearningRate(run).testAccuracy, byLearningRate(run).validationAccuracy);
    const { runs, status } = carryOn(sweepOf(), [], { succeeds });
    const rates = trialsOf(runs, 'small.soft').map(({ spec }) => Number(spec.trial?.values[learningRate]));
    expect(status.studies?.[0]?.best?.values[learningRate]).toBe(Math.max(...rates));
  });

  it('is how the teacher is trained, which the students wait for', () => {
    const parameters = [{ name: learningRate, double: { min: 0.1, max: 1 } }];
    const experiment = sweepOf({ for: 'teacher', parameters });
    const { runs, status } = carryOn(experiment, [], {
      look: (seen) => {
        const open = trialsOf(seen).some((run) => phaseOf(run) !== 'Succeeded') || trialsOf(seen).length < 6;
        if (open) expect(seen.filter(({ spec }) => spec.parameters.role === 'distilled')).toEqual([]);
      },
    });
    const best = status.studies?.[0]?.best?.run;
    expect(runs.filter(({ spec }) => spec.parameters.role === 'teacher')).toHaveLength(6);
    const students = runs.filter(({ spec }) => spec.parameters.role === 'distilled');
    expect(students).toHaveLength(6);
    expect(students.map(({ spec }) => spec.parameters.teacherRun)).toEqual(students.map(() => best));
    expect(status.teacherAccuracy).toBeDefined();
  });

  it('is open again when more Runs are allowed, and what was confirmed stays until something better is found', () => {
    const first = carryOn(sweepOf({ maxRuns: 2, seed: 2 }));
    const before = first.status.studies?.[0]?.best?.values[learningRate];
    const more = { ...sweepOf({ maxRuns: 12, seed: 2 }), status: first.status };
    const reopened = plan({ experiment: more, runs: first.runs, now });
    expect(reopened.stop).toEqual([]);
    expect(reopened.status.phase).not.toBe('Complete');
    const second = carryOn(more, first.runs);
    const after = second.status.studies?.[0]?.best?.values[learningRate];
    expect(Number(after)).toBeGreaterThan(Number(before));
    expect(trialsOf(second.runs, 'small.soft')).toHaveLength(12);
    expect(trialsOf(second.runs, 'small.soft').slice(0, 2)).toEqual(trialsOf(first.runs, 'small.soft'));
    expect(second.status.phase).toBe('Complete');
  });

  it('is what scarcity trains with', () => {
    const scarcity = { student: { model: 'resnet14' }, fraction: 0.1, arm: 'soft' };
    const { runs, status } = carryOn(sweepOf({}, { scarcity }));
    const scarce = runs.filter(
      ({ spec: { parameters } }) => parameters.stage === 'scarcity' && parameters.arm === 'soft',
    );
    const found = status.studies?.[0]?.best?.values[learningRate];
    expect(scarce.map(({ spec }) => spec.parameters.training.optimizer.learningRate)).toEqual([
      found,
      found,
      found,
    ]);
    expect(scarce.map(({ spec }) => spec.parameters.dataset.fraction)).toEqual([0.1, 0.1, 0.1]);
  });

  it('is what scarcity trains with, augmentations too, on its own share of the images', () => {
    const scarcity = { student: { model: 'resnet14' }, fraction: 0.1, arm: 'soft' };
    const dataset = { name: 'mnist', augmentation: { crop: { padding: 2 } } };
    const parameters = [
      { name: 'dataset.augmentation.crop', boolean: {} },
      { name: 'dataset.fraction', discrete: [0.5, 1] },
    ];
    const succeeds = (run: Run) => resultOf(run.spec.parameters.dataset.augmentation.crop ? 0.5 : 0.9);
    const { runs } = carryOn(sweepOf({ parameters }, { scarcity, dataset }), [], { succeeds });
    const scarce = runs.filter(
      ({ spec: { parameters: own } }) => own.stage === 'scarcity' && own.arm === 'soft',
    );
    expect(scarce).toHaveLength(3);
    for (const { spec } of scarce) {
      expect(spec.parameters.dataset).toMatchObject({ fraction: 0.1 });
      expect(spec.parameters.dataset.augmentation).not.toHaveProperty('crop');
    }
  });
});

describe('a study ends', () => {
  it('when all of its space was tried', () => {
    const parameters = [{ name: temperature, discrete: [1, 2, 4] }];
    const { runs, status } = carryOn(sweepOf({ parameters, maxRuns: 10 }));
    expect(trialsOf(runs)).toHaveLength(3);
    expect(status.studies?.[0]).toMatchObject({ state: 'Ended', reason: 'SpaceExhausted' });
  });

  it('when a Run reaches the goal: what is under way is stopped, what was reached is kept', () => {
    const experiment = sweepOf({ objective: { goal: 0.5 }, maxRuns: 50 }, { parallelism: 4 });
    const { runs, status } = carryOn(experiment);
    expect(status.studies?.map(({ state, reason }) => [state, reason])).toEqual([
      ['Ended', 'GoalReached'],
      ['Ended', 'GoalReached'],
    ]);
    expect(trialsOf(runs).length).toBeLessThan(100);
    expect(trialsOf(runs).some(isActive)).toBe(false);
    expect(trialsOf(runs).filter((run) => phaseOf(run) === 'Succeeded').length).toBeGreaterThan(1);
    expect(status.phase).toBe('Complete');
  });

  it('without a result when too many Runs fail, and says so', () => {
    const succeeds = (run: Run) => (run.spec.trial?.study === 'small.soft' ? undefined : byLearningRate(run));
    const { runs, status } = carryOn(sweepOf({ maxFailedRuns: 2, maxRuns: 20 }, { parallelism: 1 }), [], {
      succeeds,
    });
    expect(trialsOf(runs, 'small.soft')).toHaveLength(2);
    expect(status.studies?.[0]).toMatchObject({ state: 'Failed', reason: 'TooManyRunsFailed' });
    expect(status.studies?.[1]).toMatchObject({ state: 'Ended' });
    expect(status.conditions.find(({ type }) => type === 'SearchEnded')).toMatchObject({
      status: 'True',
      reason: 'StudyFailed',
      message: expect.stringContaining(
        'small.soft: 2 of its Runs failed, and spec.sweep.maxFailedRuns is 2.',
      ),
    });
    expect(mainOf(runs).some(({ spec }) => spec.parameters.arm === 'soft')).toBe(false);
    expect(status.conditions.find(({ type }) => type === 'Complete')?.reason).toBe('SomeRunsFailed');
  });

  it('when it has taken the GPU hours that it may take', () => {
    const experiment = sweepOf({ maxGpuHours: 2, maxRuns: 50 }, { parallelism: 1 });
    let runs: readonly Run[] = [];
    runs = apply(runs, plan({ experiment, runs, now }));
    for (let round = 0; round < 12; round++) {
      runs = report(runs, (run) => ({ phase: 'Succeeded', gpuSeconds: 3600, result: byLearningRate(run) }));
      runs = apply(runs, plan({ experiment, runs, now }));
    }
    expect(trialsOf(runs)).toHaveLength(2);
    expect(plan({ experiment, runs, now }).status.studies?.[0]).toMatchObject({ reason: 'GpuHoursSpent' });
  });

  it('for no failed Run: it is counted, and evidence of nothing', () => {
    const succeeds = (run: Run) =>
      Number(run.spec.trial?.values[learningRate] ?? 0) > 0.1 ? undefined : byLearningRate(run);
    const { runs, status } = carryOn(sweepOf({ maxRuns: 12 }), [], { succeeds });
    const best = status.studies?.[0]?.best;
    expect(Number(best?.values[learningRate])).toBeLessThanOrEqual(0.1);
    expect(status.studies?.[0]?.runs.Failed).toBeGreaterThan(0);
    expect(trialsOf(runs, 'small.soft')).toHaveLength(12);
  });
});

describe('successive halving', () => {
  const experiment = () => sweepOf({ algorithm: asha, maxRuns: 27 }, { parallelism: 4 });

  it('pauses Runs at rungs, promotes one in three, and trains the best to its end', () => {
    const { runs, status } = carryOn(experiment());
    for (const study of ['small.soft', 'small.attention']) {
      const trials = trialsOf(runs, study);
      const reached = (epoch: number) =>
        trials.filter((run) => run.spec.untilEpoch === undefined || run.spec.untilEpoch > epoch).length;
      expect(trials).toHaveLength(27);
      expect(reached(10)).toBeGreaterThanOrEqual(9);
      expect(reached(30)).toBeGreaterThanOrEqual(3);
      expect(trials.filter((run) => phaseOf(run) === 'Succeeded').length).toBeGreaterThanOrEqual(1);
      const best = status.studies?.find(({ name }) => name === study)?.best;
      expect(phaseOf(trials.find(({ metadata }) => metadata.name === best?.run)!)).toBe('Succeeded');
    }
    expect(status.phase).toBe('Complete');
    expect(status.runs?.Paused).toBeGreaterThan(20);
  });

  it('gives the slot of a Run at its rung to others', () => {
    const seen = new Set<number>();
    carryOn(experiment(), [], {
      look: (runs) => {
        seen.add(runs.filter(isActive).length);
        expect(runs.filter(isActive).length).toBeLessThanOrEqual(4);
      },
    });
    expect(seen).toContain(4);
  });

  it('trains what was found on, should no Run have come to the end', () => {
    const few = sweepOf({
      algorithm: asha,
      maxRuns: 2,
      parameters: [{ name: learningRate, double: { min: 0.1, max: 1 } }],
    });
    const { runs, status } = carryOn(few);
    const best = status.studies?.[0]?.best?.run;
    const found = runs.find(({ metadata }) => metadata.name === best);
    expect(found?.spec.untilEpoch).toBe(90);
    expect(found && phaseOf(found)).toBe('Succeeded');
    expect(trialsOf(runs, 'small.soft').map(phaseOf).toSorted()).toEqual(['Paused', 'Succeeded']);
    expect(status.phase).toBe('Complete');
  });

  it('goes on from its rungs when more Runs are allowed', () => {
    const first = carryOn(sweepOf({ algorithm: asha, maxRuns: 4 }));
    const more = { ...sweepOf({ algorithm: asha, maxRuns: 27 }), status: first.status };
    const second = carryOn(more, first.runs);
    expect(trialsOf(second.runs, 'small.soft')).toHaveLength(27);
    expect(second.status.phase).toBe('Complete');
  });
});
