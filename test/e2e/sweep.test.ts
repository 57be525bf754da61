import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Experiment, Run } from '../../operator/controllers/kinds.ts';
import { ClusterLab } from './cluster-lab.ts';
import { study } from './study.ts';

const minutes = 60_000;
const learningRate = 'training.optimizer.learningRate';

let lab: ClusterLab;
let ended: Experiment;
let runs: readonly Run[];
beforeAll(async () => {
  lab = await ClusterLab.open();
  const training = { epochs: 4, batchSize: 64, schedule: { warmupEpochs: 1 } };
  await lab.apply(
    study('search', {
      dataset: { name: 'mnist', source: { packaged: {} }, imageSize: 28, validation: 500, fraction: 0.02 },
      training,
      distillation: [],
      seeds: [1, 2],
      sweep: {
        for: 'students',
        algorithm: { asha: { minEpochs: 1, eta: 2 } },
        maxRuns: 4,
        parameters: [{ name: learningRate, double: { min: 0.01, max: 0.5, scale: 'log' } }],
      },
      explain: { methods: ['gradCam'], images: 2 },
      parallelism: 2,
    }),
  );
  ended = await lab.ended('search');
  runs = await lab.runsOf('search');
}, 20 * minutes);
afterAll(() => lab?.close());

const folderOf = (run: Run) => join(lab.volume, lab.namespace, 'search', run.metadata.name);
const rungsOf = ({ status }: Run) => status?.rungs?.map(({ epoch }) => epoch) ?? [];

/** The epochs of a Run that stand on the volume. */
function epochsOf(run: Run): readonly number[] {
  const lines = readFileSync(join(folderOf(run), 'history.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line).epoch);
}

const trials = () => runs.filter(({ spec }) => spec.trial !== undefined);

describe('a search on a cluster', () => {
  it('pauses trials at their rungs, and trains the best of them on, from their checkpoints', async () => {
    expect(ended.status).toMatchObject({
      phase: 'Complete',
      studies: [{ name: 'small.baseline', state: 'Ended', reason: 'MaxRunsReached' }],
    });
    const table = await lab.kubectl('get', 'drun', '--selector=destillml.io/study=small.baseline');
    console.log(table);
    expect(trials()).toHaveLength(4);
    for (const run of trials()) {
      const { phase } = run.status ?? {};
      const last = phase === 'Succeeded' ? 4 : rungsOf(run).at(-1);
      expect(phase).toMatch(/^(Succeeded|Paused)$/);
      // None twice: a rung goes on where the one before has ended.
      expect(epochsOf(run)).toEqual(Array.from({ length: last ?? 0 }, (_, index) => index + 1));
    }
    const winner = trials().find(({ status }) => status?.phase === 'Succeeded');
    expect(rungsOf(winner as Run)).toEqual([1, 2]);
    expect(await lab.kubectl('logs', `job/${winner?.metadata.name}`)).toContain(
      'Going on from epoch 2, step 0.',
    );
  });

  it('trains what it found with the seed that did not choose it', () => {
    const best = ended.status?.studies?.[0]?.best;
    const confirmed = runs.find(
      ({ spec: { parameters, trial } }) => parameters.role === 'baseline' && trial === undefined,
    );
    expect(confirmed?.status?.phase).toBe('Succeeded');
    expect(confirmed?.spec.parameters.seed).toBe(2);
    expect(confirmed?.spec.parameters.training.optimizer.learningRate).toBe(best?.values[learningRate]);
  });

  it('is in the report beside what was explained', () => {
    const explanation = runs.find(({ spec }) => spec.parameters.role === 'explanation') as Run;
    const report = readFileSync(join(folderOf(explanation), 'report.html'), 'utf8');
    expect(report).toMatch(/4 of 4 trials came to epoch 1, [23] to epoch 2, [12] to epoch 4\./);
  });
});
