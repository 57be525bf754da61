import { describe, expect, it } from 'vitest';
import { summarise } from '../../../src/results/summary.ts';
import { verdictOf } from '../../../src/results/verdict.ts';
import { experimentOf, resultOf } from '../plan/world.ts';
import { accuracy, runsWith } from './runs.ts';

const near = (value: number) => expect.closeTo(value, 12);

describe('summarise', () => {
  const seeds = [1, 2, 3];
  const complete = {
    'teacher/1': { ...accuracy(0.95), parameters: 850_000, flops: 250_000_000, trainingSeconds: 300 },
    'baseline/small/1': { ...accuracy(0.8), trainingSeconds: 10, imagesPerSecond: 400 },
    'baseline/small/2': { ...accuracy(0.82), trainingSeconds: 20, imagesPerSecond: 410 },
    'baseline/small/3': { ...accuracy(0.84), trainingSeconds: 30, imagesPerSecond: 420 },
    'soft/small/1': accuracy(0.83, 0.81),
    'soft/small/2': accuracy(0.86, 0.82),
    'soft/small/3': accuracy(0.86, 0.86),
    'attention/small/1': accuracy(0.79),
    'attention/small/2': accuracy(0.82),
    'attention/small/3': accuracy(0.85),
  };

  it('gives means and sample deviations over the seeds, paired gains, and the share of the gap closed', () => {
    const experiment = experimentOf({ seeds });
    const { rows } = summarise(experiment, runsWith(experiment, complete));
    expect(rows.map(({ technique }) => technique)).toEqual(['teacher', 'baseline', 'soft', 'attention']);
    expect(rows[0]).toEqual({
      stage: 'main',
      role: 'teacher',
      technique: 'teacher',
      network: 'resnet56',
      fraction: 1,
      runs: { wanted: 1, succeeded: 1, failed: 0 },
      parameters: 850_000,
      flops: 250_000_000,
      testAccuracy: { mean: 0.95 },
      validationAccuracy: { mean: 0.95 },
      trainingSeconds: 300,
      imagesPerSecond: 431.4,
    });
    expect(rows[1]).toEqual({
      stage: 'main',
      role: 'baseline',
      technique: 'baseline',
      student: 'small',
      network: 'resnet8',
      fraction: 1,
      runs: { wanted: 3, succeeded: 3, failed: 0 },
      parameters: 78_042,
      flops: 25_000_000,
      testAccuracy: { mean: near(0.82), standardDeviation: near(0.02) },
      validationAccuracy: { mean: near(0.82), standardDeviation: near(0.02) },
      trainingSeconds: 20,
      imagesPerSecond: 410,
      accuracyRetained: near(0.82 / 0.95),
    });
    // Differences by seed: 0.03, 0.04, 0.02.
    expect(rows[2]).toMatchObject({
      testAccuracy: { mean: near(0.85), standardDeviation: near(Math.sqrt(0.0003)) },
      validationAccuracy: { mean: near(0.83) },
      gain: { mean: near(0.03), standardDeviation: near(0.01) },
      gapClosed: near(0.03 / 0.13),
      accuracyRetained: near(0.85 / 0.95),
    });
    // Differences by seed: −0.01, 0, 0.01.
    expect(rows[3]).toMatchObject({
      gain: { mean: near(0), standardDeviation: near(0.01) },
      gapClosed: near(0),
    });
  });

  it('pairs by seed: a baseline that failed leaves its seed out of the gain, not out of the mean', () => {
    const experiment = experimentOf({ seeds });
    const { rows } = summarise(experiment, runsWith(experiment, { ...complete, 'baseline/small/3': null }));
    expect(rows[1]).toMatchObject({
      runs: { wanted: 3, succeeded: 2, failed: 1 },
      testAccuracy: { mean: near(0.81) },
    });
    expect(rows[2]).toMatchObject({
      testAccuracy: { mean: near(0.85) },
      gain: { mean: near(0.035) },
      gapClosed: near(0.035 / 0.14),
    });
  });

  it('compares nothing where no seed has both', () => {
    const experiment = experimentOf();
    const runs = runsWith(experiment, { 'baseline/small/1': accuracy(0.8), 'soft/small/2': accuracy(0.9) });
    const soft = summarise(experiment, runs).rows[2];
    expect(soft?.testAccuracy).toEqual({ mean: near(0.9) });
    for (const compared of ['gain', 'gapClosed', 'accuracyRetained'])
      expect(soft).not.toHaveProperty(compared);
  });

  it('tells of a gain what its seeds allow to say: interval, tests, and the tests corrected for how many arms there are', () => {
    const experiment = experimentOf({ seeds });
    const { rows } = summarise(experiment, runsWith(experiment, complete));
    const [soft, attention] = [rows[2]?.gain, rows[3]?.gain];
    expect(soft?.seeds).toEqual(seeds);
    // Differences 0.02, 0.03 and 0.04: t = 3√3, 2 degrees of freedom.
    expect(soft?.confidence).toEqual({ low: expect.closeTo(0.005159, 6), high: expect.closeTo(0.054841, 6) });
    expect(soft?.pValue).toBeCloseTo(0.035099, 6);
    expect(soft?.pAdjusted).toBeCloseTo(0.070197, 6);
    expect(attention?.pValue).toBe(1);
    expect(attention?.pAdjusted).toBe(1);
    expect(soft).not.toHaveProperty('wilcoxonPValue');
    expect([verdictOf(soft!), verdictOf(attention!)]).toEqual(['gain', 'noise']);
  });

  it('has no share of the gap where the teacher is not better than the baseline', () => {
    const experiment = experimentOf({ seeds });
    const { rows } = summarise(
      experiment,
      runsWith(experiment, { ...complete, 'teacher/1': accuracy(0.82) }),
    );
    expect(rows[2]?.gain).toBeDefined();
    expect(rows[2]).not.toHaveProperty('gapClosed');
  });

  it('has rows without numbers for what has not ended or has failed', () => {
    const experiment = experimentOf();
    const { rows } = summarise(
      experiment,
      runsWith(experiment, { 'soft/small/1': null, 'soft/small/2': null }),
    );
    expect(rows.map(({ technique, runs }) => [technique, runs])).toEqual([
      ['teacher', { wanted: 1, succeeded: 0, failed: 0 }],
      ['baseline', { wanted: 2, succeeded: 0, failed: 0 }],
      ['soft', { wanted: 2, succeeded: 0, failed: 2 }],
      ['attention', { wanted: 2, succeeded: 0, failed: 0 }],
    ]);
    expect(rows[2]).not.toHaveProperty('testAccuracy');
  });

  it('lists students in the order of the spec, each with its own baseline', () => {
    const experiment = experimentOf({
      seeds: [1],
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'large', model: 'resnet20' },
      ],
    });
    const runs = runsWith(experiment, {
      'baseline/small/1': accuracy(0.5),
      'soft/small/1': accuracy(0.6),
      'baseline/large/1': accuracy(0.7),
      'soft/large/1': accuracy(0.75),
    });
    const { rows } = summarise(experiment, runs);
    expect(rows.map(({ network, technique, gain }) => [network, technique, gain?.mean])).toEqual([
      ['resnet56', 'teacher', undefined],
      ['resnet8', 'baseline', undefined],
      ['resnet8', 'soft', near(0.1)],
      ['resnet8', 'attention', undefined],
      ['resnet20', 'baseline', undefined],
      ['resnet20', 'soft', near(0.05)],
      ['resnet20', 'attention', undefined],
    ]);
  });

  it('compares the scarcity stage with its own baseline', () => {
    const experiment = experimentOf({
      seeds: [1],
      scarcity: { student: { model: 'resnet14' }, fraction: 0.1 },
    });
    const runs = runsWith(experiment, {
      'teacher/1': accuracy(0.9),
      'baseline/small/1': accuracy(0.8),
      'soft/small/1': accuracy(0.85),
      'attention/small/1': accuracy(0.82),
      'scarcity/baseline/resnet14/1': accuracy(0.6),
      'scarcity/soft/resnet14/1': accuracy(0.66),
    });
    const { rows } = summarise(experiment, runs);
    expect(rows.slice(4)).toMatchObject([
      { stage: 'scarcity', technique: 'baseline', network: 'resnet14', fraction: 0.1 },
      {
        stage: 'scarcity',
        technique: 'soft',
        fraction: 0.1,
        gain: { mean: near(0.06) },
        gapClosed: near(0.2),
      },
    ]);
  });

  it('leaves out Runs that the Experiment no longer asks for', () => {
    const before = experimentOf({ seeds: [1] });
    const runs = runsWith(before, { 'soft/small/1': accuracy(0.9), 'attention/small/1': accuracy(0.8) });
    const experiment = experimentOf({
      seeds: [1],
      distillation: [{ name: 'soft', softTargets: { temperature: 9 } }],
    });
    const { rows } = summarise(experiment, runs);
    expect(rows.map(({ technique, runs: count }) => [technique, count.succeeded])).toEqual([
      ['teacher', 0],
      ['baseline', 0],
      ['soft', 0],
    ]);
  });

  it('compares with an external teacher', () => {
    const experiment = experimentOf({ seeds: [1], teacher: { from: { run: 'earlier' } } });
    const teacher = { run: 'earlier', model: 'resnet110', result: resultOf(0.9) } as const;
    const runs = runsWith(experiment, { 'baseline/small/1': accuracy(0.8) });
    const { rows } = summarise(experiment, runs, teacher);
    expect(rows[0]).toMatchObject({ role: 'teacher', network: 'resnet110', testAccuracy: { mean: 0.9 } });
    expect(rows[1]?.accuracyRetained).toBeCloseTo(0.8 / 0.9, 12);
  });
});
