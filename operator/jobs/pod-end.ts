import type { ExplanationResult, RunPod, RunResult } from '@destillml/core/api/run.ts';
import type { Rung } from '@destillml/core/plan/rungs.ts';
import { exitCodes, finalExitCodes } from '@destillml/core/protocol/report.ts';
import { signalText } from '@destillml/core/protocol/signals.ts';
import { container } from './contract.ts';
import { type LastWord, lastWord } from './last-word.ts';
import type { Pod } from './objects.ts';
import { disruption, isEnded, nodeText, trainerState } from './pod.ts';
import { rungText } from './rungs.ts';
import { sentence } from './sentence.ts';

/** How a pod ended. */
export type PodEnd = {
  readonly outcome: NonNullable<RunPod['outcome']>;
  readonly reason: string;
  readonly message: string;
  /** No further attempt can help; of one that ended well, that its word of the end was read. */
  readonly final: boolean;
  readonly result?: RunResult;
  readonly explanation?: ExplanationResult;
  /** Where it paused the Run. */
  readonly rung?: Rung;
};

/**
 * How the pod ended; undefined while it has not.
 *
 * `told` says that pods of the Run were told to go: it was paused or stopped, or its Job is failing or being deleted.
 */
export function podEnd(pod: Pod, told: boolean): PodEnd | undefined {
  if (!isEnded(pod)) return undefined;
  const terminated = trainerState(pod)?.terminated;
  const last = lastWord(terminated?.message);
  if (pod.status?.phase === 'Succeeded') return succeeded(last);

  const code = terminated?.exitCode;
  if (code !== undefined && finalExitCodes.includes(code)) {
    return { outcome: 'Failed', ...trainersError(pod, code, last), final: true };
  }
  if (code === exitCodes.preempted || disruption(pod) !== undefined || endedByDeletion(pod)) {
    return told
      ? { outcome: 'Stopped', reason: 'Stopped', message: 'Its pod was told to stop.', final: false }
      : { outcome: 'Preempted', ...preempted(pod, last), final: false };
  }
  if (terminated?.reason === 'OOMKilled') return failed(outOfMemory(pod));
  // The kubelet gives a reason of its own where it refused the pod, or evicted it for what it used itself.
  if (code === undefined || pod.status?.reason) return failed(failedPod(pod));
  return failed(trainersError(pod, code, last));
}

type Why = { readonly reason: string; readonly message: string };

function failed(why: Why): PodEnd {
  return { outcome: 'Failed', ...why, final: false };
}

/** Whether the pod was asked to go before its trainer ended. Its deletion timestamp is when its grace period is over. */
function endedByDeletion(pod: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
  if (deletionTimestamp === undefined) return false;
  const finished = Date.parse(trainerState(pod)?.terminated?.finishedAt ?? '');
  return !(finished < Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000);
}

function succeeded(last: LastWord): PodEnd {
  const outcome = 'Succeeded';
  const common = { outcome, final: true } as const;
  if ('word' in last && last.word.outcome === 'succeeded') {
    const { result } = last.word;
    return { ...common, reason: 'Trained', message: resultText(result), result };
  }
  if ('word' in last && last.word.outcome === 'explained') {
    const { explanation } = last.word;
    const { images, artifacts } = explanation;
    const message = `Explained ${images} images; figures and the report are in ${artifacts}.`;
    return { ...common, reason: 'Explained', message, explanation };
  }
  if ('word' in last && last.word.outcome === 'paused') {
    const { outcome: _, ...rung } = last.word;
    return { outcome, reason: 'AtRung', message: rungText(rung), final: false, rung };
  }
  const unreadable =
    'word' in last ? `says ${last.word.outcome} although it exited with code 0` : last.unreadable;
  return { outcome, reason: 'ResultUnread', message: `its termination message ${unreadable}`, final: false };
}

function resultText({ epochs, bestEpoch, testAccuracy }: RunResult): string {
  const percent = (testAccuracy * 100).toFixed(2);
  return `Trained for ${epochs} epochs; test accuracy ${percent} % with the weights of epoch ${bestEpoch}.`;
}

