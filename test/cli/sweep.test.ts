import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Run, run as runSchema } from '../../src/api/run.ts';
import { results } from '../../src/results/document.ts';
import { destill, destillProcess } from './destill.ts';
import { temporaryFolder } from './temporary.ts';
import { writeTinyMnist } from './tiny-mnist.ts';

const seconds = 1000;
const runCommand = ['run', 'tiny.yaml'];

/** A search of six trials on a few hundred real MNIST images, one after the other. */
function laboratory(): string {
  const folder = temporaryFolder();
  writeTinyMnist(join(folder, 'mnist'), 200, 100);
  writeFileSync(
    join(folder, 'tiny.yaml'),
    `
apiVersion: destillml.io/v1alpha1
kind: Experiment
metadata: {name: tiny}
spec:
  dataset: {name: mnist, source: {directory: {path: mnist}}, imageSize: 16, validation: 60}
  teacher: {model: resnet8}
  students: [{name: small, model: resnet8}]
  training: {epochs: 4, batchSize: 20, schedule: {warmupEpochs: 1}}
  seeds: [1, 2]
  sweep:
    for: students
    algorithm: {asha: {minEpochs: 1, eta: 2, sampler: random}}
    maxRuns: 6
    parameters: [{name: training.optimizer.learningRate, double: {min: 0.005, max: 0.5, scale: log}}]
`,
  );
  return folder;
}

function runsOf(folder: string): readonly Run[] {
  const runs = join(folder, 'destill-runs/tiny/runs');
  if (!existsSync(runs)) return [];
  return readdirSync(runs).map((name) =>
    runSchema.parse(JSON.parse(readFileSync(join(runs, name, 'run.json'), 'utf8'))),
  );
}

const trialsOf = (folder: string) => runsOf(folder).filter(({ spec }) => spec.trial !== undefined);

/** What each Run tried and came to, and the bytes of its weights. */
function outcome(folder: string) {
  return runsOf(folder).map(({ metadata: { name }, spec, status }) => {
    const best = join(folder, 'destill-runs/tiny/runs', name, 'checkpoints/best.safetensors');
    return {
      name,
      trial: spec.trial,
      untilEpoch: spec.untilEpoch,
      phase: status?.phase,
      rungs: status?.rungs,
      testAccuracy: status?.result?.testAccuracy,
      weights: createHash('sha256').update(readFileSync(best)).digest('hex'),
    };
  });
}

describe('destill run of a sweep', () => {
  test(
    'searches, pauses and promotes, confirms with every seed; killed and started again it comes to the same, bit for bit',
    async () => {
      const undisturbed = laboratory();
      const whole = await destillProcess(undisturbed, runCommand);
      expect(whole.code, whole.stderr).toBe(0);
      const trials = trialsOf(undisturbed);
      expect(trials).toHaveLength(6);
      expect(trials.filter(({ status }) => status?.rungs?.length === 2)).not.toEqual([]);
      expect(trials.filter(({ status }) => status?.phase === 'Succeeded')).not.toEqual([]);
      // Seed 1 chose; seed 2 confirms.
      const confirmed = runsOf(undisturbed).filter(
        ({ spec }) => spec.parameters.stage === 'main' && spec.parameters.role === 'baseline',
      );
      expect(confirmed.map(({ spec }) => spec.parameters.seed)).toEqual([2]);
      const document = results.parse(
        JSON.parse(readFileSync(join(undisturbed, 'destill-runs/tiny/results.json'), 'utf8')),
      );
      const row = document.rows.find(({ technique }) => technique === 'baseline');
      expect(row?.runs).toEqual({ wanted: 2, succeeded: 2, failed: 0 });
      const shown = await destill('results', join(undisturbed, 'destill-runs/tiny'), '--trials');
      expect(shown).toMatchObject({ code: 0, stdout: expect.stringContaining('small.baseline') });

      const disturbed = laboratory();
      for (const moment of ['paused after epoch 1', 'paused after epoch 2', 'succeeded: test']) {
        const before = (text: string) => text.split(moment).length - 1;
        await destillProcess(disturbed, runCommand, (text, child) => {
          if (before(text) > 0) child.kill('SIGKILL');
        });
      }
      const again = await destillProcess(disturbed, runCommand);
      expect(again.code, again.stderr).toBe(0);
      expect(outcome(disturbed)).toEqual(outcome(undisturbed));
    },
    400 * seconds,
  );
});
