/** The smallest Experiment, with other fields in the place of its own. */
export function experimentWith(spec: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name: 'study' },
    spec: {
      dataset: { name: 'mnist' },
      teacher: { model: 'resnet20' },
      students: [{ name: 'small', model: 'resnet8' }],
      ...spec,
    },
  };
}

/** A sweep over the learning rate, with other fields in the place of its own. */
export function sweepWith(sweep: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    algorithm: { random: {} },
    maxRuns: 20,
    parameters: [{ name: 'training.optimizer.learningRate', discrete: [0.1, 0.2] }],
    ...sweep,
  };
}

/** A distilled Run, with other parameters in the place of its own. */
export function runWith(parameters: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: { name: 'study-soft-small-1' },
    spec: {
      experiment: 'study',
      parameters: {
        role: 'distilled',
        arm: 'soft',
        student: 'small',
        model: 'resnet8',
        seed: 1,
        dataset: { name: 'mnist' },
        training: {},
        teacherRun: 'study-teacher-1',
        objective: { softTargets: {} },
        ...parameters,
      },
    },
  };
}
