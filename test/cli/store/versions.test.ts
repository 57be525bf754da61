import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolder, writeExperiment } from '../../../cli/store/experiment-folder.ts';
import { readRun, writeRun } from '../../../cli/store/run-folder.ts';
import { findVersion, freeName, listVersions, versionFolder } from '../../../cli/store/versions.ts';
import { versionsTable } from '../../../cli/versions-table.ts';
import { parametersOf, progress, result, runOf } from '../made-runs.ts';
import { temporaryFolder } from '../temporary.ts';

/** Two versions, and an Experiment of a teacher and two students of two seeds. */
function world(): string {
  const root = temporaryFolder();
  const version = (name: string, ...rest: Parameters<typeof runOf>) =>
    writeRun(versionFolder(root, name), runOf(rest[0], rest[1], name));
  version('mnist-resnet8-1', { phase: 'Succeeded', result, completionTime: '2026-03-01T12:00:00Z' });
  version('unfinished', { phase: 'Running', progress });
  writeExperiment(join(root, 'study'), '');
  const run = (name: string, ...rest: Parameters<typeof runOf>) =>
    writeRun(runFolder(join(root, 'study'), name), runOf(rest[0], rest[1], name));
  run(
    'a-student',
    { startTime: '2026-03-02T12:00:00Z' },
    { parameters: parametersOf({ role: 'baseline', student: 'small' }) },
  );
  run('b-teacher', { phase: 'Succeeded', result, startTime: '2026-03-01T12:00:00Z' });
  run(
    'c-student',
    { phase: 'Failed' },
    { parameters: parametersOf({ role: 'baseline', student: 'small', seed: 2 }) },
  );
  return root;
}

test('versions come before the Runs of Experiments, which come in the order they started', () => {
  expect(listVersions(world()).map(({ handle }) => handle)).toEqual([
    'mnist-resnet8-1',
    'unfinished',
    'study/teacher#1',
    'study/small/baseline#1',
    'study/small/baseline#2',
  ]);
  expect(listVersions(join(world(), 'nowhere'))).toEqual([]);
});

test('a version is found by its name, its label, the name of its Run and its folder', () => {
  const root = world();
  expect(findVersion(root, 'unfinished').run.metadata.name).toBe('unfinished');
  expect(findVersion(root, 'study/teacher#1').run.metadata.name).toBe('b-teacher');
  expect(findVersion(root, 'b-teacher').handle).toBe('study/teacher#1');
  expect(findVersion(root, runFolder(join(root, 'study'), 'b-teacher')).handle).toBe('study/teacher#1');
  expect(findVersion(temporaryFolder(), versionFolder(root, 'unfinished')).run.metadata.name).toBe(
    'unfinished',
  );
  expect(() => findVersion(root, 'study/teacher')).toThrow(
    'Did you mean study/teacher#1? "destill versions" lists them',
  );
});

test('a new version gets the first number that is free', () => {
  const root = world();
  expect(freeName(root, 'mnist-resnet8')).toBe('mnist-resnet8-2');
  expect(freeName(root, 'mnist-resnet20')).toBe('mnist-resnet20-1');
});

test('the table shows networks, epochs and accuracies within 80 columns', () => {
  expect(versionsTable(listVersions(world()))).toBe(`\
                    network  role      epochs  val %  test %  date
versions, mnist
  mnist-resnet8-1   resnet8  teacher      4/4   87.4    86.9  2026-03-01
  unfinished        resnet8  teacher      2/4   87.4       –  2026-03-01
study/…, mnist
  teacher#1         resnet8  teacher      4/4   87.4    86.9  2026-03-01
  small/baseline#1  resnet8  baseline     0/4      –       –  2026-03-02
  small/baseline#2  resnet8  baseline     0/4      –  Failed  –
`);
});

test('a Run is read as it was written, and a damaged file names itself', () => {
  const folder = temporaryFolder();
  const run = runOf({ phase: 'Succeeded', result });
  writeRun(folder, run);
  expect(readRun(folder)).toEqual(run);
  writeFileSync(join(folder, 'run.json'), '{"kind": "Run"');
  expect(() => readRun(folder)).toThrow(`${join(folder, 'run.json')} is not a Run`);
  writeFileSync(join(folder, 'run.json'), '{"kind": "Run"}');
  expect(() => readRun(folder)).toThrow('Delete the folder to have it trained again.');
  mkdirSync(join(folder, 'empty'));
  expect(readRun(join(folder, 'empty'))).toBeUndefined();
});
