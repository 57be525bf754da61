import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseExperiment, validateExperiment } from '@destillml/core/api/validate.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { Client } from '../cluster/client.ts';
import { waitFor } from '../cluster/wait.ts';
import { experiments } from '../src/api/arbitrary.ts';
import { existingSpec, refusedChanges, takenChanges } from '../src/api/changes.ts';
import { refusedSpecs } from '../src/api/refused-specs.ts';
import { experimentWith, runWith } from '../src/api/specs.ts';

const client = new Client(inject('controlPlane'));
const example = (name: string) => join(import.meta.dirname, '../../examples', `${name}.yaml`);
let namespace: string;

beforeAll(async () => {
  namespace = await client.newNamespace('definitions');
});
afterAll(() => client.close());

type Stored = {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: unknown;
  readonly status?: unknown;
};

const path = (kind: 'experiments' | 'runs') => `/apis/destillml.io/v1alpha1/namespaces/${namespace}/${kind}`;

/** As `kubectl apply` asks: fields that the schema does not know are an error. */
const strictly = '?dryRun=All&fieldValidation=Strict';

const refusal = (message: string) => ({
  body: { reason: expect.any(String), message: expect.stringContaining(message) },
});

describe('the definitions', () => {
  it.each(['experiments', 'runs'])('of %s are established, with a structural schema', async (plural) => {
    const { status } = await client.send<{ status: { conditions: readonly unknown[] } }>(
      'GET',
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.destillml.io`,
    );
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: 'Established', status: 'True' }),
    );
    expect(status.conditions).not.toContainEqual(
      expect.objectContaining({ type: 'NonStructuralSchema', status: 'True' }),
    );
  });

  it.each([
    ['experiment.spec.training', 'labelSmoothing'],
    ['dexp.spec.distillation.softTargets', 'temperature'],
    ['drun.status.result', 'testAccuracyTop5'],
  ])('are explained by kubectl: %s', async (field, expected) => {
    // The API server publishes the schema of a new definition a moment after its objects.
    const explained = await waitFor('the published schema', async () => {
      try {
        return await client.kubectl('explain', field);
      } catch {
        return undefined;
      }
    });
    expect(explained).toContain(expected);
  });
});

describe('the API server, as this project does offline,', () => {
  it.each(['quickstart', 'cifar100-resnet', 'sweep'])(
    'takes examples/%s.yaml, with the same defaults',
    async (name) => {
      // The examples name a namespace of their own, and would be trained if an operator saw them there.
      const document = parse(readFileSync(example(name), 'utf8'));
      const { spec } = await client.send<Stored>('POST', `${path('experiments')}${strictly}`, {
        ...document,
        metadata: { name },
      });
      expect(spec).toEqual(parseExperiment(document).spec);
    },
  );

  it.each(refusedSpecs)('refuses %s, and names the field', async (_, spec, expected) => {
    const answer = await client.request('POST', `${path('experiments')}${strictly}`, experimentWith(spec));
    expect([400, 422]).toContain(answer.status);
    for (const problem of expected) expect(answer).toMatchObject(refusal(fieldOf(problem)));
  });

  it('takes or refuses any Experiment of the right types, with the same defaults', async () => {
    await fc.assert(
      fc.asyncProperty(experiments, async (document) => {
        const { status, body } = await client.request<Stored>(
          'POST',
          `${path('experiments')}${strictly}`,
          document,
        );
        const isValid = validateExperiment(document).length === 0;
        expect({ status, body }).toMatchObject({ status: isValid ? 201 : 422 });
        if (isValid) expect(body.spec).toEqual(parseExperiment(document).spec);
      }),
      { numRuns: 100 },
    );
  });

  describe('for an Experiment that exists,', () => {
    let resourceVersion: string;
    beforeAll(async () => {
      const stored = await client.send<Stored>('POST', path('experiments'), experimentWith(existingSpec));
      resourceVersion = stored.metadata.resourceVersion;
    });

    const change = (changes: Readonly<Record<string, unknown>>) =>
      client.request('PUT', `${path('experiments')}/study${strictly}`, {
        ...experimentWith({ ...existingSpec, ...changes }),
        metadata: { name: 'study', resourceVersion },
      });

    it.each(takenChanges)('takes %s', async (_, changes) =>
      expect(await change(changes)).toMatchObject({ status: 200 }),
    );

    it.each(refusedChanges)('refuses %s', async (_, changes, expected) => {
      const answer = await change(changes);
      expect(answer).toMatchObject({ status: 422 });
      expect(answer).toMatchObject(refusal(fieldOf(expected)));
    });
  });

  it('keeps the parameters of a Run that exists, and lets it start', async () => {
    const { metadata, spec } = await client.send<Stored>('POST', path('runs'), runWith());
    const { resourceVersion } = metadata;
    const put = (changes: object) =>
      client.request('PUT', `${path('runs')}/study-soft-small-1${strictly}`, {
        ...runWith(),
        metadata: { name: 'study-soft-small-1', resourceVersion },
        spec: Object.assign({}, spec, changes),
      });
    expect(await put({ suspend: false })).toMatchObject({ status: 200 });
    const { parameters } = Object(runWith({ seed: 2 }).spec);
    expect(await put({ parameters })).toMatchObject({
      status: 422,
      ...refusal('spec.parameters: Invalid value: cannot be changed'),
    });
    expect(await put({ experiment: 'other' })).toMatchObject({
      status: 422,
      ...refusal('spec.experiment: Invalid value: "other": cannot be changed'),
    });
  });
});

describe('kubectl', () => {
  let own: string;
  beforeAll(async () => {
    own = await client.newNamespace('kubectl');
  });

  it('applies the examples', async () => {
    const lab = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'vision-lab' } };
    await client.request('POST', '/api/v1/namespaces', lab);
    // An operator under test beside this one would train them: so only as if.
    expect(await client.kubectl('apply', '--dry-run=server', '-f', dirname(example('sweep')))).toBe(
      [
        'experiment.destillml.io/resnet-cifar100',
        'experiment.destillml.io/quickstart',
        'persistentvolumeclaim/experiments',
        'experiment.destillml.io/sweep-quickstart',
        'experiment.destillml.io/temperature-sweep',
      ]
        .map((object) => `${object} created (server dry run)\n`)
        .join(''),
    );
  });

  it('refuses a misspelt file by its field, and leaves an unchanged one as it is', async () => {
    const files = mkdtempSync(join(tmpdir(), 'destillml-files-'));
    onTestFinished(() => rmSync(files, { recursive: true }));
    const apply = (name: string, spec: object) => {
      writeFileSync(join(files, name), JSON.stringify(experimentWith({ ...spec })));
      return client.kubectl('apply', '-n', own, '-f', join(files, name));
    };
    await expect(apply('misspelt', { epochs: 3 })).rejects.toThrow('unknown field "spec.epochs"');
    expect(await apply('right', {})).toBe('experiment.destillml.io/study created\n');
    expect(await apply('again', {})).toBe('experiment.destillml.io/study unchanged\n');
  });

  it('shows where Experiments and Runs are, in columns, and waits for their end', async () => {
    const now = new Date().toISOString();
    const at = (kind: string) => `/apis/destillml.io/v1alpha1/namespaces/${own}/${kind}`;
    await client.send('POST', at('runs'), runWith());
    await client.send('POST', at('experiments'), { ...experimentWith(), metadata: { name: 'shown' } });
    await client.send(
      'PATCH',
      `${at('experiments')}/shown/status`,
      {
        status: {
          phase: 'Complete',
          runs: { Succeeded: 3 },
          best: { arm: 'soft', student: 'small', testAccuracy: { mean: 0.91, runs: 1 } },
          conditions: [
            {
              type: 'Complete',
              status: 'True',
              reason: 'Done',
              message: 'All Runs ended.',
              lastTransitionTime: now,
            },
          ],
        },
      },
      { contentType: 'application/merge-patch+json' },
    );

    const columns = (await client.kubectl('get', '-n', own, 'dexp,drun'))
      .split('\n')
      .map((line) => line.trimEnd().split(/ +/));
    expect(columns).toContainEqual([
      'NAME',
      'PHASE',
      'SUCCEEDED',
      'QUEUED',
      'RUNNING',
      'FAILED',
      'BEST',
      'ACCURACY',
      'BASELINE',
      'TEACHER',
      'QUEUE',
      'AGE',
    ]);
    expect(columns).toContainEqual([
      'experiment.destillml.io/shown',
      'Complete',
      '3',
      'soft',
      '0.91',
      expect.stringMatching(/^\d+s$/),
    ]);
    expect(columns).toContainEqual([
      'NAME',
      'PHASE',
      'REASON',
      'STUDENT',
      'ARM',
      'SEED',
      'TRIAL',
      'EPOCH',
      'RUNG',
      'ACCURACY',
      'VALIDATION',
      'AGE',
      'VALUES',
    ]);
    expect(columns).toContainEqual([
      'run.destillml.io/study-soft-small-1',
      'Waiting',
      'small',
      'soft',
      '1',
      expect.stringMatching(/^\d+s$/),
    ]);
    expect(await client.kubectl('get', '-n', own, 'destillml', '-o', 'name')).toContain(
      'experiment.destillml.io/shown',
    );
    expect(
      await client.kubectl(
        'wait',
        '-n',
        own,
        '--for=condition=Complete',
        '--timeout=10s',
        'experiment/shown',
      ),
    ).toBe('experiment.destillml.io/shown condition met\n');
  });
});

/** Field that a message of this project begins with, as the API server names it. */
function fieldOf(problem: string): string {
  const field = problem.match(/^(spec[^:]*): /)?.[1] ?? 'spec.sweep';
  // It says of the whole item that it is there twice.
  return problem.includes('used already by') ? field.replace(/\.name$/, '') : field;
}
