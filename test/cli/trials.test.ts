import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { trialsTable } from '../../cli/trials-table.ts';
import { resultsDocument } from '../../src/results/document.ts';
import { trialsOf } from '../../src/results/trials.ts';
import { now } from '../src/plan/world.ts';
import { searched, searchedExperiment } from '../src/results/searched.ts';
import { destill } from './destill.ts';
import { temporaryFolder } from './temporary.ts';

function folderWith(runs = searched(9)): string {
  const folder = temporaryFolder();
  const document = resultsDocument(searchedExperiment, runs, {}, now);
  writeFileSync(join(folder, 'results.json'), JSON.stringify(document));
  return folder;
}

describe('destill results --trials', () => {
  test('prints a table for each study that fits 80 columns, the best trial first', async () => {
    const { code, stdout } = await destill('results', folderWith(), '--trials');
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "small.baseline: 9 trials, 8 Paused, 1 Succeeded
                                       batch  learning
      trial  val %  epochs  phase       Size      Rate  crop  padding
         #4   90.6   27/27  Succeeded    128   0.08524    no        –
         #8   88.0    9/27  Paused        64    0.3445   yes        3
         #3   86.0    9/27  Paused       128    0.6666   yes        4
         #1   71.9    3/27  Paused        64   0.04003    no        –
         #6   71.0    3/27  Paused       128    0.1261   yes        2
         #5   69.1    3/27  Paused       128   0.07007   yes        3
         #9   68.4    3/27  Paused       128   0.03235   yes        1
         #7   65.1    3/27  Paused        32   0.01667   yes        3
         #2   64.9    3/27  Paused        64  0.003786   yes        1

      small.soft: 9 trials, 8 Paused, 1 Succeeded
                                   batch learning
      trial val % epochs phase      Size     Rate temperature weight crop padding
         #5  92.3  27/27 Succeeded    32  0.06116       8.219    0.4  yes       3
         #9  89.8   9/27 Paused       32  0.09537        7.96    0.3  yes       1
         #1  88.4   9/27 Paused      128   0.1515       8.999    0.1   no       –
         #4  71.7   3/27 Paused       64  0.09274       2.515    0.8  yes       2
         #7  69.4   3/27 Paused      128   0.6479       6.201    0.3  yes       3
         #6  68.3   3/27 Paused       64 0.005511       5.122    0.5  yes       3
         #3  65.2   3/27 Paused       64 0.001765         6.3    0.3   no       –
         #8  55.1   3/27 Paused      128 0.001659       6.542    0.4  yes       2
         #2  51.1   3/27 Paused       32 0.001455       9.467    0.1   no       –
      "
    `);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('names the values that have no room', () => {
    const narrow = trialsTable(trialsOf(searchedExperiment, searched(2)), 50);
    expect(narrow.split('\n').filter((line) => line.length > 50)).toEqual([]);
    expect(narrow).toContain('no room for padding: see --csv');
    expect(narrow).toContain('no room for temperature, weight, crop: see --csv');
  });

  test('prints CSV: a line for each trial of all studies, values by path', async () => {
    const { code, stdout } = await destill('results', folderWith(), '--csv');
    expect(code).toBe(0);
    const [head = '', ...lines] = stdout.trimEnd().split('\n');
    expect(head.split(',')).toEqual([
      'study',
      'number',
      'run',
      'phase',
      'reason',
      'epochs',
      'epochsInAll',
      'validationAccuracy',
      'parameters',
      'trainingSeconds',
      'training.batchSize',
      'training.optimizer.learningRate',
      'dataset.augmentation.crop',
      'dataset.augmentation.crop.padding',
      'distillation.softTargets.temperature',
      'distillation.softTargets.weight',
    ]);
    expect(lines).toHaveLength(18);
    expect(lines.filter((line) => line.split(',').length !== 16)).toEqual([]);
  });

  test('quotes what RFC 4180 asks to be quoted, and lets no text be taken for a formula', async () => {
    const [run, ...others] = searched(1);
    if (run?.status === undefined) throw new Error('no Run');
    const status = { ...run.status, phase: 'Failed' as const, reason: '=1+1,"a"' };
    const { stdout } = await destill('results', folderWith([{ ...run, status }, ...others]), '--csv');
    expect(stdout).toContain(`,Failed,"'=1+1,""a""",`);
  });

  test('prints JSON with rungs and history, as it stands in results.json', async () => {
    const { stdout } = await destill('results', folderWith(), '--json');
    expect(JSON.parse(stdout)).toEqual(trialsOf(searchedExperiment, searched(9)));
  });

  test('says so where there are none, and takes one format', async () => {
    expect(await destill('results', folderWith([]), '--trials')).toEqual({
      code: 0,
      stdout: 'no trials: study has no spec.sweep, or it has not begun\n',
      stderr: '',
    });
    expect(await destill('results', folderWith([]), '--json')).toMatchObject({ stdout: '[]\n' });
    const both = await destill('results', folderWith([]), '--csv', '--json');
    expect(both).toMatchObject({ code: 2, stdout: '' });
    expect(both.stderr).toContain("option '--csv' cannot be used with option '--json'");
  });
});
