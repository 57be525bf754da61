import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/api/run.ts';
import { experimentReport } from '../../../src/report/report.ts';
import { risesOf } from '../../../src/report/search/history.ts';
import { parameterAxis } from '../../../src/report/search/parameter-axis.ts';
import { paretoFront } from '../../../src/report/search/pareto.ts';
import { ranksOf } from '../../../src/report/search/ranks.ts';
import { seedsText } from '../../../src/report/sections/search.ts';
import { counts, trialsOf } from '../../../src/results/trials.ts';
import { searched, searchedExperiment } from '../results/searched.ts';
import { hostile, searchInput } from './made.ts';

const section = (runs?: readonly Run[]) => {
  const page = experimentReport(searchInput(runs));
  const start = page.indexOf('<section aria-labelledby="search">');
  return start < 0 ? '' : page.slice(start, page.indexOf('</section>', start));
};
const captions = (text: string) =>
  [...text.matchAll(/<figcaption>(.*?)<\/figcaption>/g)].map(([, title]) => title);
const soft = (runs: readonly Run[]) => runs.filter(({ spec }) => spec.trial?.study === 'small.soft');

describe('the search in a report', () => {
  const text = section();

  it('says how was searched, what is best, and which seeds chose', () => {
    expect(text).toContain(
      'Asynchronous successive halving (ASHA, Li et al. 2020): after 3 epochs one in 3 trials',
    );
    expect(text).toContain('Seed 1 chose; 2 and 3 did not');
    expect(text).toContain(
      '<th scope="row" class="left">small.soft</th><td class="right">40</td><td class="right">#33</td><td class="right">94.2 %</td><td class="right">27/27</td><td class="left">35 Paused, 4 Succeeded, 1 Failed</td>',
    );
    expect(text).toContain('39 of 40 trials came to epoch 3, 13 to epoch 9, 4 to epoch 27.');
    expect(text).toContain('1 failed, and count for nothing: TrainingDiverged: #14.');
  });

  it('has every chart of a study, with words beside the numbers', () => {
    expect(captions(section(soft(searched())))).toEqual([
      'Validation accuracy of every trial, and the best so far',
      'Trials that came to an epoch',
      'Best validation accuracy so far, by epoch',
      'Importance',
      'Every trial as a line through its values',
      'learningRate',
      'batchSize',
      'temperature',
      'weight',
      'crop',
      'padding',
      'Validation accuracy against training time',
    ]);
    expect(text).toContain(
      '>small.soft: learningRate 36 %, temperature 30 %, crop 15 %, padding 13 %, batchSize 6 %, weight 0 %.<',
    );
    expect(text).toContain('PED-ANOVA: Watanabe et al. 2023, arXiv 2304.10255');
    expect(text).toContain('The best, #33, has 0.05406 and 94.2 %.');
    expect(text).toMatch(/Not here are \d+ trials without it\./);
    expect(text).toContain('>without</text>');
    expect(text).toContain('On the Pareto front, the cheapest first: small.soft #9: 75.1 %, 39 s; ');
  });

  it('draws trials of a single epoch as dots among the curves, which have no line', () => {
    const short = soft(searched(6)).map((run) => {
      const { history: [first = 0.5] = [], ...status } = run.status ?? {
        conditions: [],
        phase: 'Paused' as const,
      };
      const progress = { epoch: 1, epochs: 27, step: 0, steps: 10, updatedAt: '2026-03-01T11:00:00Z' };
      return {
        ...run,
        status: { ...status, phase: 'Paused' as const, history: [first], rungs: [], progress },
      };
    });
    const [, curves = ''] = section(short).split(
      '<figcaption>Best validation accuracy so far, by epoch</figcaption>',
    );
    const [figure = ''] = curves.split('</figure>');
    expect(figure.match(/M58,[\d.]+h0/g)).toHaveLength(6);
  });

  it('says why there is no importance, and the rule where there is some', () => {
    const few = section(soft(searched(8)));
    expect(few).toContain('Importance is told from 11 trials on.');
    expect(few).not.toContain('PED-ANOVA');
    expect(text).not.toContain('Importance is told from');
  });

  it('weighs accuracy against size where networks differ in it', () => {
    const other = searched().map((run) => {
      const { result } = run.status ?? {};
      if (run.status === undefined || result === undefined) return run;
      const isSoft = run.spec.trial?.study === 'small.soft';
      return {
        ...run,
        status: { ...run.status, result: { ...result, parameters: isSoft ? 78_042 : 272_474 } },
      };
    });
    expect(captions(section(other))).toContain('Validation accuracy against parameters of the network');
    expect(captions(text)).not.toContain('Validation accuracy against parameters of the network');
  });

  it('is there with one trial, with failed ones alone, before any report, and not without a search', () => {
    const [first, ...others] = soft(searched());
    if (first?.status === undefined) throw new Error('no Run');
    const one = section([first]);
    expect(one).toContain('1 of 1 trials came to epoch 3, 1 to epoch 9.');
    expect(captions(one)).not.toContain('Importance');
    const failed = section(others.filter(({ status }) => status?.phase === 'Failed'));
    expect(failed).toContain('none of 1 trials came to an end or was paused');
    expect(captions(failed)).toEqual([]);
    const waiting = section([{ ...first, status: { conditions: [], phase: 'Waiting' } }]);
    expect(waiting).toContain('<td class="left">Waiting</td>');
    expect(section([])).toBe('');
    for (const part of [text, one, failed, waiting])
      expect(part).not.toMatch(/NaN|Infinity|undefined|false</);
  });

  it('stays of a size that a browser reads with a thousand trials a study, and says what it leaves out', () => {
    const many = section(searched(1000));
    expect(many.length).toBeLessThan(700_000);
    expect(section(soft(searched(2500)))).toMatch(/\d+ of the others are not drawn\./);
  });

  it('keeps trials out of where Runs are listed one by one, but for the best of each study', () => {
    const page = experimentReport(searchInput());
    const [, runs = ''] = page.split('<caption><span>Every Run</span>');
    const best = searched().filter(
      ({ spec }) => spec.trial?.number === 33 && spec.trial.study === 'small.soft',
    );
    expect(runs).toContain(`>${best[0]?.metadata.name}<`);
    expect(runs).not.toContain('>study-small-soft-t1<');
    expect(page).toContain('1 of 12 Runs have not ended');
    expect(page).not.toContain('<li>study-small-soft-t14: Failed');
    expect(page).toContain('<th scope="row" class="left">soft, search</th>');
    const ids = [...page.matchAll(/ id="(.*?)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets nothing that comes from outside become more than text', () => {
    const runs = searched(12).map((run) => ({
      ...run,
      spec: { ...run.spec, ...(run.spec.trial ? { trial: { ...run.spec.trial, study: hostile } } : {}) },
      status: { conditions: [], ...run.status, phase: 'Failed' as const, reason: hostile, message: hostile },
    }));
    const page = experimentReport(searchInput([...searched(12), ...runs]));
    expect(page).not.toMatch(/<script|<img src=x|alert\('x'\)/);
    expect(page).toContain('count for nothing: &quot;&gt;&lt;script');
  });
});

describe('which seeds chose', () => {
  it.each([
    [[1], [1, 2, 3], 'Seed 1 chose; 2 and 3 did not: the results of the main stage are of all of them.'],
    [[2], [1, 2], 'Seed 2 chose; 1 did not: the results of the main stage are of all of them.'],
    [
      [1],
      [1],
      'Seed 1 chose, and there is no other: what is said of the chosen configurations is better than they are, by luck.',
    ],
    [[1, 4], [1, 4, 5], 'Seeds 1 and 4 chose; 5 did not: the results of the main stage are of all of them.'],
  ])('%j of %j', (searchedWith, seeds, said) => expect(seedsText(searchedWith, seeds)).toBe(said));
});

describe('what charts are made of', () => {
  const trials = trialsOf(searchedExperiment, soft(searched()));
  const known = trials.filter(counts);

  it('ranks: the best, the best tenth without it, others; failed ones are in none', () => {
    const { best, tenth, others, left } = ranksOf(trials);
    expect([best?.number, tenth.map(({ number }) => number), others.length, left]).toEqual([
      33,
      [24, 22, 16],
      35,
      0,
    ]);
    expect(ranksOf([])).toEqual({ best: undefined, tenth: [], others: [], left: 0 });
  });

  it('the best so far rises strictly', () => {
    expect(risesOf(known.toReversed()).map(({ number }) => number)).toEqual([1, 5, 12, 16, 22, 24, 33]);
  });

  it('a front holds what nothing as cheap is as good as', () => {
    const at = (cost: number, validationAccuracy: number) => ({ cost, trial: { validationAccuracy } });
    const [a, b, c, d, e] = [at(1, 0.5), at(1, 0.6), at(2, 0.6), at(3, 0.9), at(2, 0.7)];
    expect(paretoFront([d, c, a, e, b])).toEqual([b, e, d]);
    expect(paretoFront([])).toEqual([]);
  });

  it('axes have a place for each of few values, and reach over the whole range of others', () => {
    const axis = (parameter: object) =>
      parameterAxis({ name: 'training.batchSize', ...parameter }, 'x', [0, 100]);
    const texts = (of: ReturnType<typeof axis>) => of.ticks.map(({ text }) => text);
    expect(texts(axis({ boolean: {} }))).toEqual(['no', 'yes']);
    expect(axis({ boolean: {} }).place(true)).toBe(75);
    expect(texts(axis({ discrete: [128, 32, 64] }))).toEqual(['32', '64', '128']);
    expect(texts(axis({ integer: { min: 1, max: 7, scale: 'linear', step: 3 } }))).toEqual(['1', '4', '7']);
    expect(axis({ integer: { min: 1, max: 100, scale: 'linear' } }).place(1)).toBe(0);
    expect(texts(axis({ double: { min: 0.001, max: 1, scale: 'log' } }))).toEqual([
      '0.001',
      '0.01',
      '0.1',
      '1',
    ]);
  });
});
