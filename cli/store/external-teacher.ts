import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { OnnxTeacher } from '@destillml/core/api/onnx-teacher.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { phaseOf } from '@destillml/core/plan/phases.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import { listVersions, type Version } from './versions.ts';

/** What `spec.teacher.from` leads to on this machine: the plan's view of it, and its folder. */
export type FoundTeacher = { readonly teacher: ExternalTeacher; readonly folder: string };

/**
 * Looks for the teacher among everything trained under `root`. A namespace means nothing on one machine. Undefined for
 * an Experiment that trains its own teacher, or is given the file of one.
 *
 * @throws DestillError `TeacherMissing` where it is not there or not trained to the end.
 */
export function findTeacher({ spec }: Experiment, root: string): FoundTeacher | undefined {
  const { from } = spec.teacher;
  if (from === undefined) return undefined;
  if (from.onnx !== undefined) {
    requireFile(from.onnx);
    return undefined;
  }
  const candidates = listVersions(root).filter((version) => isMeant(version, from));
  const [version] = candidates.filter(({ run }) => phaseOf(run) === 'Succeeded');
  const wanted = from.run === undefined ? `Experiment ${from.experiment}` : `Run ${from.run}`;
  if (version === undefined) {
    const state =
      candidates.length === 0
        ? `there is no teacher of ${wanted} in ${root}`
        : `the teacher of ${wanted} in ${root} has not been trained to the end`;
    throw new DestillError(
      'TeacherMissing',
      `spec.teacher.from: ${state}. Train it first ("destill run" or "destill train"); "destill versions" shows what is there.`,
    );
  }
  const { metadata, spec: found, status } = version.run;
  return {
    folder: version.folder,
    teacher: {
      run: metadata.name,
      model: found.parameters.model,
      ...(status?.result === undefined ? {} : { result: status.result }),
    },
  };
}

/** Known before anything is trained; what is elsewhere the trainer looks for. */
function requireFile({ file }: OnnxTeacher): void {
  if (file === undefined || existsSync(file.path)) return;
  throw new DestillError(
    'TeacherMissing',
    `spec.teacher.from.onnx.file.path: ${file.path} does not exist. Paths are from the folder that destill is called in.`,
  );
}

function isMeant(
  { experiment, run }: Version,
  from: NonNullable<Experiment['spec']['teacher']['from']>,
): boolean {
  if (from.run !== undefined) return run.metadata.name === from.run;
  const isNamed = run.spec.experiment === from.experiment || basename(experiment ?? '') === from.experiment;
  return isNamed && run.spec.parameters.role === 'teacher';
}
