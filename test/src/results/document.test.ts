import { describe, expect, it } from 'vitest';
import { results, resultsDocument } from '../../../src/results/document.ts';
import { summarise } from '../../../src/results/summary.ts';
import { experimentOf, now } from '../plan/world.ts';
import { accuracy, runsWith } from './runs.ts';

describe('resultsDocument', () => {
  it('holds the table and every Run with its parameters and result, and survives JSON and its schema', () => {
    const experiment = experimentOf();
    const runs = runsWith(experiment, { 'teacher/1': accuracy(0.9), 'soft/small/1': null });
    const document = resultsDocument(experiment, runs, { destillml: '0.1.0' }, now);
    expect(document).toMatchObject({
      kind: 'Results',
      experiment: 'study',
      namespace: 'lab',
      createdAt: '2026-03-01T12:00:00Z',
      versions: { destillml: '0.1.0' },
      rows: summarise(experiment, runs).rows,
    });
    expect(document.runs).toHaveLength(7);
    expect(document.runs[0]).toEqual({
      name: runs[0]?.metadata.name,
      phase: 'Succeeded',
      parameters: runs[0]?.spec.parameters,
      result: runs[0]?.status?.result,
    });
    expect(document.runs[2]).toMatchObject({ phase: 'Failed', reason: 'TrainingDiverged' });
    expect(results.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
  });

  it('is read, too, as it was before a gain had its seeds', () => {
    const experiment = experimentOf();
    const runs = runsWith(experiment, { 'baseline/small/1': accuracy(0.8), 'soft/small/1': accuracy(0.85) });
    const document = resultsDocument(experiment, runs, {}, now);
    const rows = document.rows.map(({ gain, ...row }) =>
      gain ? { ...row, gain: { mean: gain.mean } } : row,
    );
    const { trials: _, ...older } = document;
    const read = results.parse({ ...older, rows });
    expect(read.rows[2]?.gain).toEqual({ mean: document.rows[2]?.gain?.mean, seeds: [] });
  });
});
