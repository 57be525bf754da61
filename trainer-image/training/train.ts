import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Dataset } from '@destillml/core/api/dataset.ts';
import type { OnnxTeacher } from '@destillml/core/api/onnx-teacher.ts';
import type { EpochRecord, RunProgress, RunResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import type { ArtifactFolders } from '../artifacts/artifacts.ts';
import {
  type DataFingerprint,
  type NamedTensors,
  readCheckpoint,
  restore,
  storedTensors,
  type TrainingState,
  writeCheckpoint,
  writeLastCheckpoint,
} from '../artifacts/checkpoint.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { appendHistory, truncateHistory } from '../artifacts/history.ts';
import { finishedResult, putAsideDamagedResult, writeResult } from '../artifacts/result.ts';
import { parametersOf } from '../data/augmentation-parameters.ts';
import { batches, stepsPerEpoch } from '../data/batches.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { splitTrain } from '../data/splits.ts';
import type { Observation } from '../metrics/observation.ts';
import { notFinite } from '../nn/finite.ts';
import { type TeacherFile, teacherFolder } from '../onnx-teacher/teacher-file.ts';
import { writeJsonAtomic } from '../storage/atomic.ts';
import type { StoredTensor } from '../storage/safetensors.ts';
import { tf } from '../tensorflow/tf.ts';
import { evaluate } from './evaluate.ts';
import { checkSameData, fingerprintOf } from './fingerprint.ts';
import { resultOf } from './result.ts';
import { isBestThere, resume } from './resume.ts';
import { learningRate, type Schedule } from './schedule.ts';
import { functionNames, openSession, type Session } from './session.ts';

/** What training needs from the world around it. */
export interface TrainingDeps {
  readonly load: (dataset: Dataset, folder: string, signal: AbortSignal) => Promise<LoadedDataset>;
  /** The file of a teacher that is given as one; `folder` keeps what is fetched. */
  readonly teacherFile: (teacher: OnnxTeacher, folder: string, signal: AbortSignal) => Promise<TeacherFile>;
  readonly report: (report: Report) => void;
  /** Told of each step, and of what else takes time. */
  readonly observe: (observation: Observation) => void;
  /** Where the artifacts are on this machine; the assignment says where they are kept. */
  readonly folders: ArtifactFolders;
  /** Told whenever the own folder holds a complete state: a checkpoint, or the result. */
  readonly saved: () => void;
  /** With which TensorFlow computes. */
  readonly threads: number;
  /** Milliseconds that only go forward. */
  readonly clock: () => number;
  readonly now: () => Date;
  /** Aborted on SIGTERM: the step is finished, a checkpoint written. */
  readonly signal: AbortSignal;
}

export type TrainingOutcome =
  | { readonly outcome: 'succeeded'; readonly result: RunResult }
  | { readonly outcome: 'preempted'; readonly epoch: number; readonly step: number };

/** A checkpoint inside an epoch bounds what a crash can cost; SIGTERM writes one at once. */
const checkpointSeconds = 300;
/** How often progress inside an epoch is reported. */
const progressSeconds = 1;

const noSums = { images: 0, loss: 0, crossEntropy: 0, distillation: 0, correct: 0, seconds: 0 };
const beginning = { epoch: 0, step: 0, sums: noSums, trainingSeconds: 0, stepSeconds: 0, images: 0 };

/**
 * Trains one network from its initial weights or from its last checkpoint, then evaluates the weights with the best
 * validation accuracy on the test split, once.
 *
 * A Run that was interrupted, however often, ends with the same weights as one that was not (bit for bit on a CPU).
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
  const done = finishedResult(own, assignment.parameters.training.epochs);
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
    const loop = new Loop(assignment, { ...deps, note }, session, fingerprint, {
      peak: training.optimizer.learningRate,
      warmupSteps: Math.round(training.schedule.warmupEpochs * steps),
      totalSteps: epochs * steps,
    });
    loop.resume();
    while (loop.state.epoch < epochs) {
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

type LoopDeps = TrainingDeps & { readonly note: (message: string) => void };

/** The state of training, and what changes it. */
class Loop {
  state: TrainingState;
  readonly #assignment: Assignment;
  readonly #deps: LoopDeps;
  readonly #session: Session;
  readonly #data: DataFingerprint;
  readonly #schedule: Schedule;
  #lastCheckpoint: number;
  #lastProgress = 0;
  #latest = { epoch: 0, step: 0, rate: 0 };

  constructor(
    assignment: Assignment,
    deps: LoopDeps,
    session: Session,
    data: DataFingerprint,
    schedule: Schedule,
  ) {
    this.state = { ...beginning, threads: [deps.threads] };
    this.#data = data;
    this.#assignment = assignment;
    this.#deps = deps;
    this.#session = session;
    this.#schedule = schedule;
    this.#lastCheckpoint = deps.clock();
  }

  /** Goes on from the last checkpoint, if there is one. */
  resume(): void {
    const { threads, folders, note } = this.#deps;
    const state = resume(
      folders.own,
      this.#session,
      (checkpoint) => checkSameData(checkpoint, this.#data),
      note,
    );
    if (state !== undefined) {
      const before = state.threads.at(-1);
      this.state = { ...state, threads: before === threads ? state.threads : [...state.threads, threads] };
      note(`Going on from epoch ${state.epoch}, step ${state.step}.`);
      if (before !== threads) {
        note(
          `So far it was trained with ${before ?? 'an unknown number of'} threads, now with ${threads}: the end will not be bit-equal to that of a Run that was not interrupted.`,
        );
      }
    }
    truncateHistory(folders.own, this.state.epoch, note);
  }

  /** @param waited for the images, in seconds */
  step(
    inputs: Record<string, Uint8Array | Int32Array | Float32Array>,
    images: number,
    steps: number,
    waited: number,
  ): void {
    const { epoch, step, sums } = this.state;
    const rate = learningRate(this.#schedule, epoch * steps + step);
    const started = this.#deps.clock();
    const outputs = this.#session.program.run(functionNames.train(images), {
      ...inputs,
      rate: Float32Array.of(rate),
    });
    const seconds = (this.#deps.clock() - started) / 1000;
    const value = (name: string) => outputs[name]?.[0] ?? 0;
    const loss = value('loss');
    this.#latest = { epoch: epoch + 1, step: step + 1, rate };
    if (!Number.isFinite(loss)) throw diverged('The loss', loss, this.#latest);
    this.state = {
      ...this.state,
      step: step + 1,
      sums: {
        images: sums.images + images,
        loss: sums.loss + loss * images,
        crossEntropy: sums.crossEntropy + value('crossEntropy') * images,
        distillation: sums.distillation + value('distillation') * images,
        correct: sums.correct + value('correct'),
        seconds: sums.seconds + seconds,
      },
      trainingSeconds: this.state.trainingSeconds + seconds,
      stepSeconds: this.state.stepSeconds + seconds,
      images: this.state.images + images,
    };
    const { numTensors: tensors, numBytes: tensorBytes } = tf.memory();
    this.#deps.observe({
      kind: 'step',
      images,
      correct: value('correct'),
      loss,
      crossEntropy: value('crossEntropy'),
      distillation: value('distillation'),
      learningRate: rate,
      seconds,
      waited,
      tensors,
      tensorBytes,
    });
    const now = this.#deps.clock();
    if (now - this.#lastProgress >= progressSeconds * 1000) {
      this.#lastProgress = now;
      this.#deps.report({ kind: 'progress', progress: this.#progress(steps) });
    }
    if (now - this.#lastCheckpoint >= checkpointSeconds * 1000) this.#save();
  }

  endEpoch(validation: { loss: number; accuracy: number; seconds: number }, steps: number): void {
    const epoch = this.state.epoch + 1;
    const { sums } = this.state;
    const record: EpochRecord = {
      epoch,
      loss: sums.loss / sums.images,
      crossEntropy: sums.crossEntropy / sums.images,
      ...(this.#assignment.parameters.role === 'distilled' && {
        distillation: sums.distillation / sums.images,
      }),
      trainAccuracy: sums.correct / sums.images,
      validationLoss: validation.loss,
      validationAccuracy: validation.accuracy,
      learningRate: learningRate(this.#schedule, epoch * steps - 1),
      imagesPerSecond: sums.images / sums.seconds,
      seconds: sums.seconds + validation.seconds,
    };
    if (!Number.isFinite(validation.loss)) throw diverged('The loss', validation.loss, this.#latest);
    const better = validation.accuracy > (this.state.best?.validationAccuracy ?? -1);
    // Best first: killed between the two, the epoch is done again and gives the same weights.
    const best = better ? { epoch, validationAccuracy: validation.accuracy } : this.state.best;
    if (better) {
      const path = join(this.#deps.folders.own, artifactFiles.best);
      const { network, networkTensors } = this.#session;
      this.#write(networkTensors, (tensors) => writeCheckpoint(path, tensors, { network, best }));
    }
    this.state = {
      ...this.state,
      epoch,
      step: 0,
      sums: noSums,
      trainingSeconds: this.state.trainingSeconds + validation.seconds,
      best,
    };
    // Killed between the two, the record is dropped again when training goes on (truncateHistory).
    appendHistory(this.#deps.folders.own, record);
    this.#save();
    this.#deps.report({ kind: 'epoch', record, progress: this.#progress(steps, record) });
  }

  preempted(): TrainingOutcome {
    this.#save();
    return { outcome: 'preempted', epoch: this.state.epoch, step: this.state.step };
  }

  #save(): void {
    const { network, trainingTensors } = this.#session;
    this.#write(trainingTensors, (tensors) =>
      writeLastCheckpoint(this.#deps.folders.own, tensors, { network, state: this.state, data: this.#data }),
    );
    this.#lastCheckpoint = this.#deps.clock();
    this.#deps.saved();
  }

  #write(variables: readonly NamedTensors[], write: (tensors: readonly StoredTensor[]) => void): void {
    const started = this.#deps.clock();
    const tensors = storedTensors(this.#session.program, variables);
    for (const { name, values } of tensors) {
      const wrong = notFinite(values);
      if (wrong !== undefined) throw diverged(`A value of ${name}`, wrong, this.#latest);
    }
    write(tensors);
    this.#deps.observe({ kind: 'checkpoint', seconds: (this.#deps.clock() - started) / 1000 });
  }

  #progress(steps: number, record?: EpochRecord): RunProgress {
    const { epoch, step, sums, best, images, stepSeconds, trainingSeconds } = this.state;
    const { epochs } = this.#assignment.parameters.training;
    const stepsDone = epoch * steps + step;
    return {
      epoch,
      epochs,
      step,
      steps,
      ...(record
        ? {
            loss: record.loss,
            trainAccuracy: record.trainAccuracy,
            validationAccuracy: record.validationAccuracy,
          }
        : { loss: sums.loss / sums.images, trainAccuracy: sums.correct / sums.images }),
      ...(best && { bestValidationAccuracy: best.validationAccuracy }),
      learningRate: learningRate(this.#schedule, Math.max(0, stepsDone - 1)),
      imagesPerSecond: images / stepSeconds,
      etaSeconds: (trainingSeconds / stepsDone) * (epochs * steps - stepsDone),
      updatedAt: this.#deps.now().toISOString(),
    };
  }
}

function diverged(
  what: string,
  value: number,
  { epoch, step, rate }: { epoch: number; step: number; rate: number },
): DestillError {
  return new DestillError(
    'TrainingDiverged',
    `${what} became ${value} in epoch ${epoch}, step ${step}, at a learning rate of ${rate.toPrecision(3)}. ` +
      'Lower training.optimizer.learningRate or the weights of the distillation terms, or warm up longer.',
  );
}
