import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { writeExperiment } from '../../cli/store/experiment-folder.ts';
import { takeLock } from '../../cli/store/lock.ts';
import { writeRun } from '../../cli/store/run-folder.ts';
import { versionFolder } from '../../cli/store/versions.ts';
import { destill } from './destill.ts';
import { progress, result, runOf } from './made-runs.ts';
import { temporaryFolder } from './temporary.ts';

let root = '';
let runs = '';

beforeEach(() => {
  root = temporaryFolder();
  runs = join(root, 'runs');
  writeRun(versionFolder(runs, 'done'), runOf({ phase: 'Succeeded', result, progress }, {}, 'done'));
  writeRun(versionFolder(runs, 'begun'), runOf({ phase: 'Waiting', progress }, {}, 'begun'));
  writeRun(versionFolder(runs, 'untouched'), runOf({}, {}, 'untouched'));
  writeExperiment(join(runs, 'study'), '');
  writeRun(join(runs, 'study', 'runs', 'x'), runOf({ phase: 'Succeeded', result, progress }, {}, 'x'));
});

function file(name: string, text: string): string {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
}

const experiment = `
apiVersion: destillml.io/v1alpha1
kind: Experiment
metadata: {name: study}
spec:
  dataset: {name: mnist}
  teacher: {model: resnet14}
  students: [{name: small, model: resnet8}]
`;

/** Commands that must not train, the exit code and what is said. */
async function expectRefusal(
  args: readonly string[],
  code: number,
  ...said: readonly string[]
): Promise<void> {
  const ended = await destill(...args);
  expect(ended).toMatchObject({ code, stdout: '' });
  const oneLine = ended.stderr.replaceAll(/\s+/g, ' ');
  for (const text of said) expect(oneLine).toContain(text);
  expect(ended.stderr).not.toMatch(/^ +at /m);
}

describe('a command line that is wrong', () => {
  test.each([
    [['rum'], "unknown command 'rum' (Did you mean run?)"],
    [['run'], "missing required argument 'file' See destill run --help."],
    [['run', 'a.yaml', '--paralelism', '2'], "unknown option '--paralelism' (Did you mean --parallelism?)"],
    [['run', 'a.yaml', '--parallelism', '0'], 'A whole number from 1 on is expected.'],
    [['run', 'a.yaml', 'b.yaml'], 'too many arguments'],
    [['train', '--epochs', 'many'], "argument 'many' is invalid. It is not a number."],
    [
      ['distill', '--teacher', 'x', '--student', 'resnet8'],
      "required option '--technique <name[=weight]>' not specified",
    ],
    [
      ['distill', '--teacher', 'done', '--student', 'resnet8', '--technique', 'soft-target'],
      'Did you mean soft-targets?',
    ],
    [
      ['distill', '--technique', 'dreams'],
      'Known are soft-targets, similarity-preserving, attention-transfer, hints.',
    ],
    [['distill', '--technique', 'hints', '--technique', 'hints=2'], 'hints is given twice.'],
    [['distill', '--technique', 'hints=much'], 'It is not a number.'],
    [['evaluate', 'done', '--split', 'train'], 'Allowed choices are test, validation.'],
    [['versions', 'all'], 'too many arguments'],
    [['results'], "missing required argument 'path'"],
    [['validate'], "missing required argument 'file'"],
    [['dataset'], "missing required argument 'name'"],
  ])('%j is refused with exit code 2', async (args, said) => {
    await expectRefusal(args, 2, said);
  });
});

describe('an Experiment file', () => {
  test.each([
    ['', 'is empty: an Experiment is expected.'],
    ['a: [1', 'is not valid YAML'],
    ['a: 1\na: 2', 'is not valid YAML: Map keys must be unique'],
    [`${experiment}---${experiment}`, 'holds 2 documents. Put every Experiment into a file of its own.'],
    ['just text', 'is not a valid Experiment'],
  ])('with %j is refused', async (text, said) => {
    const path = file('spec.yaml', text);
    await expectRefusal(['validate', path], 2, `${path}`, said);
    await expectRefusal(['run', path], 2, `${path}`, said);
  });

  test('with several mistakes has all of them listed', async () => {
    const path = file('spec.yaml', experiment.replace('resnet14', 'resnet15').replace('resnet8', 'resnet9'));
    await expectRefusal(
      ['validate', path],
      2,
      'spec.teacher.model: resnet15 is not allowed;',
      'spec.students[0].model: resnet9 is not allowed;',
    );
  });

  test('that does not exist or is a folder is named', async () => {
    await expectRefusal(['run', join(root, 'no.yaml')], 2, 'no.yaml cannot be read: there is no such file.');
    await expectRefusal(['validate', root], 2, 'cannot be read: it is a folder.');
  });

  test('without mistakes is valid', async () => {
    const path = file('spec.yaml', experiment);
    expect(await destill('validate', path)).toEqual({
      code: 0,
      stdout: `${path} is valid: Experiment study, 2 Runs\n`,
      stderr: '',
    });
  });
});

