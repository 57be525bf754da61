import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { epoch, explained, pixel } from '../src/report/made.ts';
import { destill } from './destill.ts';
import { finished, runs, write, writeArtifacts, writeExperiment } from './finished.ts';
import { temporaryFolder } from './temporary.ts';

function writeExplanations(folder: string): void {
  write(join(folder, 'explanations.json'), explained);
  mkdirSync(join(folder, 'figures'));
  writeFileSync(join(folder, 'figures/000.png'), Buffer.from(pixel, 'base64'));
}

describe('destill report', () => {
  test('writes the report of a finished Experiment beside its Runs, by the name of either', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'study');
    finished(folder);
    const ended = await destill('report', folder);
    expect(ended).toEqual({ code: 0, stdout: `${folder}/report.html\n`, stderr: '' });
    const report = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(report).toContain('<h1>study</h1>');
    expect(report).toContain('as of 2026-03-01 12:00 UTC');
    expect(report).toContain('84.5 ± 2.1 %');
    expect(report).toContain('<th scope="row" class="left">device</th><td class="left">gpu</td>');
    expect(report).toContain('temperature: 4\n');
    // The epoch that was trained twice counts once, as it was the second time; damaged lines are left out.
    expect(report).toContain('Last values: teacher, seed 1, 83 %');
    expect(report).not.toContain('What the networks look at');

    const named = await destill('report', 'study', '--runs', root, '--out', join(root, 'other.html'));
    expect(named).toMatchObject({ code: 0, stdout: `${join(root, 'other.html')}\n` });
    expect(readFileSync(join(root, 'other.html'), 'utf8')).toBe(report);
  });

  test('has the explanations of its folder, or of another', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'study');
    finished(folder);
    writeExplanations(join(root, 'elsewhere'));
    const explainedReport = async (...args: readonly string[]) => {
      expect(await destill('report', folder, ...args)).toMatchObject({ code: 0 });
      return readFileSync(join(folder, 'report.html'), 'utf8');
    };
    const given = await explainedReport('--explanations', join(root, 'elsewhere'));
    expect(given).toContain(`src="data:image/png;base64,${pixel}"`);
    expect(given.match(/<img /g)).toHaveLength(1);
    writeExplanations(join(folder, 'explanations'));
    expect(await explainedReport()).toBe(given);
  });

  test('reads what was fetched from the storage of a cluster: a folder for each Run, and the file that was applied', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'lab/study');
    for (const run of runs) writeArtifacts(join(folder, run.metadata.name), run);
    // A Run that has not ended left no result; explanations lie beside Runs.
    write(join(folder, 'study-begun/history.jsonl'), `${JSON.stringify(epoch(1))}\n`);
    writeExplanations(join(folder, 'explanations'));
    const without = await destill('report', folder);
    expect(without).toMatchObject({ code: 2 });
    expect(without.stderr.replaceAll(/\s+/g, ' ')).toContain(
      'Name the file of the Experiment with --experiment.',
    );

    writeExperiment(join(root, 'applied.yaml'));
    expect(await destill('report', folder, '--experiment', join(root, 'applied.yaml'))).toMatchObject({
      code: 0,
    });
    const report = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(report).toContain('84.5 ± 2.1 %');
    expect(report).toContain('+3.5~');
    expect(report).toContain('What the networks look at');
  });

  test('a mistake is told in a sentence', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'study');
    finished(folder);
    const nowhere = await destill('report', 'nothing', '--runs', root);
    expect(nowhere).toMatchObject({ code: 2, stdout: '' });
    expect(nowhere.stderr).toContain('There is no folder nothing');

    const other = join(root, 'other.yaml');
    writeExperiment(other);
    writeFileSync(other, readFileSync(other, 'utf8').replace('name: study', 'name: other'));
    const wrong = await destill('report', folder, '--experiment', other);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr.replaceAll(/\s+/g, ' ')).toContain('holds no Run of the Experiment other.');

    write(join(folder, 'explanations/explanations.json'), { images: [] });
    const damaged = await destill('report', folder);
    expect(damaged).toMatchObject({ code: 2 });
    expect(damaged.stderr.replaceAll(/\s+/g, ' ')).toContain(
      'explanations.json is not as DestillML writes it: classes',
    );
  });
});
