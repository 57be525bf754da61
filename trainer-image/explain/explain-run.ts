/** An explanation as a Run: the last of an Experiment, which looks at what the others have trained. */
import { join } from 'node:path';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { ExplanationResult } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { timestamp } from '@destillml/core/plan/conditions.ts';
import type { ExternalTeacher } from '@destillml/core/plan/teacher.ts';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { explanationResult } from '@destillml/core/results/explained.ts';
import { explanationFiles, explanations } from '@destillml/core/results/explanations.ts';
import { titleOf } from '@destillml/core/results/technique.ts';
import { artifactFiles } from '../artifacts/files.ts';
import { trainedNetwork } from '../artifacts/trained-network.ts';
import type { LoadedDataset } from '../data/dataset.ts';
import { shapesOf } from '../distillation/stages.ts';
import { givenTeacher } from '../onnx-teacher/given-teacher.ts';
import { teacherFolder } from '../onnx-teacher/teacher-file.ts';
import { readFinishedRun, readJson } from '../report/stored-run.ts';
import { writeReport } from '../report/write-report.ts';
import { writeJsonAtomic } from '../storage/atomic.ts';
import type { TrainingDeps } from '../training/train.ts';
import { writeExplanations } from './artifacts.ts';
import { type ExplainProgress, explain, stepsFor } from './explain.ts';
import { drawnImages } from './images.ts';
import { explanationIn, isExplained } from './keeping.ts';
import { sanityOf } from './sanity.ts';
import type { ExplainedNetwork } from './subject.ts';

export type ExplainingDeps = Pick<
  TrainingDeps,
  'load' | 'teacherFile' | 'report' | 'folders' | 'saved' | 'clock' | 'now' | 'signal'
>;

export interface ExplainingOutcome {
  readonly outcome: 'explained';
  readonly explanation: ExplanationResult;
}

/** How often progress is reported. */
const progressSeconds = 1;

/**
 * Explains what networks of an Experiment look at: test images that the seed draws, the same for all. Figures, maps,
 * numbers and the Experiment's report are in the Run's folder in the end. One that was interrupted, or is damaged, begins
 * anew.
 *
 * @throws DestillError `TeacherMissing` where a network is not there, `CheckpointUnusable` where it cannot be read,
 * @throws the signal's reason once that is aborted.
 */
export async function explainRun(assignment: Assignment, deps: ExplainingDeps): Promise<ExplainingOutcome> {
  const { own } = deps.folders;
  const note = (message: string) => deps.report({ kind: 'note', message });
  if (explanationIn(own, note) === undefined) await explainAll(assignment, deps);
  if (!isExplained(own)) reportOn(assignment, deps);
  const document = readJson(join(own, explanationFiles.document), explanations);
  return { outcome: 'explained', explanation: explanationResult(document, assignment.artifacts) };
}

async function explainAll(assignment: Assignment, deps: ExplainingDeps): Promise<void> {
  const { folders, clock, signal } = deps;
  const { dataset, seed, explanation } = assignment.parameters;
  if (explanation === undefined) {
    throw new DestillError('InvalidSpec', 'An explanation needs parameters.explanation.');
  }
  const began = clock();
  writeJsonAtomic(join(folders.own, artifactFiles.assignment), assignment);
  const data = await deps.load(dataset, assignment.data, signal);
  const networks = [...(await teacherOf(assignment, data, deps)), ...studentsOf(assignment, data, deps)];
  const [first] = networks;
  if (first === undefined) {
    throw new DestillError('InvalidSpec', 'parameters.explanation.networks names no network to explain.');
  }
  const images = await drawnImages(data.test, explanation.images, seed);
  const options = { methods: explanation.methods, seed, faithfulness: true };
  const isChecked = first.model !== undefined;
  const checking = isChecked ? stepsFor(images.length, { ...options, faithfulness: false }) : 0;
  const steps = networks.length * stepsFor(images.length, options) + checking;
  const progress = progressOf(steps, networks.length + (isChecked ? 1 : 0), deps);
  const explained = await explain(networks, images, options, { progress, signal });
  const [known] = explained;
  const sanity = known ? await sanityOf(first, known, images, options, { progress, signal }) : {};
  const seconds = (clock() - began) / 1000;
  await writeExplanations(folders.own, images, explained, { classes: data.classes, seconds, sanity });
}

