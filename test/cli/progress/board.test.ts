import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BarsDisplay } from '../../../cli/progress/bars.ts';
import { Board } from '../../../cli/progress/board.ts';
import { labelsOf } from '../../../cli/progress/label.ts';
import { PlainDisplay } from '../../../cli/progress/plain.ts';
import type { Run } from '../../../src/api/run.ts';
import { searched, searchedExperiment } from '../../src/results/searched.ts';
import { runOf } from '../made-runs.ts';
import { screenOf } from './screen.ts';

const label = labelsOf(searchedExperiment);
const runs = searched(9);
const soft = runs.filter(({ spec }) => spec.trial?.study === 'small.soft');
const [first, second] = soft;
if (first === undefined || second === undefined) throw new Error('no Runs');

/** Begins what moves the cursor, which is at most four characters more. */
const beginning = '\u001b';

/** What was written to a place of so many columns. */
function written(isTTY: boolean, columns = 80) {
  let text = '';
  return { output: { write: (part: string) => (text += part), isTTY, columns }, text: () => text };
}

function boardOf(known: readonly Run[]): Board {
  const board = new Board(label);
  for (const run of known) board.note(run);
  return board;
}

describe('the table of the best trials', () => {
  test('has the best five of a study, and fits 80 columns', () => {
    const lines = boardOf(soft).lines(79);
    expect(lines).toMatchInlineSnapshot(`
      [
        "best trials    val %  epochs",
        "small/soft t5   92.3   27/27  learningRate=0.06116, batchSize=32, temperature=…",
        "small/soft t9   89.8    9/27  learningRate=0.09537, batchSize=32, temperature=…",
        "small/soft t1   88.4    9/27  learningRate=0.1515, batchSize=128, temperature=…",
        "small/soft t4   71.7    3/27  learningRate=0.09274, batchSize=64, temperature=…",
        "small/soft t7   69.4    3/27  learningRate=0.6479, batchSize=128, temperature=…",
      ]
    `);
    expect(lines.filter((line) => line.length > 79)).toEqual([]);
  });

  test('has some of each study where several are under way', () => {
    const lines = boardOf(runs).lines(79);
    expect(lines.map((line) => line.slice(0, 27).trimEnd())).toMatchInlineSnapshot(`
      [
        "best trials        val %  e",
        "small/baseline t4   90.6",
        "small/baseline t8   88.0",
        "small/soft t5       92.3",
        "small/soft t9       89.8",
        "small/soft t1       88.4",
      ]
    `);
  });

  test('is empty before a trial has reported, and knows nothing of other Runs', () => {
    expect(boardOf([runOf()]).lines(79)).toEqual([]);
    expect(boardOf([{ ...first, status: { conditions: [], phase: 'Starting' } }]).lines(79)).toEqual([]);
  });
});

test('a trial is called by its number', () => {
  expect(label(first)).toBe('small/soft t1');
  expect(label(runOf())).toBe('teacher#1');
});

describe('a search into a file', () => {
  test('has a line for each trial that ends or pauses, and one when a new best is found', () => {
    const { output, text } = written(false);
    const display = new PlainDisplay(output, label);
    for (const run of soft) {
      display.started(run);
      display.progress();
      display.changed(run);
    }
    expect(text()).toMatchInlineSnapshot(`
      "small/soft t1               paused after epoch 9: validation 88.4 %
      small/soft t1               best so far: learningRate=0.1515, batchSize=128, te…
      small/soft t2               paused after epoch 3: validation 51.1 %
      small/soft t3               paused after epoch 3: validation 65.2 %
      small/soft t4               paused after epoch 3: validation 71.7 %
      small/soft t5               ended: validation 92.3 %, best epoch 19, 5 min 24 s
      small/soft t5               best so far: learningRate=0.06116, batchSize=32, te…
      small/soft t6               paused after epoch 3: validation 68.3 %
      small/soft t7               paused after epoch 3: validation 69.4 %
      small/soft t8               paused after epoch 3: validation 55.1 %
      small/soft t9               paused after epoch 9: validation 89.8 %
      "
    `);
    const lines = text().split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('does not call the best what an earlier command had found better', () => {
    const { output, text } = written(false);
    const display = new PlainDisplay(output, label);
    display.earlier(soft.slice(4));
    display.changed(first);
    expect(text()).not.toContain('best so far');
  });
});

describe('a search on a terminal', () => {
  test('shows the best trials above the bars of those under way, and no line for each', () => {
    const { output, text } = written(true);
    const display = new BarsDisplay(output, label);
    display.earlier([second]);
    display.started(first);
    display.progress({ ...first, status: { ...first.status, conditions: [], phase: 'Running' } });
    display.changed(first);
    display.close();
    expect(text()).toContain('best trials    val %  epochs');
    expect(text()).toContain('small/soft t2');
    expect(text()).not.toContain('paused after');
    const parts = text().split(beginning);
    expect(parts.filter((part) => part.length > 80 + 4)).toEqual([]);
  });

  test('stays whole when a line is written above it', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { output, text } = written(true);
    const display = new BarsDisplay(output, label);
    display.earlier([second]);
    display.started(first);
    vi.advanceTimersByTime(500);
    display.say('a remark');
    display.say('another');
    vi.advanceTimersByTime(500);
    const table = ['best trials', 'small/soft t1', 'small/soft t2', '', '', ''];
    const rows = ['a remark', 'another', ...table, 'small/soft t1'];
    expect(screenOf(text()).map((line) => line.slice(0, 13).trimEnd())).toEqual(rows);
    display.close();
  });

  test('has a line for what failed', () => {
    const { output, text } = written(true);
    const display = new BarsDisplay(output, label);
    display.started(first);
    const status = { conditions: [], phase: 'Failed' as const, reason: 'TrainingDiverged', message: 'NaN.' };
    display.changed({ ...first, status });
    display.close();
    expect(text()).toContain('small/soft t1               failed: TrainingDiverged: NaN.');
  });

  test('keeps what comes from outside from moving the cursor', () => {
    const { output, text } = written(true);
    const display = new BarsDisplay(output, () => '\u001b[2Jname');
    const trial = { ...(first.spec.trial ?? { study: '', number: 1, values: {} }), summary: 'x\u001b[2J' };
    const run = { ...first, spec: { ...first.spec, trial } };
    display.started(run);
    display.progress(run);
    display.close();
    expect(text()).not.toContain('\u001b[2J');
  });
});
