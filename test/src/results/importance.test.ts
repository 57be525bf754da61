import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Sweep } from '../../../src/api/sweep.ts';
import { bestTenth, importances, type Observation, pedAnova } from '../../../src/results/importance.ts';
import { byStudy, trialsOf } from '../../../src/results/trials.ts';
import { searched, searchedExperiment } from './searched.ts';

/** By test/reference/importance.py, which asks Optuna 5. */
const fixture: readonly {
  readonly trials: readonly Observation[];
  readonly raw: Readonly<Record<string, number>>;
  readonly shares: Readonly<Record<string, number>>;
}[] = JSON.parse(readFileSync(new URL('../../fixtures/importance.json', import.meta.url), 'utf8'));

const parameters: Sweep['parameters'] = [
  { name: 'training.optimizer.learningRate', double: { min: 0.001, max: 1, scale: 'log' } },
  { name: 'training.batchSize', discrete: [32, 64, 128] },
  { name: 'distillation.softTargets.temperature', double: { min: 1, max: 10, scale: 'linear' } },
  { name: 'distillation.softTargets.weight', double: { min: 0.1, max: 1, scale: 'linear', step: 0.1 } },
  { name: 'training.schedule.warmupEpochs', integer: { min: 1, max: 100, scale: 'log' } },
  { name: 'dataset.augmentation.crop', boolean: {} },
  { name: 'dataset.augmentation.crop.padding', integer: { min: 1, max: 8, scale: 'linear' } },
];

const none: (typeof fixture)[number] = { trials: [], raw: {}, shares: {} };

describe('the importance of parameters', () => {
  it.each([0, 1, 2])(
    'is that of Optuna’s PedAnovaImportanceEvaluator, also of conditional ones (%i)',
    (index) => {
      const { trials, raw, shares } = fixture[index] ?? none;
      const own = pedAnova(parameters, trials);
      expect(own.map(([path]) => path).sort()).toEqual(Object.keys(raw).sort());
      for (const [path, value] of own) expect(value, path).toBeCloseTo(raw[path] ?? Number.NaN, 10);
      const like = trialsOf(searchedExperiment, searched(1)).slice(0, 1);
      const members = trials.flatMap((trial) => like.map((other) => ({ ...other, ...trial })));
      for (const [path, share] of importances(parameters, members))
        expect(share, path).toBeCloseTo(shares[path] ?? Number.NaN, 10);
    },
  );

  it('is in shares of 1, the most important first', () => {
    const [, members = []] = byStudy(trialsOf(searchedExperiment, searched(100)))[1] ?? [];
    const shares = importances(searchedExperiment.spec.sweep?.parameters ?? [], members);
    expect(shares[0]?.[0]).toBe('training.optimizer.learningRate');
    expect(shares.reduce((sum, [, share]) => sum + share, 0)).toBeCloseTo(1);
    expect(shares.map(([, share]) => share)).toEqual(shares.map(([, share]) => share).sort((a, b) => b - a));
  });

  it('is not there where nothing tells the best from the others', () => {
    const members = trialsOf(searchedExperiment, searched(1));
    expect(importances(parameters, [])).toEqual([]);
    expect(importances(parameters, members.slice(0, 1))).toEqual([]);
    const equal = trialsOf(searchedExperiment, searched(9)).map((trial) => ({
      ...trial,
      validationAccuracy: 0.5,
    }));
    expect(bestTenth(equal)).toHaveLength(18);
    expect(importances(parameters, equal)).toEqual([]);
  });
});
