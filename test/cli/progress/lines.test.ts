import { describe, expect, test } from 'vitest';
import { labelOf } from '../../../cli/progress/label.ts';
import { barLine, epochLine, startLine, statusLine } from '../../../cli/progress/lines.ts';
import { wrap } from '../../../src/text/wrap.ts';
import { parametersOf, progress, result, runOf } from '../made-runs.ts';

const record = {
  epoch: 3,
  loss: 0.4321,
  crossEntropy: 0.4,
  trainAccuracy: 0.85,
  validationLoss: 0.5,
  validationAccuracy: 0.871,
  learningRate: 0.1,
  imagesPerSecond: 1234.4,
  seconds: 12,
};

test('an epoch is one line that fits 100 columns', () => {
  const line = epochLine('small/soft-targets#1', record, progress);
  expect(line).toBe(
    'small/soft-targets#1        epoch  3/12  loss 0.432  val 87.1 %  1234 images/s  1 min 12 s left',
  );
  expect(line.length).toBeLessThanOrEqual(100);
  expect(epochLine('teacher', { ...record, epoch: 12 }, progress)).toBe(
    'teacher                     epoch 12/12  loss 0.432  val 87.1 %  1234 images/s',
  );
});

test('a bar is one line that fits the terminal', () => {
  const line = barLine('small/soft-targets#1', progress, 79);
  expect(line).toBe('small/soft-targets#1       ━━╌╌╌╌╌╌╌╌   3/12  0.432  87.4 %  1234/s  1 min 12 s');
  expect(barLine('teacher', undefined, 79)).toBe('teacher                     starting');
  expect(barLine('small/soft-targets#1', progress, 40)).toHaveLength(40);
});

describe('the line of a Run', () => {
  test.each([
    [runOf({ phase: 'Succeeded', result }), 'succeeded: test 86.9 %, best epoch 3, 1 min 12 s'],
    [
      runOf({ phase: 'Failed', reason: 'TrainingDiverged', message: 'The loss became NaN.' }),
      'failed: TrainingDiverged: The loss became NaN.',
    ],
    [runOf({ phase: 'Skipped', message: 'Its teacher failed.' }), 'skipped: Its teacher failed.'],
    [runOf({ phase: 'Waiting', progress }), 'stopped in epoch 3; goes on from there'],
    [runOf({ phase: 'Starting', message: 'Retry 1 of 3 in 1 s.' }), 'Retry 1 of 3 in 1 s.'],
  ])('says what has become of it (%#)', (run, state) => {
    expect(statusLine('teacher', run)).toBe(`teacher                     ${state}`);
  });

  test('says what it starts with', () => {
    expect(startLine('teacher', runOf())).toBe(
      'teacher                     started: resnet8 on mnist, 4 epochs',
    );
    expect(startLine('teacher', runOf({ progress }))).toBe(
      'teacher                     started: resnet8 on mnist, 4 epochs, 2 done',
    );
  });
});

test.each([
  [parametersOf(), false, 'teacher'],
  [parametersOf({ role: 'baseline', student: 'small' }), false, 'small/baseline'],
  [parametersOf({ role: 'distilled', student: 'small', arm: 'soft', seed: 2 }), true, 'small/soft#2'],
  [
    parametersOf({ role: 'baseline', stage: 'scarcity', student: 'resnet8' }),
    false,
    'scarcity/resnet8/baseline',
  ],
])('a Run has a name for people (%#)', (parameters, withSeed, label) => {
  expect(labelOf(parameters, withSeed)).toBe(label);
});

test('long lines are broken between words and go on indented', () => {
  const text = `short\n  field: ${'word '.repeat(20).trim()}`;
  expect(wrap(text)).toBe(`short\n  field: ${'word '.repeat(14).trim()}\n    ${'word '.repeat(6).trim()}`);
  expect(wrap('x'.repeat(100))).toBe('x'.repeat(100));
});
