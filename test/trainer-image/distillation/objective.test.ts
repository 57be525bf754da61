import type { DistillationObjective } from '@destillml/core/api/distillation.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { createObjective } from '@destillml/trainer/distillation/objective.ts';
import { capturedProgram } from '@destillml/trainer/nn/capture.ts';
import { buildGraph } from '@destillml/trainer/nn/graph.ts';
import { eagerProgram } from '@destillml/trainer/nn/program.ts';
import { Variables } from '@destillml/trainer/nn/variables.ts';
import { describe, expect, it } from 'vitest';
import { type Case, cases, programOf, relativeError } from './reference.ts';

/** Float32 here against float64 there. */
const tolerance = 1e-4;

/** What PyTorch computed, by the names of the program's outputs. */
function expectedOutputs({ loss, terms, gradients }: Case): Record<string, readonly number[]> {
  const expected: Record<string, readonly number[]> = { loss: [loss], 'gradient/logits': gradients.logits };
  for (const [name, value] of Object.entries(terms)) expected[`term/${name}`] = [value];
  for (const [index, gradient] of gradients.stages.entries()) {
    if (gradient !== null) expected[`gradient/${index}`] = gradient;
  }
  for (const [name, gradient] of Object.entries(gradients.regressor)) {
    expected[`gradient/hints.regressor.${name}`] = gradient;
  }
  return expected;
}

describe.each(cases)('$name', (given) => {
  it.each(['eager', 'captured'])('has the terms, loss and gradients that PyTorch computes, %s', (mode) => {
    const { functions, values, variables } = programOf(given);
    const all = variables.all.map(({ variable }) => variable);
    const program = mode === 'eager' ? eagerProgram(functions) : capturedProgram(all, functions);
    const outputs = program.run('step', values);
    const expected = expectedOutputs(given);
    // No other keys: what has no gradient in PyTorch has none here, the teacher above all.
    expect(Object.keys(outputs).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, reference] of Object.entries(expected)) {
      expect(relativeError(outputs[key]!, reference), key).toBeLessThan(tolerance);
    }
    const statistics = Object.entries(given.statistics);
    for (const [name, reference] of statistics) {
      const { variable } = variables.all.find((other) => other.name === `hints.regressor.${name}`)!;
      expect(relativeError(program.read([variable])[0]!, reference), name).toBeLessThan(tolerance);
    }
    program.dispose();
    variables.dispose();
  });
});

const stage = (side: number, channels: number) => ({ height: side, width: side, channels });
const three = [stage(32, 16), stage(16, 32), stage(8, 64)];
const noVariables = () => new Variables((_, shape) => new Float32Array(shape.reduce((a, b) => a * b)));

const all: DistillationObjective = {
  softTargets: { temperature: 4, weight: 0.9 },
  similarityPreserving: { weight: 3000 },
  attentionTransfer: { weight: 1000 },
  hints: { stage: 2, weight: 100 },
};

describe('createObjective', () => {
  it('leaves the cross-entropy 1 − w beside soft targets, and 1 without', () => {
    const shapes = { student: three, teacher: three };
    const weight = (objective: DistillationObjective) =>
      createObjective(objective, shapes, noVariables()).crossEntropyWeight;
    expect(weight({ softTargets: { temperature: 4, weight: 0.75 } })).toBe(0.25);
    expect(weight({ softTargets: { temperature: 4, weight: 1 } })).toBe(0);
    expect(weight({ attentionTransfer: { weight: 1000 } })).toBe(1);
    expect(weight(all)).toBeCloseTo(0.1, 12);
  });

  it('adds variables for hints only', () => {
    const { hints: _, ...others } = all;
    const none = noVariables();
    createObjective(others, { student: three, teacher: three }, none);
    expect(none.all).toEqual([]);

    const some = noVariables();
    createObjective(all, { student: three, teacher: [stage(32, 16), stage(8, 5), stage(8, 64)] }, some);
    expect(some.all.map(({ name, kind, variable }) => [name, kind, variable.shape])).toEqual([
      ['hints.regressor.conv.weight', 'weight', [3, 3, 32, 5]],
      ['hints.regressor.bn.weight', 'scale', [5]],
      ['hints.regressor.bn.bias', 'shift', [5]],
      ['hints.regressor.bn.running_mean', 'mean', [5]],
      ['hints.regressor.bn.running_var', 'variance', [5]],
    ]);
  });

  it.each([
    [4, three, [...three, stage(4, 128)], 'hints.stage is 4, but the student has 3 stages: choose 1 to 3.'],
    [4, [...three, stage(4, 128)], three, 'hints.stage is 4, but the teacher has 3 stages: choose 1 to 3.'],
    [8, [...three, stage(4, 128)], three, 'hints.stage is 8, but the student has 4 stages: choose 1 to 3.'],
  ])('says which network has no stage %i to take hints from', (number, student, teacher, message) => {
    const create = () =>
      createObjective({ hints: { stage: number, weight: 1 } }, { student, teacher }, noVariables());
    expect(create).toThrow(new DestillError('InvalidSpec', message));
  });

  it('puts no constant as large as a feature map into a captured graph', () => {
    const sides = [16, 8, 4];
    const { functions, variables } = programOf({
      ...cases[0]!,
      objective: all,
      batch: 16,
      student: sides.map((side) => [side, side, 16] as const),
      teacher: sides.map((side) => [2 * side, 2 * side, 8] as const),
    });
    const graph = buildGraph(
      variables.all.map(({ variable }) => variable),
      functions,
    );
    const constants = graph.nodes.flatMap(({ op, attr }) =>
      op === 'Const'
        ? [(attr.value as { tensor: { tensorContent: Buffer } }).tensor.tensorContent.length]
        : [],
    );
    expect(constants.length).toBeGreaterThan(10);
    // The largest is the 16 × 32 matrix of an average; the smallest map has 16 · 4 · 4 · 8 values.
    expect(Math.max(...constants)).toBeLessThanOrEqual(16 * 32 * 4);
    variables.dispose();
  });
});