describe('destill run', () => {
  test('refuses a folder in which another one works', async () => {
    const giveBack = takeLock(join(runs, 'locked'));
    const path = file('spec.yaml', experiment);
    const said = `process ${process.pid} works in this folder.`;
    await expectRefusal(['run', path, '--output', join(runs, 'locked')], 1, said);
    giveBack();
  });

  test('refuses a folder of another Experiment', async () => {
    writeExperiment(join(runs, 'other'), experiment.replace('name: study', 'name: other'));
    const path = file('spec.yaml', experiment);
    await expectRefusal(
      ['run', path, '--output', join(runs, 'other')],
      2,
      'metadata.name: it was other, now study',
      'Choose another metadata.name or --output',
    );
  });

  test('refuses a teacher that is not there or not trained to the end', async () => {
    const from = (teacher: string) =>
      file('spec.yaml', experiment.replace('{model: resnet14}', `{from: ${teacher}}`));
    const output = ['--output', join(runs, 'new')];
    await expectRefusal(['run', from('{run: nobody}'), ...output], 1, 'there is no teacher of Run nobody in');
    await expectRefusal(
      ['run', from('{run: begun}'), ...output],
      1,
      'Run begun',
      'not been trained to the end',
    );
    await expectRefusal(
      ['run', from('{experiment: nothing}'), ...output],
      1,
      'there is no teacher of Experiment nothing',
    );
  });
});

describe('destill train', () => {
  const train = (...args: readonly string[]) => ['train', '--runs', runs, ...args];
  const mnist = ['--dataset', 'mnist', '--model', 'resnet8'];
  test.each<[string[], ...string[]]>([
    [[], 'Which network on which images? Give --dataset and --model, or --continue VERSION.'],
    [
      ['--dataset', 'minst', '--model', 'resnet8'],
      '--dataset: minst is not allowed;',
      'one of cifar10, cifar100, mnist,',
    ],
    [['--dataset', 'mnist', '--model', 'resnet9'], '--model: resnet9 is not allowed;'],
    [[...mnist, '--epochs', '-3'], '--epochs: -3 is not allowed; a whole number from 1 to 10000'],
    [[...mnist, '--fraction', '2'], '--fraction: 2 is not allowed;'],
    [
      [...mnist, '--learning-rate', '0', '--momentum', '1'],
      '--learning-rate: 0 is not',
      '--momentum: 1 is not',
    ],
    [[...mnist, '--source', '/nowhere'], '--source: /nowhere does not exist: a folder, or an address'],
    [
      [...mnist, '--source', 'https://x.org/m.tar'],
      '--sha256: missing; the checksum of what --source downloads.',
    ],
    [[...mnist, '--source', 'https://x.org/m.tar', '--sha256', 'abc'], '--sha256: abc is not allowed;'],
    [['--dataset', 'cifar10', '--model', 'resnet8'], '--source:', 'packaged (the default) is for mnist'],
    [[...mnist, '--name', 'Not a name'], '--name: Not a name is not allowed; lower-case letters'],
    [
      [...mnist, '--name', 'done'],
      '--name: there is a version done already.',
      'destill train --continue done',
    ],
    [[...mnist, '--from', '/nowhere.yaml'], '/nowhere.yaml cannot be read: there is no such file.'],
    [['--continue', 'dome'], 'There is no version dome in', 'Did you mean done?'],
    [
      ['--continue', 'done'],
      'done has been trained for all of its 4 epochs. Give --epochs with a number above 4.',
    ],
    [
      ['--continue', 'begun', '--epochs', '3'],
      'begun is at epoch 2 of 4. Give --epochs with a number above 4.',
    ],
    [
      ['--continue', 'done', '--batch-size', '3'],
      '--batch-size: not with --continue; a version goes on as it began.',
    ],
    [
      ['--continue', 'study/teacher'],
      'study/teacher belongs to an Experiment: "destill run" goes on with it.',
    ],
  ])('%j is refused', async (args, ...said) => {
    await expectRefusal(train(...args), 2, ...said);
  });

  test('a file without dataset and training is refused', async () => {
    const path = file('recipe.yaml', 'epochs: 3');
    await expectRefusal(train(...mnist, '--from', path), 2, `${path} has neither dataset nor training`);
  });
});

