import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../dashboards/all.ts';
import type { Experiment } from '../../operator/controllers/kinds.ts';
import { helm } from '../charts/helm.ts';
import { waitFor } from '../cluster/wait.ts';
import { choicesFor } from '../dashboards/ask/choices.ts';
import { isEmpty } from '../dashboards/ask/empty.ts';
import { panelsIn } from '../dashboards/panels.ts';
import { ClusterLab, examples } from './cluster-lab.ts';
import { emptyPanels } from './empty-panels.ts';
import { ClusterPrometheus } from './prometheus.ts';
import type { Watch } from './watch.ts';

/** Where the report is left, to be looked at. */
const pictures = join(import.meta.dirname, '../../.tools/pictures');

/** The quickstart, but on GPUs, of which the node has two. */
function quickstart(): object {
  const { spec, ...rest } = parse(readFileSync(join(examples, 'quickstart.yaml'), 'utf8'));
  return { ...rest, spec: { ...spec, pod: { gpus: 1 }, parallelism: 4 } };
}

let lab: ClusterLab;
let phases: Watch;
let pods: Watch;
let prometheus: ClusterPrometheus;
let ended: Experiment;
beforeAll(async () => {
  lab = await ClusterLab.open();
  prometheus = await ClusterPrometheus.start(lab.client);
  phases = await lab.watch('drun', ['metadata.name', 'status.phase']);
  pods = await lab.watch('pods', [
    'metadata.name',
    'spec.nodeName',
    'status.phase',
    'spec.containers[*].resources.limits.nvidia\\.com/gpu',
  ]);
  console.log(await lab.apply(quickstart()));
  ended = await lab.ended('quickstart');
  await waitFor('Prometheus to have seen the end', async () => {
    const isComplete = 'destillml_experiment_phase{experiment="quickstart",phase="Complete"} == 1';
    // Long enough ago for the last step of every range.
    return (await prometheus.instant(isComplete, Date.now() / 1000 - 5))[0];
  });
}, 20 * 60_000);
afterAll(async () => {
  await prometheus?.stop();
  await phases?.stop();
  await pods?.stop();
  await lab?.close();
});

async function trainedRuns() {
  const runs = await lab.runsOf('quickstart');
  return runs.filter(({ spec }) => spec.parameters.role !== 'explanation');
}

/** In which order a Run shows them. */
const order = ['Waiting', 'Queued', 'Starting', 'Running', 'Succeeded'];

describe('the release', () => {
  it('passes its own test', async () => {
    const printed = await helm(['test', 'destillml', '--namespace', 'destillml-system'], lab.client.access);
    expect(printed).toMatch(/Phase:\s+Succeeded/);
  });
});

