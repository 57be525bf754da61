import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { folder } from './contract.ts';
import { artifactsOf, dataOf } from './places.ts';
import type { TeacherPlace } from './teacher.ts';

/** Linux refuses an environment variable of 128 KiB; this leaves room for its name and what follows. */
const maxBytes = 100_000;

/**
 * What the trainer of a Run is told, as JSON.
 *
 * @throws DestillError `InvalidSpec` where it is too long for an environment variable.
 */
export function assignmentText(run: Run, experiment: Experiment, teacher: TeacherPlace | undefined): string {
  const { name, namespace = 'default' } = run.metadata;
  const { storage } = experiment.spec;
  const key = { namespace, experiment: run.spec.experiment, run: name };
  const assignment: Assignment = {
    name,
    namespace,
    experiment: run.spec.experiment,
    parameters: run.spec.parameters,
    ...(run.spec.untilEpoch === undefined ? {} : { untilEpoch: run.spec.untilEpoch }),
    ...(run.spec.trial === undefined ? {} : { trial: run.spec.trial }),
    artifacts: artifactsOf(storage, key, folder.artifacts),
    ...(teacher === undefined ? {} : { teacherArtifacts: teacher.artifacts }),
    ...(run.spec.parameters.role === 'explanation' ? { spec: experiment.spec } : {}),
    data: dataOf(storage, folder.artifacts, folder.data),
    capture: true,
  };
  const text = JSON.stringify(assignment);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new DestillError(
      'InvalidSpec',
      `Run ${namespace}/${name}: its assignment is ${bytes} bytes of JSON, at most ${maxBytes} fit into the environment of a pod. Shorten spec.parameters.`,
    );
  }
  return text;
}
