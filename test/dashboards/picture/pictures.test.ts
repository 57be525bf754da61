import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { dashboards } from '../../../dashboards/all.ts';
import { choicesFor } from '../../../dashboards/picture/choices.ts';
import { dashboardPicture } from '../../../dashboards/picture/dashboard.ts';
import { Prometheus } from '../../../dashboards/picture/prometheus.ts';
import { TemporaryFolder } from '../../cluster/folder.ts';
import { panelsIn } from '../panels.ts';
import { GoldenPrometheus, hour } from '../prometheus.ts';

const program = join(import.meta.dirname, '../../../dashboards/picture.ts');

describe('from a Prometheus that has scraped a lab', () => {
  let golden: GoldenPrometheus;
  let folder: TemporaryFolder;
  beforeAll(async () => {
    golden = await GoldenPrometheus.start();
    folder = new TemporaryFolder();
  });
  afterAll(async () => {
    await golden?.stop();
    folder?.remove();
  });

  it('a command draws every dashboard, and names panels that have nothing to show', async () => {
    const flags = ['--prometheus', golden.url, '--out', folder.path, '--until', '2025-11-24T17:00:00Z'];
    const run = ['--run', 'cifar-hints-small-1'];
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...flags, ...run]);
    expect(stdout.trim().split('\n')).toEqual([
      folder.file('dashboard-lab-overview.png'),
      folder.file('dashboard-experiment.png'),
      // It trains still.
      `${folder.file('dashboard-run.png')}; empty: Test accuracy`,
      folder.file('dashboard-operator.png'),
    ]);
    for (const name of Object.keys(dashboards)) {
      const { format, width, height = 0 } = await sharp(folder.file(`dashboard-${name}.png`)).metadata();
      expect({ format, width }).toEqual({ format: 'png', width: 1600 });
      expect(height).toBeGreaterThan(1000);
    }
  });

  it('chooses what Grafana would choose: all, or the first, or the last', async () => {
    const choices = await choicesFor(dashboards.experiment!.json(), {}, new Prometheus(golden.url), hour);
    expect(choices).toEqual({
      datasource: 'prometheus',
      namespace: '.*',
      experiment: '.*',
      parameter: 'distillation.softTargets.temperature',
      other: 'training.optimizer.learningRate',
    });
    const ofLab = await choicesFor(
      dashboards.run!.json(),
      { namespace: ['lab'] },
      new Prometheus(golden.url),
      hour,
    );
    expect(ofLab.run).toBe('cifar-baseline-small-1');
  });

  it('shows names and values in their units', async () => {
    const variables = {
      namespace: '.*',
      experiment: '.*',
      parameter: 'training.optimizer.learningRate',
      other: 'distillation.softTargets.temperature',
    };
    const asked = { prometheus: new Prometheus(golden.url), range: hour, variables };
    const { svg } = await dashboardPicture(dashboards.experiment!.json(), asked);
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    const result = [
      '80.00%',
      '2.1 h',
      '28.3 mins',
      '860.0 K',
      '± deviation',
      'cifar-soft-small-2',
      'Succeeded',
    ];
    const looks = ['0.80', '55%', '-0.05'];
    const matrix = [
      'distillation.softTargets.temperature \\ training.optimizer.learningRate',
      '0.1',
      '0.5',
      '74.0%',
    ];
    expect(texts).toEqual(expect.arrayContaining([...result, ...looks, ...matrix]));
  });

  it('says what Prometheus says of an expression that it refuses', async () => {
    await expect(new Prometheus(golden.url).instant('sum(', hour.end)).rejects.toThrow(
      'Prometheus refuses "sum(": invalid parameter "query"',
    );
  });
});

test.each(Object.entries(dashboards))(
  'the dashboard %s of an empty Prometheus has empty panels',
  async (_name, dashboard) => {
    const nothing = { instant: () => Promise.resolve([]), range: () => Promise.resolve([]) };
    const variables = { namespace: '.*', experiment: '.*', run: '.*', job: '.*', parameter: 'a', other: 'b' };
    const json = dashboard.json();
    const { svg, empty } = await dashboardPicture(json, { prometheus: nothing, range: hour, variables });
    expect(empty).toHaveLength(panelsIn(json).length);
    expect(svg).toContain('No data');
  },
);
