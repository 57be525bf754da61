import { isFinal, outcomeOf, phaseOf } from '@destillml/core/plan/phases.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import { isSharedWith } from '../jobs/sharing.ts';
import { keyOf } from '../runtime/resource.ts';
import { experimentOfRun } from './experiment-of-run.ts';
import type { Experiment, Run } from './kinds.ts';

/** Where the teachers of others are looked for, shared or not. */
export type TeacherLookup = {
  readonly run: (key: string) => Run | undefined;
  readonly experiment: (key: string) => Experiment | undefined;
  readonly runsOf: (experiment: Experiment) => readonly Run[];
};

/**
 * What `spec.teacher.from` leads to; undefined for an Experiment that trains its own teacher, or is given the file of
 * one.
 */
export function externalTeacher(
  { metadata, spec }: Experiment,
  lookup: TeacherLookup,
): ExternalTeacher | undefined {
  const { from } = spec.teacher;
  if (from === undefined || from.onnx !== undefined) return undefined;
  const place = { here: metadata.namespace ?? 'default', namespace: from.namespace ?? metadata.namespace };
  const found =
    from.run === undefined
      ? teacherOf(place, from.experiment ?? '', lookup)
      : namedRun(place, from.run, lookup);
  if ('problem' in found) return found;
  if (found.spec.parameters.role === 'explanation') {
    const message = `spec.teacher.from: Run ${keyOf(found.metadata)} trains no network, it explains others; name one of those.`;
    return { problem: { reason: 'TeacherNotFound', message } };
  }
  return phaseOf(found) === 'Succeeded'
    ? trained(found, metadata.namespace)
    : { problem: untrained(found, keyOf(found.metadata)) };
}

type Problem = { readonly problem: { readonly reason: string; readonly message: string } };

/** The namespace of the Experiment that asks, and the one that it looks in. */
type Place = { readonly here: string; readonly namespace: string | undefined };

function namedRun(place: Place, name: string, lookup: TeacherLookup): Run | Problem {
  const key = keyOf({ namespace: place.namespace, name });
  const run = lookup.run(key);
  if (run === undefined) return missing('Run', key, place);
  if (place.namespace === place.here) return run;
  const owner = experimentOfRun(run, { get: lookup.experiment });
  return owner !== undefined && isSharedWith(owner, place.here) ? run : missing('Run', key, place);
}

function teacherOf(place: Place, name: string, { experiment, runsOf }: TeacherLookup): Run | Problem {
  const key = keyOf({ namespace: place.namespace, name });
  const owner = experiment(key);
  if (owner === undefined || !isSharedWith(owner, place.here)) return missing('Experiment', key, place);
  if (owner.spec.teacher.model === undefined) {
    const message = `spec.teacher.from: Experiment ${key} trains no teacher itself; name the one that does.`;
    return { problem: { reason: 'TeacherNotFound', message } };
  }
  const run = runsOf(owner).find(({ spec }) => spec.parameters.role === 'teacher');
  if (run !== undefined) return run;
  const message = `spec.teacher.from: Experiment ${key} has not begun to train its teacher.`;
  return { problem: { reason: 'TeacherUnfinished', message } };
}

/** What is there and not shared is not told from what is not there: neither now nor by what changes later. */
function missing(kind: string, key: string, { here, namespace }: Place): Problem {
  const message =
    namespace === here
      ? `spec.teacher.from: there is no ${kind} ${key}. Create it, or make an Experiment with another teacher.`
      : `spec.teacher.from: there is no ${kind} ${key} that is shared with namespace ${here}. If it is there, its owner can add ${here} to spec.sharedWith of the Experiment; or make an Experiment with another teacher.`;
  return { problem: { reason: 'TeacherNotFound', message } };
}

function untrained(run: Run, key: string): Problem['problem'] {
  return isFinal(phaseOf(run))
    ? {
        reason: 'TeacherFailed',
        message: `spec.teacher.from: Run ${key} ended ${outcomeOf(run)} Delete it to have it trained again.`,
      }
    : {
        reason: 'TeacherUnfinished',
        message: `spec.teacher.from: Run ${key} has not been trained to the end: ${phaseOf(run)}.`,
      };
}

function trained({ metadata, spec, status }: Run, here: string | undefined): ExternalTeacher {
  const { name, namespace } = metadata;
  return {
    run: name,
    ...(namespace === undefined || namespace === here ? {} : { namespace }),
    model: spec.parameters.model,
    ...(status?.result === undefined ? {} : { result: status.result }),
  };
}
