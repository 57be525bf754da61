import { expect, test } from 'vitest';
import { BarsDisplay } from '../../../cli/progress/bars.ts';
import { displayFor } from '../../../cli/progress/display-for.ts';
import { PlainDisplay } from '../../../cli/progress/plain.ts';
import { progress, result, runOf } from '../made-runs.ts';

/** A terminal that remembers what was written. */
function terminal(columns = 80) {
  let text = '';
  const output = { write: (part: string) => (text += part), isTTY: true, columns };
  return { output, text: () => text };
}

const label = () => 'teacher';

test('a bar shows the progress of its Run, and a line stays when it has ended', () => {
  const { output, text } = terminal();
  const display = new BarsDisplay(output, label);
  display.say('Experiment tiny');
  display.started(runOf({ phase: 'Starting' }));
  display.progress(runOf({ phase: 'Running', progress }));
  display.changed(runOf({ phase: 'Succeeded', result }));
  display.started(runOf({ phase: 'Starting' }, {}, 'next'));
  display.close();
  expect(text()).toMatch(/^Experiment tiny\n/);
  expect(text()).toContain(
    'teacher                     succeeded: test 86.9 %, best epoch 3, 1 min 12 s\u001b[0K\n',
  );
  // The cursor is shown again.
  expect(text()).toContain('\u001b[?25h');
});

test.each([
  ['a terminal', {}, false, BarsDisplay],
  ['--plain', {}, true, PlainDisplay],
  ['CI', { CI: 'true' }, false, PlainDisplay],
  ['NO_COLOR', { NO_COLOR: '1' }, false, PlainDisplay],
  ['a simple terminal', { TERM: 'dumb' }, false, PlainDisplay],
])('on %s', (_where, env, isPlain, kind) => {
  const { output } = terminal();
  expect(displayFor({ stderr: output, terminal: output, env }, isPlain, label)).toBeInstanceOf(kind);
});

test('into a file there are plain lines', () => {
  const file = { write: () => true };
  expect(displayFor({ stderr: file, terminal: file, env: {} }, false, label)).toBeInstanceOf(PlainDisplay);
});

test('no text from outside moves the cursor', () => {
  const { output, text } = terminal();
  const hostile = '\u001b[2J\u009b31m\u202eteacher';
  const display = new BarsDisplay(output, () => hostile);
  display.started(runOf({ phase: 'Starting' }));
  display.changed(runOf({ phase: 'Failed', reason: 'DatasetCorrupt', message: `${hostile}: damaged` }));
  display.note(runOf({ phase: 'Starting' }), hostile);
  display.close();
  expect(text()).toContain('\\u001b[2J\\u009b31m\\u202eteacher: damaged');
  // cli-progress has its own sequences.
  expect(text()).not.toContain('\u001b[2J');
  expect(text()).not.toMatch(/[\u009b\u202e]/);
});
