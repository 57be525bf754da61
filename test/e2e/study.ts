/** Epochs of a study. */
export const epochs = 10;

/** Long enough to be interrupted, and no longer; on one of the node's GPUs. */
export function study(name: string, changes: object = {}): object {
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name },
    spec: {
      dataset: { name: 'mnist', source: { packaged: {} }, imageSize: 28, validation: 500, fraction: 0.03 },
      teacher: { model: 'resnet14' },
      students: [{ name: 'small', model: 'resnet8' }],
      distillation: [{ name: 'soft', softTargets: { temperature: 4, weight: 0.9 } }],
      training: { epochs, batchSize: 64, optimizer: { learningRate: 0.1 }, schedule: { warmupEpochs: 1 } },
      seeds: [1],
      storage: { persistentVolumeClaim: { claimName: 'experiments' } },
      pod: { gpus: 1 },
      ...changes,
    },
  };
}
