import { describe, expect, it } from 'vitest';
import { mapNames, mostExplained } from '../../../src/api/explain.ts';
import type { Run } from '../../../src/api/run.ts';
import { termination } from '../../../src/protocol/report.ts';
import { results, resultsDocument } from '../../../src/results/document.ts';
import { explainedNetworks, explanationResult } from '../../../src/results/explained.ts';
import type { Explanations } from '../../../src/results/explanations.ts';
import { experimentOf, now } from '../plan/world.ts';
import { explained } from '../report/made.ts';
import { accuracy, runsWith } from './runs.ts';

const experiment = experimentOf();

/** An explanation of the teacher and these networks, which ended then. */
function explanationRun(networks: readonly string[], completionTime: string): Run {
  const [trained] = runsWith(experiment, { 'teacher/1': accuracy(0.9) });
  const { parameters, ...spec } = trained!.spec;
  return {
    ...trained!,
    metadata: { ...trained!.metadata, name: `explanation-${networks.length}` },
    spec: {
      ...spec,
      parameters: {
        ...parameters,
        role: 'explanation',
        stage: 'explanation',
        teacherRun: 'the-teacher',
        explanation: { methods: ['gradCam'], images: 2, networks: [...networks] },
      },
    },
    status: {
      phase: 'Succeeded',
      conditions: [],
      completionTime,
      explanation: explanationResult(explained, 's3://lab/x'),
    },
  };
}

describe('the result of an explanation', () => {
  it('has the means by network, to three digits; the first network is like itself', () => {
    expect(explanationResult(explained, '/artifacts/x')).toMatchObject({
      images: 2,
      seconds: 21,
      artifacts: '/artifacts/x',
      maps: [{ map: 'gradCam', agreement: [1, -0.71], topOverlap: [1, expect.any(Number)], sane: true }],
    });
  });

  it('fits into a termination message, however many networks there are', () => {
    const [teacher, student] = explained.networks;
    const measured = { mean: -0.123456 };
    const share = { mean: 0.123456 };
    const quality = { insertion: share, deletion: share };
    const agreement = { spearman: measured, topOverlap: share, sameClass: 1 };
    const all = <T>(value: T) => Object.fromEntries(mapNames.map((name) => [name, value]));
    const document: Explanations = {
      ...explained,
      sanity: all({ spearman: measured, passes: false }),
      networks: [
        { ...teacher!, quality: all(quality) },
        ...Array.from({ length: mostExplained - 1 }, () => ({
          ...student!,
          quality: all(quality),
          agreement: all(agreement),
        })),
      ],
    };
    const explanation = explanationResult(document, `s3://${'x'.repeat(500)}`);
    const last = termination.parse({ outcome: 'explained', explanation });
    expect(Buffer.byteLength(JSON.stringify(last))).toBeLessThan(4096);
  });
});

describe('explainedNetworks', () => {
  it('tells of each network by the Run that trained it, as the last explanation found it', () => {
    const before = explanationRun([], '2026-03-01T11:00:00Z');
    const last = explanationRun(['the-student'], '2026-03-01T12:00:00Z');
    const found = explainedNetworks([last, before]);
    expect(found.map(({ run, map, agreement }) => [run, map, agreement])).toEqual([
      ['the-teacher', 'gradCam', 1],
      ['the-student', 'gradCam', -0.71],
    ]);
    expect(explainedNetworks([])).toEqual([]);
  });

  it('is in results.json', () => {
    const runs = [...runsWith(experiment, {}), explanationRun(['the-student'], '2026-03-01T12:00:00Z')];
    const document = resultsDocument(experiment, runs, {}, now);
    expect(document.explanations).toEqual(explainedNetworks(runs));
    expect(results.parse(JSON.parse(JSON.stringify(document)))).toEqual(document);
    expect(document.rows.some(({ role }) => role === 'explanation')).toBe(false);
  });
});
