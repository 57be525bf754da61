import { afterAll, beforeAll, expect, it } from 'vitest';
import { dashboards } from '../../../dashboards/all.ts';
import { GoldenPrometheus, hour } from '../prometheus.ts';
import { choicesFor, valuesOf } from './choices.ts';
import { Prometheus } from './prometheus-client.ts';

let golden: GoldenPrometheus;
let prometheus: Prometheus;
beforeAll(async () => {
  golden = await GoldenPrometheus.start();
  prometheus = new Prometheus(golden.url);
});
afterAll(async () => {
  await golden?.stop();
});

const choices = async (name: string, given = {}) => {
  const { __rate_interval, __interval, __range, __range_s, ...chosen } = await choicesFor(
    dashboards[name]!.json(),
    given,
    prometheus,
    hour,
  );
  return chosen;
};

it('an Experiment is looked at first that is the newest, in all namespaces', async () => {
  expect(await choices('experiment')).toEqual({
    datasource: 'prometheus',
    namespace: ['lab', 'speech'],
    experiment: 'digits',
  });
});

it('a sweep is looked at first of the newest Experiment that has one, with two of its parameters', async () => {
  expect(await choices('sweep')).toEqual({
    datasource: 'prometheus',
    namespace: ['lab', 'speech'],
    experiment: 'cifar',
    parameter: 'distillation.softTargets.temperature',
    other: 'training.optimizer.learningRate',
  });
});

it('a Run is looked at first that started last, unsmoothed', async () => {
  expect(await choices('run', { experiment: 'cifar' })).toMatchObject({
    run: 'cifar-hints-small-1',
    smoothing: '1m',
  });
});

it('all Runs of the Experiment that train something can be chosen, those too that wait', async () => {
  const { list = [] } = dashboards.run!.json().templating;
  const run = list.find(({ name }) => name === 'run')!;
  const before = { namespace: 'lab', experiment: 'cifar', __range: '3600s' };
  const names = await valuesOf(run, before, prometheus, hour);
  expect(names).toHaveLength(7);
  expect(names[0]).toBe('cifar-hints-small-1');
  expect(names).toContain('cifar-hints-small-2');
});

it('what is chosen already stays', async () => {
  expect(await choices('run', { experiment: 'cifar', run: 'cifar-teacher-1' })).toMatchObject({
    run: 'cifar-teacher-1',
  });
});
