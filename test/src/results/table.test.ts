import { describe, expect, it } from 'vitest';
import { summarise } from '../../../src/results/summary.ts';
import { formatTable } from '../../../src/results/table.ts';
import { experimentOf } from '../plan/world.ts';
import { accuracy, runsWith } from './runs.ts';

const results = {
  'teacher/1': { ...accuracy(0.914), parameters: 855_770, trainingSeconds: 11_100, imagesPerSecond: 98.2 },
  'baseline/small/1': accuracy(0.861),
  'baseline/small/2': accuracy(0.869),
  'soft/small/1': accuracy(0.883),
  'soft/small/2': accuracy(0.885),
  'attention/small/1': accuracy(0.86),
  'attention/small/2': null,
};

describe('formatTable', () => {
  it('names the seeds that are compared where they are not all, and says why there is no gain', () => {
    const experiment = experimentOf({ seeds: [1, 2, 3] });
    const base = { 'baseline/small/1': accuracy(0.8), 'baseline/small/2': accuracy(0.81) };
    const table = (results: Parameters<typeof runsWith>[1]) =>
      formatTable(summarise(experiment, runsWith(experiment, { 'teacher/1': accuracy(0.9), ...results })));
    const failed = { 'soft/small/1': null, 'soft/small/2': null, 'soft/small/3': null };
    expect(table({ ...base, ...failed, 'soft/small/2': accuracy(0.83) })).toContain(
      'small (resnet8) soft: compared on seed 2 only.\n',
    );
    const two = {
      'soft/small/1': accuracy(0.83),
      'soft/small/2': accuracy(0.86),
      'soft/small/3': accuracy(0.99),
    };
    const lines = table({ ...base, 'baseline/small/3': null, ...two })
      .replaceAll('\n  ', ' ')
      .split('\n');
    expect(lines).toContain('small (resnet8) soft: compared on seeds 1, 2 only.');
    expect(lines).toContain(
      'small (resnet8) soft: within noise, 95 % interval −8.7 … +16.7 of 2 seeds, p 0.16.',
    );
    expect(table({ ...base, ...failed, 'soft/small/3': accuracy(0.83) })).toContain(
      'small (resnet8) soft: no gain, as no seed has both it and its baseline.\n',
    );
  });

  it('shows every row in the order of the spec, numbers aligned, and names what is missing', () => {
    const experiment = experimentOf();
    expect(formatTable(summarise(experiment, runsWith(experiment, results)))).toMatchInlineSnapshot(`
      "                      para-          test            gap              images
      network   technique  meters      accuracy   gain  closed        time   per s
      ────────────────────────────────────────────────────────────────────────────
      resnet56  teacher    0.86 M        91.4 %                 3 h 05 min      98
      resnet8   baseline   0.08 M  86.5 ± 0.6 %                 1 min 12 s     431
      resnet8   soft       0.08 M  88.4 ± 0.1 %  +1.9~    39 %  1 min 12 s     431
      resnet8   attention  0.08 M        86.0 %  −0.1?    −2 %  1 min 12 s     431

      small (resnet8) attention: 1 of 2 Runs ended without success.
      small (resnet8) soft: within noise, 95 % interval −1.9 … +5.7 of 2 seeds, p 0.1.
      small (resnet8) attention: compared on seed 1 only.
      ~ within noise: the interval holds 0.
      ? Not known whether it is more than noise: one seed, or all alike.
      "
    `);
  });

  it('sets the scarcity stage apart', () => {
    const experiment = experimentOf({
      seeds: [1],
      scarcity: { student: { model: 'resnet14' }, fraction: 0.004 },
    });
    const runs = runsWith(experiment, {
      ...results,
      'scarcity/baseline/resnet14/1': accuracy(0.6),
      'scarcity/soft/resnet14/1': accuracy(0.66),
    });
    expect(formatTable(summarise(experiment, runs))).toMatchInlineSnapshot(`
      "                      para-      test            gap              images
      network   technique  meters  accuracy   gain  closed        time   per s
      ────────────────────────────────────────────────────────────────────────
      resnet56  teacher    0.86 M    91.4 %                 3 h 05 min      98
      resnet8   baseline   0.08 M    86.1 %                 1 min 12 s     431
      resnet8   soft       0.08 M    88.3 %  +2.2?    42 %  1 min 12 s     431
      resnet8   attention  0.08 M    86.0 %  −0.1?    −2 %  1 min 12 s     431

      With 0.4 % of the training images:
      resnet14  baseline   0.08 M    60.0 %                 1 min 12 s     431
      resnet14  soft       0.08 M    66.0 %  +6.0?    19 %  1 min 12 s     431

      ? Not known whether it is more than noise: one seed, or all alike.
      "
    `);
  });

  it.each([
    ['resnet8', 'attention-and-soft'],
    ['mobilenet-v2', 'a-combination-of-30-characters'],
  ])('fits 80 columns with %s and an arm named %s', (model, name) => {
    const experiment = experimentOf({
      students: [{ name: 'small', model }],
      distillation: [{ name, softTargets: {} }],
    });
    const runs = runsWith(experiment, {
      ...results,
      [`${name}/small/1`]: accuracy(0.9),
      [`${name}/small/2`]: accuracy(0.91),
    });
    const table = formatTable(summarise(experiment, runs));
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(table).toContain(name.slice(0, 8));
    expect(formatTable(summarise(experiment, runs), { width: 120 })).toMatch(
      new RegExp(`${model} +${name}  `),
    );
  });

  it('fits 80 columns with all the seeds that there may be, and tells students of one network apart', () => {
    const seeds = Array.from({ length: 32 }, (_, index) => 2_000_000_000 + index);
    const arm = 'a-combination-of-30-characters';
    const experiment = experimentOf({
      seeds,
      students: [
        { name: 'first', model: 'mobilenet-v2' },
        { name: 'second', model: 'mobilenet-v2' },
      ],
      distillation: [{ name: arm, softTargets: {} }],
    });
    const runs = runsWith(
      experiment,
      Object.fromEntries([
        ...seeds.map((seed) => [`baseline/first/${seed}`, accuracy(0.8)] as const),
        ...seeds.map(
          (seed, index) =>
            [`${arm}/first/${seed}`, index === 0 ? null : accuracy(0.81 + index / 1000)] as const,
        ),
        [`${arm}/second/${seeds[0]}`, accuracy(0.8)] as const,
      ]),
    );
    const table = formatTable(summarise(experiment, runs));
    expect(Math.max(...table.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const told = table.replaceAll(/\n +/g, ' ');
    expect(told).toContain(
      `first (mobilenet-v2) ${arm}: compared on seeds ${seeds.slice(1).join(', ')} only.`,
    );
    expect(told).toContain(`second (mobilenet-v2) ${arm}: no gain, as no seed has both it and its baseline.`);
  });
});
