import { describe, expect, it } from 'vitest';
import { catalogue, metrics } from '../../../src/metrics/catalogue.ts';
import { failureReason, failureReasons } from '../../../src/metrics/failure-reasons.ts';
import { labelTexts } from '../../../src/metrics/labels.ts';
import { type Metric, seriesOf } from '../../../src/metrics/metric.ts';
import { metricsPage } from '../../../src/metrics/reference.ts';

const ours = metrics.filter(({ name }) => name.startsWith('destillml_'));
const namesOf = (found: readonly Metric[]) => found.map(({ name }) => name);

describe('the catalogue', () => {
  it('has each name once', () => {
    const names = namesOf(metrics);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('has names of others only for what others gave a name to', () => {
    const others = metrics.filter((metric) => !ours.includes(metric));
    const known = /^(controller_runtime|workqueue|rest_client|leader_election|process|nodejs)_[a-z0-9_]+$/;
    expect(namesOf(others).filter((name) => !known.test(name))).toEqual([]);
  });

  it('has names that say what they are, in base units', () => {
    for (const { name, type, unit } of ours) {
      expect(name).toMatch(
        /^destillml_(experiment|study|run|explanation|trainer|watch|clock|progress|build)_[a-z0-9_]+$/,
      );
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(/_seconds(_total)?$/.test(name), name).toBe(unit === 'seconds');
      expect(/_bytes$/.test(name), name).toBe(unit === 'bytes');
      expect(/_info$/.test(name), name).toBe(unit === 'info');
      expect(name).not.toMatch(/milli|micro|percent|minutes|hours/);
    }
  });

  it('gives histograms, and nothing else, buckets that grow', () => {
    for (const { name, type, buckets } of metrics) {
      expect(buckets !== undefined, name).toBe(type === 'histogram');
      expect(
        buckets?.toSorted((a, b) => a - b),
        name,
      ).toEqual(buckets);
    }
  });

  it('explains every metric in a line without a full stop, and every label', () => {
    for (const { name, help } of ours) expect(help, name).toMatch(/^[A-Z][^\n\\]{10,}[^.\n\\]$/);
    const used = new Set(metrics.flatMap(({ labels }) => labels));
    expect([...used].sort()).toEqual(Object.keys(labelTexts).sort());
  });

  it('says of every metric of an Experiment, Run, trainer or explanation which one it is of', () => {
    const labels = new Map(metrics.map((metric) => [metric.name, metric.labels]));
    for (const [name, of] of labels) {
      if (name.startsWith('destillml_experiment_')) expect(of, name).toContain('experiment');
      if (/^destillml_(trainer|explanation)_/.test(name)) expect(of, name).toContain('run');
    }
    const aggregated = ['destillml_run_queue_wait_seconds', 'destillml_run_startup_seconds'];
    const perRun = [...labels].filter(([name]) => name.startsWith('destillml_run_'));
    expect(perRun.filter(([, of]) => !of.includes('run')).map(([name]) => name)).toEqual(aggregated);
  });
});

describe('the series of a metric', () => {
  it('are those that Prometheus makes of a histogram', () => {
    const metric = metrics.find(({ name }) => name === 'destillml_run_startup_seconds')!;
    expect(Object.fromEntries(seriesOf(metric))).toEqual({
      destillml_run_startup_seconds_bucket: ['namespace', 'queue', 'le'],
      destillml_run_startup_seconds_sum: ['namespace', 'queue'],
      destillml_run_startup_seconds_count: ['namespace', 'queue'],
    });
    const gauge = metrics.find(({ name }) => name === 'destillml_run_epoch')!;
    expect(Object.fromEntries(seriesOf(gauge))).toEqual({
      destillml_run_epoch: ['namespace', 'experiment', 'run'],
    });
  });
});

describe('reasons of failures', () => {
  it('are those that are known, and Other: a label has no end of values', () => {
    expect(failureReason('TrainingDiverged')).toBe('TrainingDiverged');
    expect(failureReason('OutOfMemory')).toBe('OutOfMemory');
    expect(failureReason('WhateverAnImageOfSomebodySays')).toBe('Other');
    expect(failureReason('')).toBe('Other');
    expect(failureReasons).toHaveLength(21);
  });
});

describe('the reference page', () => {
  it('has every metric and every label', () => {
    const page = metricsPage();
    for (const name of namesOf(metrics)) expect(page).toContain(`| \`${name}\` | `);
    for (const name of Object.keys(labelTexts)) expect(page).toContain(`| \`${name}\` | `);
    for (const { title } of catalogue) expect(page).toContain(`## ${title}\n`);
  });
});
