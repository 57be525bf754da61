import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Assignment, assignment } from '@destillml/core/protocol/assignment.ts';
import type { Report } from '@destillml/core/protocol/report.ts';
import { termination } from '@destillml/core/protocol/report.ts';
import { explanations } from '@destillml/core/results/explanations.ts';
import { explainRun } from '@destillml/trainer/explain/explain-run.ts';
import { tf } from '@destillml/trainer/tensorflow/tf.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixturePath } from '../onnx-teacher/fixture.ts';
import { deps, smallRun, temporaryFolder, trainSmall } from '../training/run.ts';

const methods = ['gradCam', 'lime', 'shap'];
const learningRate = 'training.optimizer.learningRate';
/** Of the Experiment: what its Runs share. */
let folder: string;
let explanation: Assignment;

/** A teacher, a baseline and a distilled student of an Experiment, each in its folder. */
beforeAll(async () => {
  folder = temporaryFolder();
  const { parameters } = smallRun({ artifacts: 'unused' });
  const { dataset, training } = parameters;
  const spec = {
    dataset,
    training,
    teacher: { model: 'resnet8' },
    students: [{ name: 'small', model: 'resnet8' }],
    distillation: [{ name: 'soft', softTargets: {} }],
    sweep: {
      for: 'students',
      algorithm: { asha: { minEpochs: 1, eta: 2 } },
      maxRuns: 2,
      parameters: [{ name: learningRate, double: { min: 0.01, max: 1, scale: 'log' } }],
    },
    explain: { methods, images: 3 },
  };
  const teacherArtifacts = join(folder, 'teacher');
  const student = { student: 'small', seed: 4 };
  const trained = [
    { name: 'teacher', parameters: {}, rest: {} },
    { name: 'baseline', parameters: { ...student, role: 'baseline' }, rest: {} },
    {
      name: 'distilled',
      parameters: {
        ...student,
        role: 'distilled',
        arm: 'soft',
        teacherRun: 'teacher',
        objective: { softTargets: {} },
      },
      rest: { teacherArtifacts },
    },
  ];
  for (const { name, parameters, rest } of trained) {
    const artifacts = join(folder, name);
    const run = smallRun({ artifacts, parameters, training: { epochs: 1 }, rest: { name, ...rest } });
    expect((await trainSmall(run)).outcome).toMatchObject({ outcome: 'succeeded' });
  }
  const tried = (number: number, rest: object) => {
    const trial = { study: 'small.baseline', number, values: { [learningRate]: number / 10 }, summary: '' };
    const artifacts = join(folder, `trial-${number}`);
    const parameters = { ...student, role: 'baseline', stage: 'search' };
    const training = { epochs: 2, optimizer: { learningRate: number / 10 } };
    return smallRun({ artifacts, parameters, training, rest: { name: `trial-${number}`, trial, ...rest } });
  };
  expect((await trainSmall(tried(1, { untilEpoch: 1 }))).outcome).toMatchObject({ outcome: 'paused' });
  expect((await trainSmall(tried(2, {}))).outcome).toMatchObject({ outcome: 'succeeded' });
  explanation = assignment.parse({
    name: 'explanation',
    experiment: 'test',
    artifacts: join(folder, 'explanation'),
    teacherArtifacts,
    data: temporaryFolder(),
    spec,
    parameters: {
      role: 'explanation',
      stage: 'explanation',
      model: 'resnet8',
      seed: 1,
      dataset,
      training,
      teacherRun: 'teacher',
      explanation: { methods, images: 3, networks: ['baseline', 'distilled'] },
    },
  });
});

