/** DestillML's own training step: `node ours.ts SCENARIO [IMAGES]`, IMAGES a file of RGB bytes followed by labels. */
import { readFileSync } from 'node:fs';
import { parametersOf } from '@destillml/trainer/data/augmentation-parameters.ts';
import { batches } from '@destillml/trainer/data/batches.ts';
import { imageBytes, inMemory } from '@destillml/trainer/data/dataset.ts';
import { createObjective } from '@destillml/trainer/distillation/objective.ts';
import type { StageShapes } from '@destillml/trainer/distillation/stages.ts';
import { buildNetwork } from '@destillml/trainer/models/registry.ts';
import { capturedProgram } from '@destillml/trainer/nn/capture.ts';
import { kaiming } from '@destillml/trainer/nn/initial.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { trainingFunction } from '@destillml/trainer/training/functions.ts';
import { withVelocities } from '@destillml/trainer/training/optimizer.ts';
import {
  augmentation,
  classes,
  imageSize,
  type Scenario,
  type ScenarioName,
  scenarios,
} from './scenarios.ts';
import { serve } from './serve.ts';

/** Stages of the ResNets for CIFAR at 32 px. */
const stages: StageShapes = [
  { height: 32, width: 32, channels: 16 },
  { height: 16, width: 16, channels: 32 },
  { height: 8, width: 8, channels: 64 },
];

const [name, file] = process.argv.slice(2);
const scenario: Scenario = scenarios[name as ScenarioName];
const { batch } = scenario;
const variables = new Variables(kaiming(1));
const student = buildNetwork(scenario.student, { variables, classes, imageSize });
const teacherVariables = new Variables(kaiming(2));
const trained = withVelocities(variables.trainable);
const teacher = scenario.teacher && {
  teacher: buildNetwork(scenario.teacher, { variables: teacherVariables, classes, imageSize }),
  objective: createObjective(
    { attentionTransfer: { weight: 1000 } },
    { student: stages, teacher: stages },
    teacherVariables,
  ),
};
const step = trainingFunction(
  {
    student,
    trained,
    ...(teacher && { distillation: teacher }),
    classes,
    imageSize,
    labelSmoothing: 0,
    sgd: { momentum: 0.9, weightDecay: 5e-4 },
    augmented: scenario.endToEnd === true,
  },
  batch,
);
const started = performance.now();
const program = capturedProgram(
  [
    ...[...variables.all, ...teacherVariables.all].map(({ variable }) => variable),
    ...trained.map(({ velocity }) => velocity),
  ],
  { step },
);
process.stderr.write(`ours, ${name}: captured in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
const rate = Float32Array.of(0.05);

if (scenario.endToEnd && file !== undefined) {
  const bytes = readFileSync(file);
  const count = Math.floor(bytes.length / (imageBytes(imageSize) + 1));
  const images = bytes.subarray(0, count * imageBytes(imageSize));
  const labels = Int32Array.from(bytes.subarray(images.length));
  const set = inMemory(images, imageSize, labels, Array.from({ length: classes }, String));
  const indices = Uint32Array.from(labels.keys());
  let epoch = 0;
  let stream = batches({ set, indices, batchSize: batch, shuffle: { seed: 1, epoch } });
  await serve(async () => {
    let next = await stream.next();
    if (next.done || next.value.labels.length < batch) {
      stream = batches({ set, indices, batchSize: batch, shuffle: { seed: 1, epoch: ++epoch } });
      next = await stream.next();
    }
    if (next.done) throw new RangeError('no images');
    const { images, labels, indices: drawn } = next.value;
    const draws = parametersOf(augmentation, imageSize, 1, epoch, drawn);
    program.run('step', { images, labels, ...draws, rate });
    return batch;
  });
} else {
  const images = Uint8Array.from({ length: batch * imageBytes(imageSize) }, (_, i) => (i * 2654435761) % 256);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
  await serve(() => {
    program.run('step', { images, labels, rate });
    return batch;
  });
}
