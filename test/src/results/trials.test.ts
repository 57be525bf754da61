import { describe, expect, it } from 'vitest';
import { shortNames } from '../../../src/plan/swept.ts';
import { results, resultsDocument } from '../../../src/results/document.ts';
import { formatValue, pathsOf } from '../../../src/results/swept.ts';
import { bestFirst, byStudy, counts, phasesText, trialsOf } from '../../../src/results/trials.ts';
import { now } from '../plan/world.ts';
import { crop, searched, searchedExperiment } from './searched.ts';

const runs = searched();
const trials = trialsOf(searchedExperiment, runs);

describe('trialsOf', () => {
  it('has every Run of the search, study by study in the order of the spec, by number', () => {
    expect(trialsOf(searchedExperiment, runs.toReversed())).toEqual(trials);
    expect(byStudy(trials).map(([study, members]) => [study, members.map(({ number }) => number)])).toEqual([
      ['small.baseline', Array.from({ length: 40 }, (_, index) => index + 1)],
      ['small.soft', Array.from({ length: 40 }, (_, index) => index + 1)],
    ]);
    expect(byStudy(trials).map(([, members]) => phasesText(members))).toEqual([
      '34 Paused, 4 Succeeded, 2 Failed',
      '35 Paused, 4 Succeeded, 1 Failed',
    ]);
  });

  it('says of one that is paused how far it came, and what size its network has', () => {
    const paused = trials.find(({ phase, rungs }) => phase === 'Paused' && rungs.length === 2);
    expect(paused).toMatchObject({ study: 'small.baseline', epochs: 9, epochsInAll: 27, parameters: 78_042 });
    expect(paused).not.toHaveProperty('trainingSeconds');
    expect(paused?.rungs.map(({ epoch }) => epoch)).toEqual([3, 9]);
    expect(paused?.validationAccuracy).toBe(paused?.rungs[1]?.validationAccuracy);
    expect(paused?.history.at(-1)?.validationAccuracy).toBe(paused?.validationAccuracy);
    const accuracies = paused?.history.map(({ validationAccuracy }) => validationAccuracy) ?? [];
    expect(accuracies).toEqual([...new Set(accuracies)].sort((a, b) => a - b));
  });

  it('knows which epochs a thinned history is of', () => {
    const [run] = searched(1);
    if (run === undefined) throw new Error('no Run');
    const { parameters } = run.spec;
    const long = { ...parameters, training: { ...parameters.training, epochs: 256 } };
    const status = { conditions: [], phase: 'Running' as const, history: [0.5, 0.4, 0.7] };
    const [trial] = trialsOf(searchedExperiment, [
      { ...run, spec: { ...run.spec, parameters: long }, status },
    ]);
    expect(trial?.history).toEqual([
      { epoch: 2, validationAccuracy: 0.5 },
      { epoch: 6, validationAccuracy: 0.7 },
    ]);
  });

  it('puts the best first; one that failed is evidence of nothing', () => {
    const [first, ...rest] = bestFirst(trials);
    expect(first?.validationAccuracy).toBe(
      Math.max(...trials.filter(counts).map(({ validationAccuracy }) => validationAccuracy)),
    );
    expect(rest.slice(-3).map(({ phase }) => phase)).toEqual(['Failed', 'Failed', 'Failed']);
    const failed = trials.filter(({ phase }) => phase === 'Failed');
    expect(failed.map(({ validationAccuracy }) => validationAccuracy)).not.toContain(undefined);
    const equal = trials.slice(0, 3).map((trial) => ({ ...trial, validationAccuracy: 0.5 }));
    expect(bestFirst(equal.toReversed()).map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it('is part of results.json, which survives JSON and its schema, and of those written before there were any', () => {
    const document = resultsDocument(searchedExperiment, runs, {}, now);
    expect(document.trials).toEqual(trials);
    expect(document.runs).toHaveLength(80);
    expect(results.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
    const { trials: _trials, ...before } = document;
    expect(results.parse(before).trials).toEqual([]);
  });
});

describe('short names', () => {
  it('are as long as it takes to tell a path from the others', () => {
    const paths = [
      'training.optimizer.learningRate',
      'distillation.softTargets.weight',
      'distillation.hints.weight',
      crop,
      `${crop}.padding`,
    ];
    expect([...shortNames(paths).values()]).toEqual([
      'learningRate',
      'softTargets.weight',
      'hints.weight',
      'crop',
      'padding',
    ]);
    expect(pathsOf([{ a: 1 }, { b: true, a: 2 }])).toEqual(['a', 'b']);
  });

  it('stand beside values that are read at a glance', () => {
    expect([0.1032, 1e-5, 64, 0.1 + 0.2, true, false].map(formatValue)).toEqual([
      '0.1032',
      '0.00001',
      '64',
      '0.3',
      'yes',
      'no',
    ]);
  });
});