function trainersError(pod: Pod, code: number, last: LastWord): Why {
  if ('word' in last && last.word.outcome === 'failed') {
    const { code: reason, message } = last.word;
    return { reason: /^[A-Za-z][A-Za-z0-9]*$/.test(reason) ? reason : 'TrainerFailed', message };
  }
  const terminated = trainerState(pod)?.terminated;
  if (terminated?.reason === 'StartError') {
    const why = terminated.message ?? 'no reason was given';
    return {
      reason: 'StartError',
      message: `The container could not be started on ${nodeText(pod)}: ${sentence(why)} Check spec.pod.image and the GPU runtime of the node.`,
    };
  }
  if (terminated?.reason === 'ContainerStatusUnknown') {
    return {
      reason: 'ContainerLost',
      message: `The container runtime of ${nodeText(pod)} lost the trainer: ${sentence(terminated.message ?? 'no reason was given')}`,
    };
  }
  const unreadable = 'word' in last ? `says ${last.word.outcome}` : last.unreadable;
  const { namespace, name } = pod.metadata;
  return {
    reason: 'UnreadableTerminationMessage',
    message: `The trainer exited with ${exitText(code)}, and its termination message ${unreadable}. See kubectl logs -n ${namespace} ${name}.`,
  };
}

function exitText(code: number): string {
  switch (code) {
    case exitCodes.dataset:
      return `code ${code} (the data are corrupt or missing)`;
    case exitCodes.environment:
      return `code ${code} (the machine or the image lacks something)`;
    case exitCodes.storage:
      return `code ${code} (a volume is full or read-only)`;
    case exitCodes.diverged:
      return `code ${code} (the loss diverged)`;
    case exitCodes.invalid:
      return `code ${code} (its assignment is wrong)`;
    default:
      // Shells and container runtimes report a signal as 128 + its number.
      return code > 128 && code < 160 ? `code ${code} (${signalText(code - 128)})` : `code ${code}`;
  }
}

function outOfMemory(pod: Pod): Why {
  const limit = pod.spec?.containers.find(({ name }) => name === container)?.resources?.limits?.memory;
  return {
    reason: 'OutOfMemory',
    message:
      limit === undefined
        ? `The trainer was killed because ${nodeText(pod)} ran out of memory. Ask for the memory it needs in spec.pod.resources.requests.memory, or use a smaller training.batchSize.`
        : `The trainer was killed for using more than its memory limit of ${limit}. Raise spec.pod.resources.limits.memory, or use a smaller training.batchSize.`,
  };
}

function failedPod(pod: Pod): Why {
  const { reason, message } = pod.status ?? {};
  return {
    reason: reason ?? 'PodFailed',
    message: `The pod failed on ${nodeText(pod)}: ${sentence(message ?? reason ?? 'no reason was given')}`,
  };
}

function preempted(pod: Pod, last: LastWord): Why {
  const where = nodeText(pod);
  const { reason, message } = disruption(pod) ?? {};
  switch (reason) {
    case 'PreemptionByScheduler':
      return { reason: 'Preempted', message: `A pod of higher priority took its place on ${where}.` };
    case 'EvictionByEvictionAPI':
      return { reason: 'Evicted', message: `Its pod was evicted from ${where}, as when a node is drained.` };
    case 'DeletionByTaintManager':
      return {
        reason: 'NodeLost',
        message: `Its pod had to leave ${where}, which is not reachable or has a taint that spec.pod.tolerations does not tolerate.`,
      };
    case 'DeletionByPodGC':
      return { reason: 'NodeLost', message: `Its pod was lost with ${where}, which no longer exists.` };
    case 'TerminationByKubelet':
      return {
        reason: 'Evicted',
        message: `The kubelet of ${where} ended its pod: ${sentence(message ?? reason)}`,
      };
    case undefined:
      return { reason: 'Preempted', message: toldToGo(last) };
    default:
      return {
        reason: 'Preempted',
        message: `Its pod was taken from ${where}: ${sentence(message ?? reason)}`,
      };
  }
}

function toldToGo(last: LastWord): string {
  return 'word' in last && last.word.outcome === 'preempted' && last.word.epoch + last.word.step > 0
    ? `Its pod was told to stop and wrote a checkpoint in epoch ${last.word.epoch + 1}.`
    : 'Its pod was told to stop.';
}
