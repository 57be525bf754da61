import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { results } from '../../src/results/document.ts';
import { fixturePath } from '../trainer-image/onnx-teacher/fixture.ts';
import { destill, destillProcess } from './destill.ts';
import { finished, write } from './finished.ts';
import { temporaryFolder } from './temporary.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

const seconds = 1000;

/** A folder with an Experiment on a few hundred real MNIST images. */
function laboratory({ arms = '', epochs = 3 } = {}): string {
  const folder = temporaryFolder();
  writeTinyMnist(join(folder, 'mnist'), 300, 100);
  writeSpec(folder, { arms, epochs });
  return folder;
}

function writeSpec(
  folder: string,
  { arms = '', epochs = 3, extra = '', teacher = '{model: resnet8}' } = {},
): void {
  const text = `
apiVersion: destillml.io/v1alpha1
kind: Experiment
metadata: {name: tiny}
spec:
  dataset: {name: mnist, source: {directory: {path: mnist}}, imageSize: 16, validation: 60}
  teacher: ${teacher}
  students: [{name: small, model: resnet8}]
  distillation:
    - {name: soft, softTargets: {}}
    ${arms}
  training: {epochs: ${epochs}, batchSize: 20, optimizer: {learningRate: 0.05}, schedule: {warmupEpochs: 1}}
  ${extra}
`;
  writeFileSync(join(folder, 'tiny.yaml'), text);
}

const runCommand = ['run', 'tiny.yaml'];

/** What the Runs came to, and the bytes of their weights. */
function outcome(folder: string) {
  const runs = join(folder, 'destill-runs/tiny/runs');
  const document = results.parse(
    JSON.parse(readFileSync(join(folder, 'destill-runs/tiny/results.json'), 'utf8')),
  );
  const trained = readdirSync(runs).filter((name) => !name.includes('explanation'));
  return {
    table: document.rows.map(({ technique, testAccuracy, validationAccuracy, gain, gapClosed }) => ({
      technique,
      testAccuracy,
      validationAccuracy,
      gain,
      gapClosed,
    })),
    weights: trained.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(runs, name, 'checkpoints/best.safetensors')))
        .digest('hex'),
    ]),
  };
}

function fileOf(folder: string, role: string, file: string) {
  const runs = join(folder, 'destill-runs/tiny/runs');
  const name = readdirSync(runs).find((run) => run.includes(role)) ?? '';
  return JSON.parse(readFileSync(join(runs, name, file), 'utf8'));
}

function statusOf(folder: string, role: string) {
  return fileOf(folder, role, 'run.json').status;
}

