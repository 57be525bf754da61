import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '@destillml/core/api/dataset.ts';
import type { OnnxTeacher } from '@destillml/core/api/onnx-teacher.ts';
import type { RunResult } from '@destillml/core/api/run.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { readCheckpoint, restore } from '../artifacts/checkpoint.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { finishedResult, putAsideDamagedResult, writeResult } from '../artifacts/result.ts';
import { parametersOf } from '../data/augmentation-parameters.ts';
import { batches, stepsPerEpoch } from '../data/batches.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { splitTrain } from '../data/splits.ts';
import { type TeacherFile, teacherFolder } from '../onnx-teacher/teacher-file.ts';
import { writeJsonAtomic } from '../storage/atomic.ts';
import { evaluate } from './evaluate.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Loop, type LoopDeps, type Paused, type Preempted } from './loop.ts';
import { resultOf } from './result.ts';
import { isBestThere } from './resume.ts';
import { openSession } from './session.ts';

/** What training needs from the world around it. */
export interface TrainingDeps extends LoopDeps {
  readonly load: (dataset: Dataset, folder: string, signal: AbortSignal) => Promise<LoadedDataset>;
  /** The file of a teacher that is given as one; `folder` keeps what is fetched. */
  readonly teacherFile: (teacher: OnnxTeacher, folder: string, signal: AbortSignal) => Promise<TeacherFile>;
  /** Aborted on SIGTERM: the step is finished, a checkpoint written. */
  readonly signal: AbortSignal;
}

export type TrainingOutcome =
  | { readonly outcome: 'succeeded'; readonly result: RunResult }
  | Paused
  | Preempted;

/**
 * Trains one network from its initial weights or from its last checkpoint, then evaluates the weights with the best
 * validation accuracy on the test split, once. One that is to pause at an epoch before its last ends there, untested.
 *
 * A Run that was interrupted or paused, however often, ends with the same weights as one that was not (bit for bit on a
 * CPU).
 */
export async function train(assignment: Assignment, deps: TrainingDeps): Promise<TrainingOutcome> {
  for (;;) {
    const outcome = await trainOnce(assignment, deps);
    if (outcome !== undefined) return outcome;
  }
}

/** Undefined where the best network was lost meanwhile. */
async function trainOnce(assignment: Assignment, deps: TrainingDeps): Promise<TrainingOutcome | undefined> {
  const { own, teacher } = deps.folders;
  const done = finishedResult(own, assignment);
  if (done !== undefined) return { outcome: 'succeeded', result: done };
  const note = (message: string) => deps.report({ kind: 'note', message });
  putAsideDamagedResult(own, note);
  writeJsonAtomic(join(own, artifactFiles.assignment), assignment);

  const { dataset, training, seed, teacherOnnx } = assignment.parameters;
  const file =
    teacherOnnx && (await deps.teacherFile(teacherOnnx, teacherFolder(assignment.data), deps.signal));
  const data = await deps.load(dataset, assignment.data, deps.signal);
  const split = splitTrain(data.train, dataset);
  const { train: trainingImages, validation } = split;
  const fingerprint = await fingerprintOf(data, split, deps.signal);
  const { batchSize, epochs } = training;
  const target = Math.min(assignment.untilEpoch ?? epochs, epochs);
  const steps = stepsPerEpoch(trainingImages.length, batchSize);
  const remainder = trainingImages.length % batchSize;
  const session = openSession(assignment, {
    classes: data.classes.length,
    imageSize: data.train.size,
    trainingBatches: [
      ...(trainingImages.length >= batchSize ? [batchSize] : []),
      ...(remainder > 0 ? [remainder] : []),
    ],
    evaluationBatch: batchSize,
    teacher: file ?? teacher,
    note,
  });
  try {
    const loop = new Loop(assignment, deps, session, fingerprint, {
      peak: training.optimizer.learningRate,
      warmupSteps: Math.round(training.schedule.warmupEpochs * steps),
      totalSteps: epochs * steps,
    });
    loop.resume();
    while (loop.state.epoch < target) {
      const epoch = loop.state.epoch + 1;
      const stream = batches({
        set: data.train,
        indices: trainingImages,
        batchSize,
        shuffle: { seed, epoch },
        startStep: loop.state.step,
      });
      let idle = deps.clock();
      for await (const batch of stream) {
        if (deps.signal.aborted) return loop.preempted();
        const draws = parametersOf(dataset.augmentation, data.train.size, seed, epoch, batch.indices);
        const waited = (deps.clock() - idle) / 1000;
        loop.step(
          { images: batch.images, labels: batch.labels, ...draws },
          batch.labels.length,
          steps,
          waited,
        );
        // Lets signals and reports through: a step blocks the event loop.
        await setImmediate();
        idle = deps.clock();
      }
      const started = deps.clock();
      const evaluation = await evaluate(session.program, data.train, validation, batchSize, deps.signal);
      if (evaluation === undefined) return loop.preempted();
      const { loss, accuracy } = evaluation;
      const seconds = (deps.clock() - started) / 1000;
      deps.observe({ kind: 'evaluation', seconds });
      loop.endEpoch({ loss, accuracy, seconds }, steps);
    }

    if (!isBestThere(own, loop.state.best, note)) return undefined;
    if (target < epochs) return loop.paused();
    const { program, networkTensors, network } = session;
    restore(readCheckpoint(join(own, artifactFiles.best)), program, networkTensors, network);
    const everything = Uint32Array.from({ length: data.test.count }, (_, index) => index);
    const started = deps.clock();
    const test = await evaluate(program, data.test, everything, batchSize, deps.signal);
    // The checkpoint of the last epoch is there already.
    if (test === undefined) return { outcome: 'preempted', epoch: epochs, step: 0 };
    deps.observe({ kind: 'evaluation', seconds: (deps.clock() - started) / 1000 });
    const document = resultOf(assignment, session, loop.state, test, data);
    writeResult(own, document);
    deps.saved();
    return { outcome: 'succeeded', result: document.result };
  } finally {
    session.program.dispose();
  }
}
