import type { DistillationObjective } from '@destillml/core/api/distillation.ts';
import { DestillError } from '@destillml/core/errors.ts';
import type { Features } from '../models/network.ts';
import type { Variables } from '../nn/variables.ts';
import type { Tensor, Tensor4D } from '../tensorflow/tf.ts';
import { tf } from '../tensorflow/tf.ts';
import { attentionTransfer } from './attention-transfer.ts';
import { createHint } from './hints.ts';
import { similarityPreserving } from './similarity-preserving.ts';
import { softTargets } from './soft-targets.ts';
import { pairStages, type StageShape, type StageShapes } from './stages.ts';

/** What a distilled student learns from its teacher: loss = crossEntropyWeight · CE + Σ terms. */
export interface Objective {
  /** 1 − w with soft targets of weight w, else 1. */
  readonly crossEntropyWeight: number;
  /**
   * Weighted terms, scalars ≥ 0, by the name of their technique in the spec. No gradient reaches the teacher.
   *
   * @param training true: learned parts (the regressor of hints) use and learn batch statistics.
   */
  terms(student: Features, teacher: Features, training: boolean): Readonly<Record<string, Tensor>>;
}

type Term = (student: Features, teacher: Features, training: boolean) => Tensor;

/**
 * The objective of an arm, for networks of the given shapes.
 *
 * @param variables is given whatever the objective itself learns; not part of the student, but of its checkpoints.
 * @throws DestillError `InvalidSpec` when a stage is named that a network does not have, or a technique needs features
 *   of a teacher that has none.
 */
export function createObjective(
  objective: DistillationObjective,
  shapes: { readonly student: StageShapes; readonly teacher: StageShapes },
  variables: Variables,
): Objective {
  const terms: Record<string, Term> = {};
  requireStages(objective, shapes.teacher);
  if (objective.softTargets !== undefined) {
    const { temperature, weight } = objective.softTargets;
    terms.softTargets = weighted(weight, (student, teacher) =>
      softTargets(student.logits, teacher.logits, temperature),
    );
  }
  if (objective.similarityPreserving !== undefined) {
    terms.similarityPreserving = weighted(objective.similarityPreserving.weight, (student, teacher) =>
      similarityPreserving(stageAt(student, -1), stageAt(teacher, -1)),
    );
  }
  if (objective.attentionTransfer !== undefined) {
    const pairs = pairStages(shapes.student, shapes.teacher);
    terms.attentionTransfer = weighted(objective.attentionTransfer.weight, (student, teacher) =>
      attentionTransfer(pairs.map(([s, t]) => [stageAt(student, s), stageAt(teacher, t)])),
    );
  }
  if (objective.hints !== undefined) {
    const { stage, weight } = objective.hints;
    const hint = createHint(
      hintedStage(shapes, 'student', stage),
      hintedStage(shapes, 'teacher', stage),
      variables,
    );
    terms.hints = weighted(weight, (student, teacher, training) =>
      hint(stageAt(student, stage - 1), stageAt(teacher, stage - 1), training),
    );
  }
  return {
    crossEntropyWeight: 1 - (objective.softTargets?.weight ?? 0),
    terms: (student, teacher, training) =>
      Object.fromEntries(
        Object.entries(terms).map(([name, term]) => [name, term(student, teacher, training)]),
      ),
  };
}

/** Only soft targets need no more of a teacher than its logits. */
function requireStages(objective: DistillationObjective, teacher: StageShapes): void {
  const technique = (['similarityPreserving', 'attentionTransfer', 'hints'] as const).find(
    (name) => objective[name] !== undefined,
  );
  if (technique === undefined || teacher.length > 0) return;
  throw new DestillError(
    'InvalidSpec',
    `${technique} compares features, but no features of the teacher are named: name them in spec.teacher.from.onnx.features, or use softTargets alone.`,
  );
}

function weighted(weight: number, term: Term): Term {
  return (student, teacher, training) => tf.mul(term(student, teacher, training), weight);
}

/** @param index from 0; −1 is the last stage. */
function stageAt({ stages }: Features, index: number): Tensor4D {
  const stage = stages.at(index);
  if (stage === undefined) throw new RangeError(`no stage ${index} among ${stages.length}`);
  return stage;
}

/** The stage that `hints.stage`, counted from 1, means in a network. */
function hintedStage(
  shapes: { readonly student: StageShapes; readonly teacher: StageShapes },
  network: 'student' | 'teacher',
  number: number,
): StageShape {
  const stage = shapes[network][number - 1];
  if (stage !== undefined) return stage;
  const last = Math.min(shapes.student.length, shapes.teacher.length);
  throw new DestillError(
    'InvalidSpec',
    `hints.stage is ${number}, but the ${network} has ${shapes[network].length} stages: choose 1 to ${last}.`,
  );
}