describe('destill run of an Experiment with spec.explain', () => {
  test(
    'explains the networks in the end: a table, numbers in results.json, figures in the report',
    async () => {
      const folder = laboratory({ epochs: 1 });
      writeSpec(folder, { epochs: 1, extra: 'explain: {methods: [gradCam, lime], images: 2}' });
      const { code, stdout, stderr } = await destillProcess(folder, runCommand);
      expect(code, stderr).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines.slice(-4)).toEqual([
        expect.stringMatching(/^ +Grad-CAM +LIME$/),
        'Rank correlation of the maps with those of the teacher:',
        // The same network, seed and recipe as the teacher.
        expect.stringMatching(/^ {2}small\/baseline +1\.00 +1\.00$/),
        expect.stringMatching(/^ {2}small\/soft +−?[01]\.\d\d +−?[01]\.\d\d$/),
      ]);
      expect(stderr).toMatch(/^explanation +started: 2 images of mnist by 3 networks$/m);
      expect(stderr).toMatch(/^explanation: small\/soft is explained, 3 of 4$/m);
      expect(stderr).toMatch(/^explanation +succeeded: 2 images explained, \d+ s$/m);

      const study = join(folder, 'destill-runs/tiny');
      const document = results.parse(JSON.parse(readFileSync(join(study, 'results.json'), 'utf8')));
      expect(document.explanations).toHaveLength(6);
      const report = readFileSync(join(study, 'report.html'), 'utf8');
      expect(report.match(/<img src="data:image\/png/g)).toHaveLength(2);
      expect(await destill('results', study)).toMatchObject({ code: 0, stdout });
    },
    120 * seconds,
  );
});

describe('destill run, where everything is trained', () => {
  test('prints the table and succeeds, even if the report cannot be written: it says why, and what to do', async () => {
    const folder = join(temporaryFolder(), 'study');
    finished(folder);
    const again = () => destill('run', join(folder, 'experiment.yaml'), '--output', folder, '--plain');
    write(join(folder, 'explanations/explanations.json'), { images: [] });
    const damaged = await again();
    expect(damaged.code, damaged.stderr).toBe(0);
    expect(damaged.stdout).toMatch(/^resnet8 +soft .* 84\.5 ± 2\.1 %/m);
    const said = damaged.stderr.replaceAll(/\s+/g, ' ');
    expect(said).toContain(`results: ${folder}/results.json the report was not written: ${folder}/`);
    expect(said).toContain('explanations.json is not as DestillML writes it: classes');
    expect(said).toContain(`when that is mended: destill report ${folder}`);
    expect(said).not.toContain(`report: ${folder}/report.html`);
    expect(existsSync(join(folder, 'report.html'))).toBe(false);

    // Nor a path that cannot be written to.
    rmSync(join(folder, 'explanations'), { recursive: true });
    mkdirSync(join(folder, 'report.html'));
    const blocked = await again();
    expect(blocked).toMatchObject({ code: 0, stdout: damaged.stdout });
    expect(blocked.stderr.replaceAll(/\s+/g, ' ')).toContain('the report was not written: EISDIR');

    rmdirSync(join(folder, 'report.html'));
    const mended = await again();
    expect(mended).toMatchObject({ code: 0, stdout: damaged.stdout });
    expect(mended.stderr).toContain(`report: ${folder}/report.html\n`);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('<h1>study</h1>');
  });
});

describe('destill run, with real trainers on real images', () => {
  test(
    'stopped by Ctrl-C, then killed, it goes on to the results of an uninterrupted run',
    async () => {
      const whole = laboratory();
      const done = await destillProcess(whole, runCommand);
      expect(done.stderr).toContain('small/soft                  epoch 3/3');
      expect(done.code).toBe(0);
      expect(done.stdout).toMatch(/^resnet8 +soft +0\.08 M/m);
      expect(done.stderr).toMatch(
        /^results: destill-runs\/tiny\/results\.json\nreport: destill-runs\/tiny\/report\.html\n$/m,
      );
      expect(readFileSync(join(whole, 'destill-runs/tiny/report.html'), 'utf8')).toContain('<h1>tiny</h1>');

      const broken = laboratory();
      let signalled = false;
      const stopped = await destillProcess(broken, runCommand, (stderr, child) => {
        if (signalled || !stderr.includes('epoch 1/3')) return;
        signalled = true;
        child.kill('SIGINT');
      });
      expect(stopped).toMatchObject({ code: 130, stdout: '' });
      expect(stopped.stderr).toContain('stopping: the trainer writes its checkpoint');
      expect(stopped.stderr).toMatch(/stopped; run the same command to go on\n$/);
      expect(statusOf(broken, 'teacher')).toMatchObject({ phase: 'Waiting', attempts: 1 });

      const killed = await destillProcess(broken, runCommand, (stderr, child) => {
        if (stderr.includes('small/baseline              epoch 1/3')) child.kill('SIGKILL');
      });
      expect(killed.code).toBeNull();
      expect(killed.stderr).toMatch(/^teacher +started: .* 3 epochs, 1 done$/m);

      const gone = await destillProcess(broken, runCommand);
      expect(gone.code).toBe(0);
      expect(outcome(broken)).toEqual(outcome(whole));
      expect(statusOf(broken, 'teacher')).toMatchObject({ phase: 'Succeeded', attempts: 2 });
      expect(gone.stderr).not.toMatch(/^teacher/m);
    },
    300 * seconds,
  );

  test(
    'a teacher in an ONNX file distils by soft targets and by attention to named features',
    async () => {
      const folder = laboratory({ epochs: 1 });
      const normalisation = '{mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25]}';
      const onnx = `file: {path: big.onnx}, features: [stage1, /project/Conv_output_0], normalisation: ${normalisation}`;
      const arms = '- {name: attention, attentionTransfer: {}, softTargets: {}}';
      const extra = 'explain: {methods: [gradCam, shap], images: 2}';
      writeSpec(folder, { epochs: 1, teacher: `{from: {onnx: {${onnx}}}}`, arms, extra });
      const before = await destillProcess(folder, runCommand);
      expect(before.code).toBe(1);
      expect(before.stderr).toContain('spec.teacher.from.onnx.file.path: big.onnx does not exist.');

      copyFileSync(fixturePath('traced'), join(folder, 'big.onnx'));
      const done = await destillProcess(folder, runCommand);
      expect(done, done.stderr).toMatchObject({ code: 0 });
      const { table } = outcome(folder);
      expect(table.map(({ technique, gain, gapClosed }) => [technique, gain?.mean, gapClosed])).toEqual([
        ['baseline', undefined, undefined],
        ['soft', expect.any(Number), undefined],
        ['attention', expect.any(Number), undefined],
      ]);
      expect(statusOf(folder, 'attention')).toMatchObject({ phase: 'Succeeded' });
      expect(done.stderr).toMatch(/^explanation: teacher is explained, 1 of 4$/m);
      expect(done.stdout).toContain('Rank correlation of the maps with those of the teacher:');
      const report = readFileSync(join(folder, 'destill-runs/tiny/report.html'), 'utf8');
      expect(report).toContain('the file big.onnx');
      const again = await destillProcess(folder, ['report', 'tiny']);
      expect(again).toMatchObject({ code: 0, stdout: 'destill-runs/tiny/report.html\n' });
    },
    300 * seconds,
  );

  test(
    'Runs that train at the same time share the processors; more arms in the file are trained; a change of the training is refused',
    async () => {
      const folder = laboratory({ epochs: 1 });
      expect((await destillProcess(folder, [...runCommand, '--parallelism', '2'])).code).toBe(0);
      const share = String(Math.max(1, Math.floor(availableParallelism() / 2)));
      expect(fileOf(folder, 'teacher', 'result.json').environment.threads).toBe(share);

      writeSpec(folder, { epochs: 1, arms: '- {name: similar, similarityPreserving: {}}' });
      const more = await destillProcess(folder, runCommand);
      expect(more.code).toBe(0);
      expect(more.stderr.match(/started/g)).toHaveLength(1);
      expect(more.stdout).toMatch(/^resnet8 +similar +0\.08 M/m);

      writeSpec(folder, { epochs: 2 });
      const refused = await destillProcess(folder, runCommand);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(
        'tiny.yaml is not the Experiment that destill-runs/tiny was begun with:',
      );
      expect(refused.stderr).toContain('spec.training');
      expect(refused.stderr).toContain('Choose another metadata.name or --output, or take the change back.');
      expect(refused.stderr).not.toContain('    at ');
    },
    300 * seconds,
  );

  test(
    'a Run that cannot succeed is Failed at once with its reason, and trained again when asked',
    async () => {
      const folder = laboratory({ epochs: 1 });
      const labels = join(folder, 'mnist/train-labels-idx1-ubyte');
      const whole = readFileSync(labels);
      writeFileSync(labels, whole.subarray(0, 100));
      const failed = await destillProcess(folder, runCommand);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/teacher: Failed: DatasetCorrupt: .*train-labels-idx1-ubyte: truncated/s);
      expect(failed.stderr).toContain('Experiment tiny is not complete');
      expect(statusOf(folder, 'teacher')).toMatchObject({
        phase: 'Failed',
        reason: 'DatasetCorrupt',
        attempts: 1,
      });
      expect(statusOf(folder, 'distilled')).toMatchObject({ phase: 'Skipped', reason: 'TeacherFailed' });

      writeFileSync(labels, whole);
      const again = await destillProcess(folder, [...runCommand, '--retry-failed']);
      expect(again.code).toBe(0);
      expect(statusOf(folder, 'distilled')).toMatchObject({ phase: 'Succeeded' });
    },
    300 * seconds,
  );
});
