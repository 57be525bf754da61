import { afterAll, describe, expect, inject, it } from 'vitest';
import { experimentMetrics } from '../../src/metrics/experiments.ts';
import { explanationMetrics } from '../../src/metrics/explanations.ts';
import { machineryMetrics } from '../../src/metrics/machinery.ts';
import { processMetrics } from '../../src/metrics/process.ts';
import { runMetrics } from '../../src/metrics/runs.ts';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { asking } from '../operator/server/asking.ts';
import { trained } from './kubelet.ts';
import { experiment, type RunningOperator, runOperator } from './operator-fixtures.ts';
import { openLab } from './operator-lab.ts';

const access = inject('controlPlane');
const client = new Client(access);
afterAll(() => client.close());

async function scrape({ server }: RunningOperator): Promise<string> {
  const { status, text } = await asking(server)('GET', '/metrics', { token: access.tokens.admin });
  expect(status).toBe(200);
  return text;
}

/** Series of a metric without its name, in order. */
function series(text: string, { name }: { readonly name: string }): readonly string[] {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.map((line) => line.slice(name.length)).sort();
}

describe.concurrent('the metrics of an operator', () => {
  it('are those of the catalogue, all of them, described as there', async (context) => {
    const here = await openLab(context, client);
    // Nothing is told of Experiments and Runs before all of them are known.
    const text = await waitFor('the caches to be full', async () => {
      const found = await scrape(here.operator);
      return found.includes(runMetrics.info.name) ? found : undefined;
    });
    const told = [...text.matchAll(/^# HELP (\w+) (.*)\n# TYPE \1 (\w+)$/gm)].map(([, name, help, type]) => ({
      name,
      help,
      type,
    }));
    const groups = [experimentMetrics, runMetrics, explanationMetrics, machineryMetrics].flatMap(
      Object.values,
    );
    const expected = [...groups, ...processMetrics].map(({ name, help, type }) => ({ name, help, type }));
    const inOrder = (list: readonly { readonly name: string | undefined }[]) =>
      list.toSorted((one, other) => `${one.name}`.localeCompare(`${other.name}`));
    expect(inOrder(told)).toEqual(inOrder(expected));
  });

  it('follow a study from its first pod to its end, outlive its pods, and go with it', async (context) => {
    const here = await openLab(context, client);
    await here.apply(experiment('study', { distillation: [], pod: { gpus: 2 } }));
    const teacher = await here.train('teacher');
    const place = `namespace="${here.namespace}",experiment="study"`;
    const [first, second] = [await here.run('teacher'), await here.run('baseline')];
    const nameOf = ({ metadata }: typeof first) => `${place},run="${metadata.name}"`;
    const identity = (run: typeof first) => {
      const { role, student } = run.spec.parameters;
      const of = student === undefined ? '' : `student="${student}",`;
      return `${nameOf(run)},stage="main",role="${role}",${of}seed="1"`;
    };

    const live = await scrape(here.operator);
    expect(series(live, runMetrics.phase)).toContain(`{${nameOf(first)},phase="Running"} 1`);
    expect(series(live, runMetrics.gpus)).toEqual([`{${identity(first)}} 2`]);
    expect(series(live, runMetrics.attempts)).toContain(`{${identity(first)}} 1`);
    const [waited] = series(live, { name: `${runMetrics.queueWait.name}_count` });
    expect(waited).toBe(`{namespace="${here.namespace}"} 1`);
    expect(series(live, { name: `${runMetrics.startup.name}_count` })).toEqual([waited]);
    expect(series(live, runMetrics.accuracy)).toEqual([]);

    await here.kubelet.succeed(teacher, trained({ testAccuracy: 0.8, validationAccuracy: 0.75 }));
    await here.kubelet.succeed(await here.train('baseline'), trained({ testAccuracy: 0.6 }));
    await here.ended('study');
    await client.send('DELETE', `/api/v1/namespaces/${here.namespace}/pods`);
    await client.send('DELETE', `/apis/batch/v1/namespaces/${here.namespace}/jobs`);
    const after = await scrape(here.operator);
    expect(series(after, experimentMetrics.phase)).toContain(`{${place},phase="Complete"} 1`);
    expect(series(after, experimentMetrics.accuracyRetained)).toEqual([
      `{${place},stage="main",role="baseline",student="small"} ${0.6 / 0.8}`,
    ]);
    expect(series(after, runMetrics.accuracy)).toEqual(
      [
        `{${identity(first)},split="test"} 0.8`,
        `{${identity(first)},split="validation"} 0.75`,
        `{${identity(second)},split="test"} 0.6`,
        `{${identity(second)},split="validation"} 0.76`,
      ].sort(),
    );
    expect(series(after, runMetrics.trainingSeconds)).toContain(`{${identity(first)}} 480`);

    await client.send('DELETE', here.path('experiments', 'study'));
    const gone = await waitFor('the series to go', async () => {
      const text = await scrape(here.operator);
      return text.includes('experiment="study"') ? undefined : text;
    });
    expect(series(gone, { name: `${runMetrics.startup.name}_count` })).toEqual([
      `{namespace="${here.namespace}"} 2`,
    ]);
  });

  it('tell of Experiments and Runs once, however many replicas there are', async (context) => {
    const lease = (namespace: string) => [
      ...['--leader-election', 'on', '--lease-namespace', namespace, '--lease-name', 'operators'],
    ];
    const namespace = await client.newNamespace('leases');
    const here = await openLab(context, client, { flags: lease(namespace) });
    const other = await runOperator(access.kubeconfig, [here.namespace], ...lease(namespace));
    context.onTestFinished(other.stop);
    await here.apply(experiment('study', { distillation: [] }));
    await here.train('teacher');

    const seen = 'experiment="study"';
    await waitFor(
      'the other operator to know them',
      () => other.operator.world.runs.cache.size === 2 || undefined,
    );
    expect(await scrape(here.operator)).toContain(seen);
    const silent = await scrape(other);
    expect(silent).toContain('leader_election_master_status{name="operators"} 0');
    expect(silent).not.toContain(seen);

    await here.operator.stop();
    const taken = await waitFor('the other operator to lead', async () => {
      const text = await scrape(other);
      return text.includes(seen) ? text : undefined;
    });
    // What the one before has counted is not counted again.
    expect(series(taken, { name: `${runMetrics.startup.name}_count` })).toEqual([]);
    expect(series(taken, runMetrics.attempts).filter((line) => line.endsWith(' 1'))).toHaveLength(1);
  });
});
