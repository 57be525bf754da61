import { describe, expect, it } from 'vitest';
import type { Run, RunStatus } from '../../../src/api/run.ts';
import { plan } from '../../../src/plan/plan.ts';
import { trialOf } from '../../../src/plan/trials.ts';
import { experimentOf, now, resultOf } from './world.ts';

/** A Run of a search that trains 600 epochs, of which its history has every fifth. */
function trialWith(status: Partial<RunStatus>): Run {
  const sweep = {
    for: 'students',
    algorithm: { random: {} },
    maxRuns: 1,
    parameters: [{ name: 'training.optimizer.learningRate', discrete: [0.1, 0.2] }],
  };
  const { create } = plan({ experiment: experimentOf({ sweep }), runs: [], now });
  const trial = create.find(({ spec }) => spec.trial !== undefined);
  if (trial === undefined) throw new Error('there is no trial');
  return { ...trial, status: { phase: 'Running', conditions: [], ...status } };
}

const progress = (epoch: number, bestValidationAccuracy: number) => ({
  progress: {
    epoch,
    epochs: 600,
    step: 0,
    steps: 1,
    bestValidationAccuracy,
    updatedAt: '2026-03-01T12:00:00Z',
  },
});

describe('a Run of a search, as evidence', () => {
  it('has the best that was reported, at the epochs that its history is of', () => {
    const { reports, state } = trialOf(trialWith({ history: [0.2, 0.5, 0.4], ...progress(17, 0.6) }));
    expect(state).toBe('running');
    expect(reports).toEqual([
      { epoch: 5, value: 0.2 },
      { epoch: 10, value: 0.5 },
      { epoch: 15, value: 0.5 },
      { epoch: 17, value: 0.6 },
    ]);
  });

  it('has what was reached at its rungs, and in the end, exactly', () => {
    const rungs = [{ epoch: 12, validationAccuracy: 0.55 }];
    const result = { ...resultOf(0.8, 0.9), bestEpoch: 555, epochs: 600 };
    const { reports } = trialOf(trialWith({ phase: 'Succeeded', history: [0.2, 0.5], rungs, result }));
    expect(reports).toEqual([
      { epoch: 5, value: 0.2 },
      { epoch: 10, value: 0.5 },
      { epoch: 12, value: 0.55 },
      { epoch: 555, value: 0.9 },
      { epoch: 600, value: 0.9 },
    ]);
  });

  it('is unknown while it is being deleted: it will be made anew', () => {
    const run = trialWith(progress(17, 0.6));
    const leaving = { ...run, metadata: { ...run.metadata, deletionTimestamp: '2026-03-01T12:00:00Z' } };
    expect(trialOf(leaving)).toMatchObject({ state: 'running', reports: [] });
  });
});
