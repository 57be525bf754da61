import type { EpochRecord, Run, RunProgress } from '@destillml/core/api/run.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import { formatAccuracy, formatDuration } from '@destillml/core/results/format.ts';
import { cut } from '@destillml/core/text/cut.ts';
import { shown } from '@destillml/core/text/shown.ts';

/** Columns that labels are padded to, so that numbers stand below each other. */
export const labelWidth = 26;

/** `small/soft-targets         epoch  3/12  loss 0.432  validation 87.1 %  1234 images/s  …` */
export function epochLine(label: string, record: EpochRecord, progress: RunProgress | undefined): string {
  const epochs = progress?.epochs ?? record.epoch;
  return [
    label.padEnd(labelWidth),
    `epoch ${count(record.epoch, epochs)}`,
    `loss ${formatLoss(record.loss)}`,
    `val ${accuracy(record.validationAccuracy)}`,
    rate(record.imagesPerSecond),
    ...(record.epoch < epochs ? eta(progress).map((time) => `${time} left`) : []),
  ].join('  ');
}

/** One line of at most `width` columns: `small/soft-targets  ━━━━╌╌╌╌  3/12  loss …`. */
export function barLine(label: string, progress: RunProgress | undefined, width: number): string {
  const name = cut(shown(label), labelWidth).padEnd(labelWidth);
  if (progress === undefined) return cut(`${name}  starting`, width);
  const { epoch, epochs, step, steps, loss, trainAccuracy, bestValidationAccuracy, imagesPerSecond } =
    progress;
  const share = Math.min(1, (epoch + step / steps) / epochs);
  const cells = 10;
  const full = Math.floor(share * cells);
  const measured = bestValidationAccuracy ?? trainAccuracy;
  const parts = [
    `${name} ${'━'.repeat(full)}${'╌'.repeat(cells - full)}`,
    count(Math.min(epochs, epoch + 1), epochs),
    ...(loss === undefined ? [] : [formatLoss(loss)]),
    ...(measured === undefined ? [] : [accuracy(measured)]),
    ...(imagesPerSecond === undefined ? [] : [`${Math.round(imagesPerSecond)}/s`]),
    ...eta(progress),
  ];
  return cut(parts.join('  '), width);
}

export function startLine(label: string, { spec, status }: Run): string {
  const { model, training, dataset, explanation } = spec.parameters;
  if (explanation !== undefined) {
    const { teacherRun, teacherOnnx } = spec.parameters;
    const networks = explanation.networks.length + ((teacherRun ?? teacherOnnx) === undefined ? 0 : 1);
    return `${label.padEnd(labelWidth)}  started: ${explanation.images} images of ${dataset.name} by ${networks} networks`;
  }
  const done = status?.progress?.epoch ?? 0;
  const from = done > 0 ? `, ${done} done` : '';
  return `${label.padEnd(labelWidth)}  started: ${model} on ${dataset.name}, ${training.epochs} ${training.epochs === 1 ? 'epoch' : 'epochs'}${from}`;
}

/** The Run's state after something has happened to it. */
export function statusLine(label: string, run: Run): string {
  return `${label.padEnd(labelWidth)}  ${stateOf(run)}`;
}

function stateOf(run: Run): string {
  const phase = phaseOf(run);
  const { result, explanation, message = '', reason, progress } = run.status ?? {};
  switch (phase) {
    case 'Succeeded':
      if (explanation !== undefined) {
        return `succeeded: ${explanation.images} images explained, ${formatDuration(explanation.seconds)}`;
      }
      if (result !== undefined && run.spec.trial !== undefined) {
        return `ended: validation ${accuracy(result.validationAccuracy)}, best epoch ${result.bestEpoch}, ${formatDuration(result.trainingSeconds)}`;
      }
      return result === undefined
        ? 'succeeded'
        : `succeeded: test ${accuracy(result.testAccuracy)}, best epoch ${result.bestEpoch}, ${formatDuration(result.trainingSeconds)}`;
    case 'Failed':
      return `failed: ${reason}: ${message}`;
    case 'Stopped':
      return `stopped: ${message}`;
    case 'Skipped':
      return `skipped: ${message}`;
    case 'Waiting':
      if (run.spec.parameters.role === 'explanation') return 'stopped; it starts anew';
      return `stopped in epoch ${(progress?.epoch ?? 0) + 1}; goes on from there`;
    case 'Paused': {
      const { epoch = 0, validationAccuracy = 0 } = run.status?.rungs?.at(-1) ?? {};
      return `paused after epoch ${epoch}: validation ${accuracy(validationAccuracy)}`;
    }
    case 'Queued':
    case 'Starting':
    case 'Running':
      return message;
  }
}

function count(epoch: number, epochs: number): string {
  return `${String(epoch).padStart(String(epochs).length)}/${epochs}`;
}

function accuracy(share: number): string {
  return formatAccuracy({ mean: share });
}

function rate(imagesPerSecond: number): string {
  return `${Math.round(imagesPerSecond)} images/s`;
}

function eta(progress: RunProgress | undefined): string[] {
  const seconds = progress?.etaSeconds;
  return seconds === undefined || !Number.isFinite(seconds) ? [] : [formatDuration(seconds)];
}

/** Three significant digits, as long as that is readable. */
export function formatLoss(loss: number): string {
  return Math.abs(loss) >= 1000 || (loss !== 0 && Math.abs(loss) < 1e-3)
    ? loss.toExponential(1)
    : loss.toPrecision(3);
}
