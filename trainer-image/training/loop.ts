import { join } from 'node:path';
import type { EpochRecord, RunProgress } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import type { ArtifactFolders } from '../artifacts/artifacts.ts';
import {
  type DataFingerprint,
  type NamedTensors,
  storedTensors,
  type TrainingState,
  writeCheckpoint,
  writeLastCheckpoint,
} from '../artifacts/checkpoint.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { appendHistory, truncateHistory } from '../artifacts/history.ts';
import type { Observation } from '../metrics/observation.ts';
import { notFinite } from '../nn/finite.ts';
import type { StoredTensor } from '../storage/safetensors.ts';
import { tf } from '../tensorflow/tf.ts';
import { checkSameData } from './fingerprint.ts';
import { resume } from './resume.ts';
import { learningRate, type Schedule } from './schedule.ts';
import { functionNames, type Session } from './session.ts';

export interface LoopDeps {
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
}

/** Stopped with a checkpoint. */
export interface Preempted {
  readonly outcome: 'preempted';
  readonly epoch: number;
  readonly step: number;
}

/** Trained as far as it was to be for now; its checkpoint is there. */
export interface Paused {
  readonly outcome: 'paused';
  readonly epoch: number;
  /** The best so far. */
  readonly validationAccuracy: number;
}

/** A checkpoint inside an epoch bounds what a crash can cost; SIGTERM writes one at once. */
const checkpointSeconds = 300;
/** How often progress inside an epoch is reported. */
const progressSeconds = 1;

const noSums = { images: 0, loss: 0, crossEntropy: 0, distillation: 0, correct: 0, seconds: 0 };
const beginning = { epoch: 0, step: 0, sums: noSums, trainingSeconds: 0, stepSeconds: 0, images: 0 };

/** The state of training, and what changes it. */
export class Loop {
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
    const { threads, folders, report } = this.#deps;
    const note = (message: string) => report({ kind: 'note', message });
    const state = resume(
      folders.own,
      this.#session,
      this.#assignment.trial?.values,
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

  preempted(): Preempted {
    this.#save();
    return { outcome: 'preempted', epoch: this.state.epoch, step: this.state.step };
  }

  paused(): Paused {
    const { epoch, best } = this.state;
    if (best === undefined) throw new RangeError('no epoch was trained');
    return { outcome: 'paused', epoch, validationAccuracy: best.validationAccuracy };
  }

  #save(): void {
    const { network, trainingTensors } = this.#session;
    this.#write(trainingTensors, (tensors) =>
      writeLastCheckpoint(this.#deps.folders.own, tensors, {
        network,
        state: this.state,
        data: this.#data,
        values: this.#assignment.trial?.values,
      }),
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