describe('the quickstart on a cluster', () => {
  it('is complete, as kubectl wait sees it, each of its Runs at the first attempt', async () => {
    await lab.kubectl('wait', '--for=condition=Complete', '--timeout=10s', 'experiment/quickstart');
    expect(ended.status).toMatchObject({ phase: 'Complete', runs: { Succeeded: 6 } });
    // It is written once in an interval.
    await waitFor('the progress of the last epochs', async () => {
      const runs = await trainedRuns();
      return runs.every(({ status }) => status?.progress?.epoch === 6) || undefined;
    });
    const runs = await trainedRuns();
    expect(runs).toHaveLength(5);
    for (const { status } of runs) {
      expect(status).toMatchObject({
        phase: 'Succeeded',
        attempts: 1,
        progress: { epochs: 6 },
        history: { length: 6 },
      });
    }
  });

  it('has had the phases of its Runs in order, the teacher before those that it teaches', async () => {
    const seen = new Map<string, string[]>();
    for (const [, name = '', phase = ''] of phases.lines) {
      if (!order.includes(phase)) continue;
      const own = seen.get(name) ?? [];
      if (own.at(-1) !== phase) own.push(phase);
      seen.set(name, own);
    }
    expect(seen.size).toBe(6);
    for (const own of seen.values()) {
      expect(own).toEqual(order.filter((phase) => own.includes(phase)));
      expect(own).toEqual(expect.arrayContaining(['Waiting', 'Running', 'Succeeded']));
    }
    const line = (part: string, phase: string) =>
      phases.lines.findIndex(([, name, now]) => name?.includes(part) && now === phase);
    for (const arm of ['soft-targets', 'similarity', 'attention']) {
      expect(line(arm, 'Running')).toBeGreaterThan(line('teacher', 'Succeeded'));
      expect(line('explanation', 'Running')).toBeGreaterThan(line(arm, 'Succeeded'));
    }
  });

  it('has used both GPUs at a time, and never more', () => {
    const using = new Map<string, number>();
    let most = 0;
    for (const [event, name = '', node, phase, gpus] of pods.lines) {
      const isUsing = event !== 'DELETED' && node !== '<none>' && /^(Pending|Running)$/.test(phase ?? '');
      using.set(name, isUsing ? Number(gpus) : 0);
      most = Math.max(
        most,
        [...using.values()].reduce((sum, count) => sum + count, 0),
      );
    }
    expect(most).toBe(2);
  });

  it('shows accuracies far above chance, a tenth, in kubectl get', async () => {
    expect(ended.status?.teacherAccuracy?.mean).toBeGreaterThan(0.6);
    expect(ended.status?.best?.testAccuracy.mean).toBeGreaterThan(0.6);
    expect(ended.status?.gpuSeconds).toBeGreaterThan(0);
    const table = await lab.kubectl('get', 'dexp,drun');
    console.log(table);
    expect(table).toMatch(/experiment\.destillml\.io\/quickstart +Complete +6/);
    const runs = table.split('\n').filter((line) => line.startsWith('run.destillml.io/'));
    expect(runs).toHaveLength(6);
    const trained = runs.filter((line) => !line.includes('explanation'));
    for (const line of trained) expect(line).toMatch(/ Succeeded .* 0\.[6-9]\d+ /);
  });

  it('leaves checkpoints, histories and results on the volume', async () => {
    for (const { metadata, status } of await trainedRuns()) {
      const folder = join(lab.volume, lab.namespace, 'quickstart', metadata.name);
      expect(readdirSync(folder)).toEqual(
        expect.arrayContaining(['checkpoints', 'history.jsonl', 'result.json']),
      );
      const { result } = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
      expect(result.testAccuracy).toBeCloseTo(status?.result?.testAccuracy ?? 0, 6);
    }
  });

  it('has explained its networks: numbers in the status, figures and the report on the volume', async () => {
    const runs = await lab.runsOf('quickstart');
    const explanation = runs.find(({ spec }) => spec.parameters.role === 'explanation');
    const { images, maps } = explanation?.status?.explanation ?? {};
    expect(images).toBe(8);
    expect(maps?.map(({ map }) => map)).toEqual(['gradCam', 'lime', 'expectedGradients', 'kernelShap']);
    for (const { agreement, sane } of maps ?? []) {
      expect(agreement).toHaveLength(5);
      expect(Math.max(...agreement.slice(1))).toBeGreaterThan(0);
      expect(sane).toBe(true);
    }
    const folder = join(lab.volume, lab.namespace, 'quickstart', explanation?.metadata.name ?? '');
    expect(readdirSync(join(folder, 'figures'))).toHaveLength(8);
    const report = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(report).toContain('<title>quickstart: knowledge distillation</title>');
    expect(report.match(/<img src="data:image\/png/g)).toHaveLength(8);
    mkdirSync(pictures, { recursive: true });
    writeFileSync(join(pictures, 'report.html'), report);
  });

  it('tells its story in Events', async () => {
    const events = await lab.kubectl('get', 'events', '--output=custom-columns=REASON:.reason');
    for (const reason of ['RunsCreated', 'Started', 'Trained', 'Explained', 'AllRunsSucceeded']) {
      expect(events).toContain(reason);
    }
  });

  it('has been measured by a Prometheus that finds the operator in the cluster', async () => {
    const now = Date.now() / 1000;
    const [up, ...others] = await prometheus.instant('up{job="destillml-operator"}', now);
    expect(others).toEqual([]);
    expect(up?.labels.pod).toMatch(/^destillml-/);
    expect(up?.points.at(-1)?.[1]).toBe(1);
    const reconciled = 'sum(controller_runtime_reconcile_total{controller="run",result="success"})';
    const [sum] = await prometheus.instant(reconciled, now);
    expect(sum?.points.at(-1)?.[1]).toBeGreaterThan(5);
  });

  it.each(Object.entries(dashboards))('is on the dashboard %s', async (name, dashboard) => {
    const now = Math.floor(Date.now() / 1000);
    const start = Math.floor(Date.parse(ended.metadata.creationTimestamp ?? '') / 1000) - 30;
    const range = { start, end: now, step: Math.max(1, Math.round((now - start) / 240)) };
    const json = dashboard.json();
    const variables = await choicesFor(json, { experiment: ['quickstart'] }, prometheus, range);
    const panels = panelsIn(json).filter(({ targets }) => targets.length > 0);
    const empty = await Promise.all(panels.map((panel) => isEmpty(panel, variables, prometheus, range)));
    const titles = panels.filter((_, index) => empty[index]).map(({ title }) => title);
    expect(titles).toEqual((emptyPanels[name] ?? []).map(([title]) => title));
  });

  it('takes Runs, Jobs and pods with it when it is deleted; what is on the volume stays', async () => {
    await lab.kubectl('delete', 'dexp/quickstart');
    await waitFor(
      'all that was made for it to go',
      async () => (await lab.kubectl('get', 'drun,jobs,pods', '--output=name')) === '' || undefined,
      60_000,
    );
    expect(readdirSync(join(lab.volume, lab.namespace, 'quickstart'))).toHaveLength(6);
  });
});