describe('destill distill', () => {
  const distill = (...args: readonly string[]) => [
    'distill',
    '--runs',
    runs,
    '--student',
    'resnet8',
    ...args,
  ];
  test.each([
    [2, ['--teacher', 'nobody', '--technique', 'hints'], 'There is no version nobody in'],
    [1, ['--teacher', 'begun', '--technique', 'hints'], 'begun has not been trained to the end yet.'],
    [
      2,
      ['--teacher', 'big.onnx', '--technique', 'hints'],
      '--from: missing; big.onnx does not say on which images to distil.',
    ],
    [
      1,
      ['--teacher', 'big.onnx', '--from', 'study.yaml', '--technique', 'hints'],
      '--teacher: big.onnx does not exist.',
    ],
    [
      2,
      ['--teacher', 'done', '--teacher-feature', 'stage1', '--technique', 'hints'],
      '--teacher-feature: only with a --teacher that ends in .onnx.',
    ],
    [2, ['--teacher', 'done', '--technique', 'hints=-1'], '--technique hints: -1 is not allowed;'],
    [
      2,
      ['--teacher', 'done', '--technique', 'soft-targets=2'],
      '--technique soft-targets: 2 is not allowed;',
    ],
    [
      2,
      ['--teacher', 'done', '--technique', 'soft-targets', '--temperature', '0'],
      '--temperature: 0 is not allowed;',
    ],
    [
      2,
      ['--teacher', 'done', '--technique', 'hints', '--temperature', '4'],
      '--temperature: only with --technique soft-targets.',
    ],
    [
      2,
      ['--teacher', 'done', '--technique', 'soft-targets', '--hint-stage', '1'],
      '--hint-stage: only with --technique hints.',
    ],
    [
      2,
      ['--teacher', 'done', '--student', 'tiny', '--technique', 'hints'],
      '--student: tiny is not allowed;',
    ],
  ])('exit code %i for %j', async (code, args, said) => {
    await expectRefusal(distill(...args), code, said);
  });

  test('a recipe that does not say which images is refused', async () => {
    const [teacher, recipe] = [file('big.onnx', ''), file('recipe.yaml', 'training: {epochs: 3}')];
    const args = distill('--teacher', teacher, '--from', recipe, '--technique', 'soft-targets');
    await expectRefusal(args, 2, '--from: missing');
  });
});

describe('looking at what is there', () => {
  test('a version that was not trained cannot be evaluated', async () => {
    await expectRefusal(
      ['evaluate', '--runs', runs, 'untouched'],
      2,
      'untouched has not been trained for an epoch yet.',
    );
    await expectRefusal(['evaluate', '--runs', runs, 'nobody'], 2, '"destill versions" lists them.');
  });

  test('without versions there is a hint instead of an empty table', async () => {
    const { code, stdout } = await destill('versions', '--runs', join(root, 'empty'));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `nothing in ${join(root, 'empty')} yet: "destill train" and "destill run" train networks\n`,
    });
  });

  test('results that are missing or something else are named', async () => {
    await expectRefusal(['results', root], 2, 'results.json does not exist. "destill run" writes it');
    const path = file('results.json', '{"kind": "Nothing"}');
    await expectRefusal(['results', path], 2, `${path} is not a results.json of DestillML: kind:`);
    await expectRefusal(['results', file('results.json', '{')], 2, 'is not JSON');
  });

  test('a data set that is unknown, elsewhere or empty is refused', async () => {
    mkdirSync(join(root, 'void'));
    await expectRefusal(['dataset', 'minst'], 2, 'name: minst is not allowed;');
    await expectRefusal(['dataset', 'cifar10'], 2, '--source:');
    await expectRefusal(['dataset', 'mnist', '--source', join(root, 'void')], 1, 'void');
    await expectRefusal(
      ['dataset', 'mnist', '--validation', '60000'],
      2,
      'dataset.validation: 60000 of 60000',
    );
  });
});
