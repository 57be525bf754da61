import type { Arm, ExperimentSpec } from '../api/experiment.ts';
import type { RunStage } from '../api/run.ts';
import type { Treatment } from './naming.ts';
import type { TeacherParameters } from './teacher.ts';

/** For each student its baseline and every arm. Distilled students train without label smoothing. */
export function treatments(
  { dataset, students, training }: Pick<ExperimentSpec, 'dataset' | 'students' | 'training'>,
  stage: RunStage,
  arms: readonly Arm[],
  teacher: TeacherParameters,
): readonly Treatment[] {
  const withoutSmoothing = { ...training, labelSmoothing: 0 };
  const distilled = arms.map(({ name, ...objective }) => ({
    role: 'distilled' as const,
    arm: name,
    training: withoutSmoothing,
    objective,
    ...teacher,
  }));
  return students.flatMap(({ name, model }) => {
    const common = { stage, student: name, model, dataset };
    return [
      { ...common, role: 'baseline' as const, training },
      ...distilled.map((technique) => ({ ...common, ...technique })),
    ];
  });
}

/** How the teacher of an Experiment is trained that trains one. */
export function teacherTreatment(
  { dataset, training, teacher: { model } }: Pick<ExperimentSpec, 'dataset' | 'training' | 'teacher'>,
  stage: RunStage,
): Treatment | undefined {
  return model === undefined ? undefined : { role: 'teacher', stage, model, dataset, training };
}
