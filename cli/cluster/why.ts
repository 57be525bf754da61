import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run, RunPod, RunProgress } from '@destillml/core/api/run.ts';
import { blockedRuns } from '@destillml/core/plan/blocked.ts';
import { holdUpOf } from '@destillml/core/plan/hold-up.ts';
import { holdsSlot, isActive, isAtRung, phaseOf } from '@destillml/core/plan/phases.ts';
import { duration } from './duration.ts';

/** All that is known of a Run, and of what it waits for. */
export type Known = {
  readonly run: Run;
  readonly experiment: Experiment | undefined;
  /** Of the Experiment, and its teacher, if that is of another one. */
  readonly runs: readonly Run[];
  /** What warnings say of it and of its pods, the newest last. */
  readonly warnings: readonly string[];
  readonly now: Date;
};

/** Warnings that are shown. */
const latest = 3;

/** Why a Run does not go on, or what it does: a paragraph, what happened before, and the next command to type. */
export function whyText(known: Known): string {
  const { run, warnings } = known;
  const { name } = run.metadata;
  const { role, arm, student, seed } = run.spec.parameters;
  const what = [student, arm ?? role].filter((part) => part !== undefined).join(' ');
  return [
    `${name} (${what}, seed ${seed}) is ${phaseOf(run)}. ${reasonText(known)}`,
    ...attemptsText(run),
    ...warnings.slice(-latest).map((warning) => `Warning: ${warning}`),
    `Next: ${nextCommand(known)}`,
  ].join('\n');
}

function reasonText(known: Known): string {
  const { run, now } = known;
  const { status } = run;
  const [blocked] = isActive(run) ? blockedRuns([run]) : [];
  if (blocked !== undefined) return `It does not get on (${blocked.reason}): ${blocked.message}`;
  if (isAtRung(run)) {
    const rung = status?.rungs?.at(-1);
    return `It was trained to epoch ${rung?.epoch}, and goes on if it is among the best there.`;
  }
  switch (phaseOf(run)) {
    case 'Waiting':
      return status?.message ?? holdUpText(known);
    case 'Running':
      return `${progressText(status?.progress)}${silence(status?.progress, now)}`;
    default:
      return [status?.reason, status?.message].filter((part) => part !== undefined).join(': ');
  }
}

function holdUpText(known: Known): string {
  const { run, experiment, runs } = known;
  const teacher = teacherOf(known);
  switch (holdUpOf(run, experiment, teacher)) {
    case 'Suspended':
      return 'Its Experiment is suspended.';
    case 'TeacherNotReady':
      if (teacher === undefined) return 'It waits for its teacher, which is not there.';
      return `It waits for its teacher: ${shortText(teacher)}.`;
    case 'NotItsTurn': {
      const own = runs.filter((other) => other.spec.experiment === run.spec.experiment);
      const holders = own.filter(holdsSlot).map(shortText);
      const most = experiment?.spec.parallelism ?? 'not known';
      if (holders.length === 0) return 'It waits for its turn, which comes next.';
      return `It waits for its turn: spec.parallelism is ${most}, and ${holders.join('; ')}.`;
    }
  }
}

function teacherOf({ run, runs }: Known): Run | undefined {
  return runs.find(({ metadata }) => metadata.name === run.spec.parameters.teacherRun);
}

/** Such as `study-teacher is Running: epoch 4 of 6, about 2 min to its end`. */
function shortText(run: Run): string {
  const { progress, message } = run.status ?? {};
  const phase = phaseOf(run);
  const more = phase === 'Running' ? progressText(progress) : phase === 'Failed' ? message : undefined;
  const name = `${run.metadata.name} is ${phase}`;
  return more === undefined ? name : `${name}: ${more.replace(/\.$/, '')}`;
}

function progressText(progress: RunProgress | undefined): string {
  if (progress === undefined) return 'It has not reported yet.';
  const { epoch, epochs, etaSeconds } = progress;
  const end = etaSeconds === undefined ? '' : `, about ${duration(etaSeconds)} to its end`;
  return `epoch ${epoch} of ${epochs}${end}.`;
}

/** A trainer reports more often than that, in seconds. */
const silent = 600;

function silence(progress: RunProgress | undefined, now: Date): string {
  const seconds = (now.getTime() - Date.parse(progress?.updatedAt ?? '')) / 1000;
  return seconds > silent ? ` It has not reported for ${duration(seconds)}, and holds its GPUs.` : '';
}

function attemptsText({ status }: Run): readonly string[] {
  const ended = (status?.pods ?? []).filter(
    ({ outcome }) => outcome !== undefined && outcome !== 'Succeeded',
  );
  if (ended.length === 0) return [];
  return [`Before: ${ended.slice(-latest).map(attemptText).join('; ')}.`];
}

const outcomes = {
  Failed: 'failed',
  Preempted: 'gave way to others',
  Stopped: 'was stopped',
  Succeeded: 'ended',
};

function attemptText({ name, node, startTime, endTime, outcome }: RunPod): string {
  const seconds = (Date.parse(endTime ?? '') - Date.parse(startTime ?? '')) / 1000;
  const after = Number.isNaN(seconds) ? '' : ` after ${duration(seconds)}`;
  return `${name}${node === undefined ? '' : ` on ${node}`} ${outcomes[outcome ?? 'Stopped']}${after}`;
}

function nextCommand(known: Known): string {
  const { run, experiment } = known;
  const { name, namespace } = run.metadata;
  const at = `--namespace ${namespace}`;
  const { experiment: study } = run.spec;
  switch (phaseOf(run)) {
    case 'Failed':
    case 'Stopped':
    case 'Skipped':
      return `kubectl delete drun ${name} ${at}   # it is made anew, and goes on from its last checkpoint`;
    case 'Running':
    case 'Starting':
      return `kubectl logs ${at} --follow --selector destillml.io/run=${name}`;
    case 'Waiting': {
      const teacher = teacherOf(known);
      const holdUp = holdUpOf(run, experiment, teacher);
      if (holdUp === 'Suspended') {
        return `destill start ${study} ${at}`;
      }
      if (holdUp === 'TeacherNotReady' && teacher !== undefined) {
        return `destill why ${teacher.metadata.name} ${at}`;
      }
      return `kubectl describe dexp ${study} ${at}`;
    }
    case 'Succeeded':
      return `kubectl get drun ${name} ${at} --output yaml`;
    case 'Queued':
    case 'Paused':
      return `kubectl describe drun ${name} ${at}`;
  }
}