describe('an explanation Run', () => {
  it('leaves figures, maps, numbers and the report, and says what it found; a second one finds it done', async () => {
    const reports: Report[] = [];
    let saved = 0;
    const given = deps(explanation, {
      report: (report) => reports.push(report),
      saved: () => saved++,
    });
    const tensors = tf.memory().numTensors;
    const outcome = await explainRun(explanation, given);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(saved).toBe(1);

    const own = explanation.artifacts;
    expect(readdirSync(join(own, 'figures'))).toEqual(['000.png', '001.png', '002.png']);
    expect(readdirSync(join(own, 'maps')).sort()).toEqual(['small%2Fbaseline', 'small%2Fsoft', 'teacher']);
    const document = explanations.parse(JSON.parse(readFileSync(join(own, 'explanations.json'), 'utf8')));
    expect(document.networks.map(({ name }) => name)).toEqual(['teacher', 'small/baseline', 'small/soft']);
    expect(Object.keys(document.sanity)).toEqual(['gradCam', 'lime', 'expectedGradients', 'kernelShap']);
    const report = readFileSync(join(own, 'report.html'), 'utf8');
    expect(report.match(/<img src="data:image\/png/g)).toHaveLength(3);
    expect(report).toContain('Sanity check');
    // Of the search it knows what its Runs have left: one at its end, one at its rung.
    expect(report).toContain('2 of 2 trials came to epoch 1, 1 to epoch 2.');
    expect(report).toMatch(/1 Paused, 1 Succeeded|1 Succeeded, 1 Paused/);

    expect(termination.parse(outcome)).toEqual(outcome);
    const { maps, images, artifacts } = outcome.explanation;
    expect({ images, artifacts }).toEqual({ images: 3, artifacts: own });
    expect(maps.map(({ map }) => map)).toEqual(['gradCam', 'lime', 'expectedGradients', 'kernelShap']);
    for (const { map, agreement, insertion, sane } of maps) {
      const [, baseline, distilled] = document.networks;
      expect(agreement).toEqual([
        1,
        Number(baseline?.agreement[map]?.spearman.mean.toFixed(3)),
        Number(distilled?.agreement[map]?.spearman.mean.toFixed(3)),
      ]);
      expect(insertion).toHaveLength(3);
      expect(sane).toBe(document.sanity[map]?.passes);
    }

    const notes = reports.flatMap((report) => (report.kind === 'note' ? [report.message] : []));
    expect(notes).toEqual([
      'teacher is explained, 1 of 4',
      'small/baseline is explained, 2 of 4',
      'small/soft is explained, 3 of 4',
      'teacher, random weights is explained, 4 of 4',
    ]);
    const last = reports.findLast((report) => report.kind === 'progress');
    expect(last).toMatchObject({ progress: { epoch: 0, epochs: 1, step: 57, steps: 57, etaSeconds: 0 } });

    const load = () => Promise.reject(new Error('it is done'));
    expect(await explainRun(explanation, { ...given, load })).toEqual(outcome);
  });

  it('that has its figures and no report yet writes that alone', async () => {
    const own = explanation.artifacts;
    rmSync(join(own, 'report.html'));
    const load = () => Promise.reject(new Error('it is explained'));
    expect(await explainRun(explanation, deps(explanation, { load }))).toMatchObject({
      outcome: 'explained',
    });
    expect(readFileSync(join(own, 'report.html'), 'utf8')).toContain('Sanity check');
  });

  it('that is damaged is put aside, and made again', async () => {
    const path = join(explanation.artifacts, 'explanations.json');
    const before = JSON.parse(readFileSync(path, 'utf8'));
    truncateSync(path, 300);
    const notes: string[] = [];
    const report = (report: Report) => void (report.kind === 'note' && notes.push(report.message));
    await explainRun(explanation, deps(explanation, { report }));
    expect(notes[0]).toBe(
      `${path} is damaged: it is not an explanation. It is put aside as ${path}.damaged.`,
    );
    expect({ ...JSON.parse(readFileSync(path, 'utf8')), seconds: 0 }).toEqual({ ...before, seconds: 0 });
  });

  it('of an ONNX teacher without stages: all but Grad-CAM, which says what it needs', async () => {
    const { teacherRun: _run, ...parameters } = explanation.parameters;
    const { teacherArtifacts: _artifacts, ...rest } = explanation;
    const asked = (name: string, methods: readonly string[]) =>
      assignment.parse({
        ...rest,
        artifacts: join(folder, name),
        parameters: {
          ...parameters,
          teacherOnnx: { file: { path: 'big.onnx' } },
          explanation: { methods, images: 1, networks: ['baseline'] },
        },
      });
    // Its stages by another name, and so not stages.
    const path = join(folder, 'big.onnx');
    const renamed = readFileSync(fixturePath('traced'), 'latin1').replaceAll('stage', 'place');
    writeFileSync(path, renamed, 'latin1');
    const teacherFile = async () => ({ path, source: 'big.onnx' });
    const refused = asked('with-grad-cam', ['gradCam']);
    await expect(explainRun(refused, deps(refused, { teacherFile }))).rejects.toThrow(
      'Grad-CAM looks at a stage of the teacher: name one in spec.teacher.from.onnx.features, or leave gradCam out of spec.explain.methods.',
    );
    const run = asked('without', ['lime']);
    const { explanation: found } = await explainRun(run, deps(run, { teacherFile }));
    expect(found.maps).toMatchObject([{ map: 'lime', agreement: [1, expect.any(Number)] }]);
    // The file cannot be built with other weights.
    expect(found.maps[0]).not.toHaveProperty('sane');
  });

  it('refuses a teacher of images of another size', async () => {
    const again = { ...explanation, artifacts: join(folder, 'other-size') };
    const { dataset } = explanation.parameters;
    const parameters = { ...explanation.parameters, dataset: { ...dataset, imageSize: 20 } };
    const run = { ...again, parameters };
    await expect(explainRun(run, deps(run))).rejects.toMatchObject({ code: 'CheckpointUnusable' });
  });

  it('ends when it is told to, and leaves nothing that looks finished', async () => {
    const again = { ...explanation, artifacts: join(folder, 'stopped') };
    const stop = new AbortController();
    const report = (report: Report) => {
      if (report.kind === 'note') stop.abort();
    };
    const given = deps(again, { report, signal: stop.signal });
    await expect(explainRun(again, given)).rejects.toThrow(/aborted/);
    expect(readdirSync(again.artifacts)).toEqual(['assignment.json']);
  });

  it('names the network that is not there', async () => {
    const again = { ...explanation, artifacts: join(folder, 'missing') };
    rmSync(join(folder, 'baseline/checkpoints'), { recursive: true });
    await expect(explainRun(again, deps(again))).rejects.toThrow(
      `${folder}/baseline/checkpoints/best.safetensors does not exist`,
    );
  });
});