/** Writes the report of the Experiment, and with it the explanation is done. */
function reportOn(assignment: Assignment, deps: ExplainingDeps): void {
  const { folders } = deps;
  const { spec, experiment: name, namespace } = assignment;
  if (spec === undefined) throw new DestillError('InvalidSpec', 'An explanation needs spec.');
  const experiment: Experiment = {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Experiment',
    metadata: { name, namespace },
    spec,
  };
  writeReport(experiment, folders.runs, deps.now(), {
    out: join(folders.own, explanationFiles.report),
    explanations: folders.own,
    teacher: externalTeacher(assignment, deps),
  });
  deps.saved();
}

/** None, where the teacher has failed. A network takes no memory before its turn. */
async function teacherOf(
  { data, parameters: { teacherOnnx, explanation } }: Assignment,
  { classes, test }: LoadedDataset,
  { folders, teacherFile, signal }: ExplainingDeps,
): Promise<readonly ExplainedNetwork[]> {
  const name = 'teacher';
  const size = { classes: classes.length, imageSize: test.size };
  if (folders.teacher !== undefined) return [{ name, ...trainedNetwork(folders.teacher, size) }];
  if (teacherOnnx === undefined) return [];
  const file = await teacherFile(teacherOnnx, teacherFolder(data), signal);
  const open = () => {
    const network = givenTeacher(file, teacherOnnx, size);
    const isStaged = shapesOf(network, size.imageSize).length > 0;
    if (isStaged || !explanation?.methods.includes('gradCam')) return network;
    network.variables.dispose();
    throw new DestillError(
      'InvalidSpec',
      'Grad-CAM looks at a stage of the teacher: name one in spec.teacher.from.onnx.features, or leave gradCam out of spec.explain.methods.',
    );
  };
  return [{ name, ...size, open }];
}

function studentsOf(
  { parameters }: Assignment,
  { classes, test }: LoadedDataset,
  { folders }: ExplainingDeps,
): readonly ExplainedNetwork[] {
  const size = { classes: classes.length, imageSize: test.size };
  return (parameters.explanation?.networks ?? []).map((name) => {
    const folder = join(folders.runs, name);
    const run = readFinishedRun(folder);
    return { name: run ? titleOf(run.spec.parameters) : name, ...trainedNetwork(folder, size) };
  });
}

/** The teacher of another Experiment, as its result tells of it. */
function externalTeacher(
  { spec, parameters: { teacherRun, teacherNamespace } }: Assignment,
  { folders: { teacher } }: ExplainingDeps,
): ExternalTeacher | undefined {
  if (spec?.teacher.from === undefined || teacher === undefined || teacherRun === undefined) return undefined;
  const run = readFinishedRun(teacher);
  return {
    run: teacherRun,
    ...(teacherNamespace === undefined ? {} : { namespace: teacherNamespace }),
    ...(run ? { model: run.spec.parameters.model } : {}),
    ...(run?.status?.result ? { result: run.status.result } : {}),
  };
}

/** Everything as steps of one epoch, for networks that are explained in calls one after the other. */
function progressOf(steps: number, networks: number, { report, clock, now }: ExplainingDeps) {
  const began = clock();
  let step = 0;
  let explained = 0;
  let last = began;
  return ({ network, isLast }: ExplainProgress) => {
    step += 1;
    if (isLast) {
      explained += 1;
      report({ kind: 'note', message: `${network} is explained, ${explained} of ${networks}` });
    }
    if (clock() - last < progressSeconds * 1000 && step < steps) return;
    last = clock();
    const etaSeconds = (((last - began) / 1000) * (steps - step)) / step;
    const updatedAt = timestamp(now());
    report({ kind: 'progress', progress: { epoch: 0, epochs: 1, step, steps, etaSeconds, updatedAt } });
  };
}
