import { describe, expect, it } from 'vitest';
import { experimentReport } from '../../../src/report/report.ts';
import { experimentOf } from '../plan/world.ts';
import { accuracy } from '../results/runs.ts';
import { complete, epoch, experiment, explained, hostileInput, pixel, reportInput } from './made.ts';

/** Tables by caption: what stands in each cell of each row. */
function tables(report: string): Record<string, string[][]> {
  const found = [...report.matchAll(/<caption><span>(.*?)<\/span>.*?<\/table>/gs)];
  return Object.fromEntries(
    found.map(([table, caption = '']) => [
      caption,
      [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
        [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = '']) => cell),
      ),
    ]),
  );
}

function tableOf(report: string, caption: string): string[][] {
  const [, rows = []] = Object.entries(tables(report)).find(([name]) => name.startsWith(caption)) ?? [];
  return rows;
}

describe('experimentReport', () => {
  const report = experimentReport(reportInput());

  it('tells what was asked: images, networks, techniques with their papers, recipe, seeds', () => {
    expect(report).toContain('<dd>mnist, all training images, 5000 held out for validation</dd>');
    expect(report).toContain('<dd>resnet56</dd>');
    expect(report).toContain('<dd>small (resnet8)</dd>');
    expect(report).toContain('<b>soft</b>: soft targets (Hinton et al. 2015), temperature 4, weight 0.9');
    expect(report).toContain(
      '<b>attention</b>: attention transfer (Zagoruyko and Komodakis 2017), weight 1000',
    );
    expect(report).toContain('600 epochs, batches of 128, SGD with learning rate 0.5');
    expect(report).toContain('<dt>Seeds</dt><dd>1, 2</dd>');
  });

  it('has the result for each technique: mean ± deviation, gain, gap closed', () => {
    expect(tableOf(report, 'Accuracy of every')).toEqual([
      [
        'Technique',
        'Network',
        'Test accuracy',
        'Gain, points',
        '95 % interval',
        'Gap closed',
        'Validation',
        'Of the teacher’s',
        'Parameters',
        'Seeds',
      ],
      ['teacher', 'resnet56', '95.0 %', '', '', '', '95.0 %', '', '0.85 M', '1'],
      ['baseline', 'small (resnet8)', '81.0 ± 1.4 %', '', '', '', '81.0 ± 1.4 %', '85 %', '0.08 M', '2'],
      [
        'soft',
        'small (resnet8)',
        '84.5 ± 2.1 %',
        '+3.5~',
        '−2.9 … +9.9',
        '25 %',
        '84.5 ± 2.1 %',
        '89 %',
        '0.08 M',
        '2',
      ],
      [
        'attention',
        'small (resnet8)',
        '80.5 ± 2.1 %',
        '−0.5~',
        '−6.9 … +5.9',
        '−4 %',
        '70.0 ± 0.0 %',
        '85 %',
        '0.08 M',
        '2',
      ],
    ]);
    expect(report).toContain(
      '<b>small</b> (resnet8) did best with <b>soft</b>, chosen on the validation images',
    );
    expect(report).toContain('+3.5 points, 25 % of its gap to the teacher; within noise, 95 % interval');
    expect(report).toContain(
      '<li>small (resnet8), soft: within noise, 95 % interval −2.9 … +9.9 of 2 seeds, p 0.18.</li>',
    );
  });

  it('tells of six seeds the signed-rank test, too, and of fewer pairs than seeds which they are', () => {
    const seeds = [1, 2, 3, 4, 5, 6, 7];
    const results = Object.fromEntries([
      ['teacher/1', accuracy(0.95)],
      ...seeds.flatMap((seed) => [
        [`baseline/small/${seed}`, accuracy(0.8)],
        [`soft/small/${seed}`, seed === 4 ? null : accuracy(0.8 + seed / 100)],
        [`attention/small/${seed}`, null],
      ]),
    ]);
    const told = experimentReport(reportInput({}, experimentOf({ seeds }), results));
    // SciPy of 1, 2, 3, 5, 6 and 7 points: 1.517 … 6.483, p 0.00899; Wilcoxon 0.03125.
    expect(told).toContain(
      'soft: 95 % interval +1.5 … +6.5 of 6 seeds, p 0.009, Wilcoxon p 0.031; compared on 1, 2, 3, 5, 6, 7 only.',
    );
  });

  it('tells how few images the scarcity stage had, however few', () => {
    const scarce = experimentOf({ scarcity: { student: { model: 'resnet14' }, fraction: 0.004 } });
    const written = experimentReport(
      reportInput({}, scarce, { ...complete, 'scarcity/baseline/resnet14/1': {} }),
    );
    expect(Object.keys(tables(written))).toContain('With 0.4 % of the training images');
    expect(written).toContain('<h3>resnet14 (resnet14), with 0.4 % of the training images</h3>');
  });

  it('warns that one seed tells nothing of chance', () => {
    expect(report).not.toContain('One seed');
    const single = experimentOf({ seeds: [1] });
    expect(experimentReport(reportInput({}, single))).toContain(
      'One seed: how much of a difference is chance',
    );
  });

  it('draws loss and accuracy of every Run, and accuracy against parameters and time', () => {
    const charts = [
      ...report.matchAll(/<figure class="chart">\n<figcaption>(.*?)<\/figcaption>(.*?)<\/figure>/gs),
    ];
    expect(charts.map(([, title]) => title)).toEqual([
      'Test accuracy against parameters',
      'Test accuracy against training time',
      'Validation accuracy',
      'Training accuracy',
      'Validation loss',
      'Training objective',
    ]);
    const names = [
      'teacher, seed 1',
      'baseline, seed 1',
      'baseline, seed 2',
      'soft, seed 1',
      'soft, seed 2',
      'attention, seed 1',
      'attention, seed 2',
    ];
    for (const [, , chart = ''] of charts.slice(2)) {
      expect([...chart.matchAll(/<g><title>(.*?)<\/title><path/g)].map(([, name]) => name)).toEqual(names);
    }
    expect(report).toContain('Last values: teacher, seed 1, 83 %; baseline, seed 1, 83 %');
  });

  it('says what a line is, with many seeds and with one', () => {
    const said = (from: string) => from.replaceAll(/\s+/g, ' ');
    expect(said(report)).toContain('ends in a dot. Runs that differ in their seed look alike. The training');
    const single = experimentReport(reportInput({}, experimentOf({ seeds: [1] })));
    expect(said(single)).toContain('ends in a dot. The training objective');
  });

  it('tells the cost: training time of each technique, GPU time where it is known, FLOPs', () => {
    expect(tableOf(report, 'What the Runs took')).toEqual([
      ['Technique', 'Network', 'Runs', 'Training time', 'Images per second', 'FLOPs of an inference'],
      ['teacher', 'resnet56', '1', '5 min 00 s', '431', '250.0 M'],
      ['baseline', 'small (resnet8)', '2', '2 min 20 s', '431', '25.0 M'],
      ['soft', 'small (resnet8)', '2', '3 min 05 s', '431', '25.0 M'],
      ['attention', 'small (resnet8)', '2', '3 min 30 s', '431', '25.0 M'],
      ['All', '', '7', '13 min 55 s', '', ''],
    ]);
    const input = reportInput();
    const runs = input.runs.map(({ run, history }) => ({
      run: {
        ...run,
        status: { phase: 'Succeeded' as const, conditions: [], ...run.status, gpuSeconds: 100 },
      },
      history,
    }));
    const rows = tableOf(experimentReport({ ...input, runs }), 'What the Runs took');
    expect(rows.map((row) => row[4])).toEqual([
      'GPU time',
      '1 min 40 s',
      '3 min 20 s',
      '3 min 20 s',
      '3 min 20 s',
      '11 min 40 s',
    ]);
  });

  it('has the figures, what each network predicts and how sure it is, and how far maps agree', () => {
    expect(report).toMatch(
      /<img src="data:image\/png;base64,iVBOR[^"]+" alt="Maps of what teacher, soft look at in test image 5, labelled Sandal: a row/,
    );
    expect(report.match(/<img /g)).toHaveLength(1);
    expect(report).toContain(
      '<b>test image 5, labelled Sandal</b>. teacher predicts Sandal (100.0 %). soft predicts Sandal (80.0 %).',
    );
    expect(report).toContain('<b>cat.jpg</b>. teacher predicts Trouser (50.0 %); explained is Sandal.');
    expect(tableOf(report, 'Agreement with teacher')).toEqual([
      ['Network', 'Method', 'Rank correlation', 'Top 20 % shared', 'Same class explained'],
      ['soft', 'Grad-CAM', '−0.71 ± 0.12', '60 ± 10 %', '50 %'],
    ]);
    expect(tableOf(report, 'Faithfulness')[1]).toEqual(['teacher', 'Grad-CAM', '0.61 (0.40)', '0.20']);
    expect(experimentReport(reportInput({ explanations: undefined }))).not.toContain('look at');
    const asRuns = explained.networks.map((network) => ({ ...network, name: `study/${network.name}` }));
    const document = { ...explained, networks: asRuns };
    expect(experimentReport(reportInput({ explanations: { document, figures: [pixel, undefined] } }))).toBe(
      report,
    );
    expect(report).toContain('Not on this page is the figure of 1 image: see the folder figures');
  });

  it('is in the order of the spec, in whatever order the Runs come', () => {
    const input = reportInput();
    expect(experimentReport({ ...input, runs: input.runs.toReversed() })).toBe(report);
  });

  it('ends with every Run, the spec and the versions', () => {
    expect(tableOf(report, 'Every Run')).toHaveLength(8);
    expect(report).toContain('>dataset:\n  name: mnist\n</pre>');
    expect(tableOf(report, 'Versions').slice(1)).toEqual([
      ['destillml', '0.1.0'],
      ['tensorflow', '4.22.0'],
    ]);
  });

  it('says what is missing: Runs that have not ended, and why others ended without success', () => {
    expect(report).not.toContain('class="warning"');
    const { 'soft/small/2': _open, ...some } = complete;
    const partial = experimentReport(reportInput({}, experiment, { ...some, 'soft/small/1': null }));
    expect(partial).toContain('1 of 7 Runs have not ended: what stands here is not final.');
    expect(partial).toContain(': Failed: TrainingDiverged: The loss became NaN.</li>');
    expect(tableOf(partial, 'Accuracy of every')[3]?.at(-1)).toBe('0 of 2, 1 failed');
  });

  it('is there before the first result, and after a single epoch', () => {
    const none = experimentReport(reportInput({ explanations: undefined }, experiment, {}));
    expect(none).toContain('7 of 7 Runs have not ended');
    expect(none).not.toContain('NaN');
    const { runs } = reportInput({}, experiment, {});
    const begun = experimentReport(
      reportInput({ runs: runs.slice(0, 1).map(({ run }) => ({ run, history: [epoch(1)] })) }),
    );
    expect(begun).toContain('<h3>Teacher</h3>');
    expect(begun).not.toContain('NaN');
  });

  it('needs nothing from elsewhere: no script, no address, no file', () => {
    expect(report).not.toMatch(/<script|<iframe|@import|url\(|https?:/);
    expect([...report.matchAll(/ (?:src|href)="([^"]{5})/g)].map(([, start]) => start)).toEqual([
      'data:',
      'data:',
    ]);
    expect(report).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
    const ids = [...report.matchAll(/ id="(.*?)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('lets nothing that users write become more than text', () => {
    const written = experimentReport(hostileInput());
    expect(written).not.toMatch(/<script|<img src=x|alert\('x'\)/);
    expect(written.match(/<\/style>/g)).toHaveLength(1);
    expect(written.match(/<\/title>/g)?.length).toBe(written.match(/<title/g)?.length);
    expect(written).toContain('&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;');
  });
});
