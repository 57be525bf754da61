import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import type { Storage } from '@destillml/core/api/storage.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { folder } from './contract.ts';
import { artifactsOf } from './places.ts';
import { isSharedWith } from './sharing.ts';

/** Where the network of a teacher is. */
export type TeacherPlace = {
  /** Folder or `s3://` address of the teacher's artifacts. */
  readonly artifacts: string;
  readonly storage: Storage;
};

/**
 * Where a distilled Run finds its teacher; undefined for other Runs. `owner` is the Experiment that trained it, if not
 * this one.
 *
 * @throws DestillError `TeacherMissing` where a pod of this Run cannot reach it.
 */
export function teacherPlace(
  run: Run,
  experiment: Experiment,
  owner: Experiment | undefined,
): TeacherPlace | undefined {
  const { teacherRun, teacherNamespace } = run.spec.parameters;
  if (teacherRun === undefined) return undefined;
  const here = run.metadata.namespace ?? 'default';
  const namespace = teacherNamespace ?? here;
  const who = `Run ${here}/${run.metadata.name}: its teacher, Run ${namespace}/${teacherRun}`;
  const trainedBy =
    owner ?? (namespace === here && experiment.spec.teacher.from === undefined ? experiment : undefined);
  // What is not shared is not told from what is not there.
  if (trainedBy === undefined || !isSharedWith(trainedBy, here)) {
    const shared = namespace === here ? '' : ` that is shared with namespace ${here} by its spec.sharedWith`;
    throw new DestillError('TeacherMissing', `${who}, belongs to no Experiment${shared}.`);
  }
  const { storage } = trainedBy.spec;
  if (storage === undefined) {
    throw new DestillError(
      'TeacherMissing',
      `${who}, belongs to Experiment ${trainedBy.metadata.name}, which has no spec.storage: its network went with its pod. Make an Experiment with spec.storage.`,
    );
  }
  const claim = storage.persistentVolumeClaim?.claimName;
  if (claim !== undefined && namespace !== here) {
    throw new DestillError(
      'TeacherMissing',
      `${who}, is on the volume of PersistentVolumeClaim ${namespace}/${claim}, and pods cannot mount volumes of another namespace. Use a teacher of namespace ${here}, or one whose Experiment has spec.storage.s3.`,
    );
  }
  const shared = claim === experiment.spec.storage?.persistentVolumeClaim?.claimName;
  const mount = shared ? folder.artifacts : folder.teacher;
  const key = { namespace, experiment: trainedBy.metadata.name, run: teacherRun };
  return { artifacts: artifactsOf(storage, key, mount), storage };
}
