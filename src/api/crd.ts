import type { z } from 'zod';
import { experimentSpec, experimentStatus } from './experiment.ts';
import { labelName } from './names.ts';
import { runSpec, runStatus } from './run.ts';
import type { Structural } from './schema.ts';
import { structural } from './structural.ts';

const group = 'destillml.io';
const version = 'v1alpha1';

/** The whole Experiment, as the API server checks it. */
export const experimentSchema = rootSchema(
  'Experiment',
  'A knowledge-distillation experiment: a teacher, students, and the techniques to compare.',
  experimentSpec,
  experimentStatus,
);

/** The whole Run, as the API server checks it. */
export const runSchema = rootSchema(
  'Run',
  'The training of one network, made by its Experiment.',
  runSpec,
  // What a Run is that nothing has happened to yet: it need not be written for each of thousands.
  runStatus.prefault({}),
);

type Column = {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: 1;
};

const age: Column = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

export const experimentDefinition = definition('Experiment', 'experiments', 'dexp', experimentSchema, [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  { name: 'Succeeded', type: 'integer', jsonPath: '.status.runs.Succeeded', description: 'Runs succeeded' },
  {
    name: 'Queued',
    type: 'integer',
    jsonPath: '.status.runs.Queued',
    description: 'Runs that wait for GPUs',
  },
  { name: 'Running', type: 'integer', jsonPath: '.status.runs.Running', description: 'Runs in training' },
  { name: 'Failed', type: 'integer', jsonPath: '.status.runs.Failed', description: 'Runs failed' },
  { name: 'Best', type: 'string', jsonPath: '.status.best.arm', description: 'Best technique' },
  {
    name: 'Accuracy',
    type: 'number',
    jsonPath: '.status.best.testAccuracy.mean',
    description: 'Mean test accuracy of the best technique, 0-1',
  },
  {
    name: 'Baseline',
    type: 'number',
    jsonPath: '.status.baselineAccuracy.mean',
    description: 'Mean test accuracy of the same student without distillation, 0-1',
  },
  {
    name: 'Teacher',
    type: 'number',
    jsonPath: '.status.teacherAccuracy.mean',
    description: 'Test accuracy of the teacher, 0-1',
  },
  { name: 'Queue', type: 'string', jsonPath: '.spec.queue', description: 'Kueue LocalQueue' },
  { name: 'GPU-seconds', type: 'number', jsonPath: '.status.gpuSeconds', priority: 1 },
  age,
]);

export const runDefinition = definition('Run', 'runs', 'drun', runSchema, [
  { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
  { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
  { name: 'Student', type: 'string', jsonPath: '.spec.parameters.student' },
  { name: 'Arm', type: 'string', jsonPath: '.spec.parameters.arm' },
  { name: 'Seed', type: 'integer', jsonPath: '.spec.parameters.seed' },
  {
    name: 'Trial',
    type: 'integer',
    jsonPath: '.spec.trial.number',
    description: 'Number in the study of a search',
  },
  { name: 'Epoch', type: 'integer', jsonPath: '.status.progress.epoch' },
  {
    name: 'Rung',
    type: 'integer',
    jsonPath: '.status.rungs[-1:].epoch',
    description: 'Epoch at which it was paused last',
  },
  {
    name: 'Accuracy',
    type: 'number',
    jsonPath: '.status.result.testAccuracy',
    description: 'Test accuracy, 0-1',
  },
  {
    name: 'Validation',
    type: 'number',
    jsonPath: '.status.progress.bestValidationAccuracy',
    description: 'Best validation accuracy so far, 0-1',
  },
  { name: 'Role', type: 'string', jsonPath: '.spec.parameters.role', priority: 1 },
  { name: 'Model', type: 'string', jsonPath: '.spec.parameters.model', priority: 1 },
  { name: 'Experiment', type: 'string', jsonPath: '.spec.experiment', priority: 1 },
  age,
  // Last: where it is too long for a line, nothing else is torn.
  {
    name: 'Values',
    type: 'string',
    jsonPath: '.spec.trial.summary',
    description: 'What a trial of a search sets',
  },
]);

function rootSchema(kind: string, description: string, spec: z.ZodType, status: z.ZodType): Structural {
  return {
    type: 'object',
    description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', enum: [`${group}/${version}`] },
      kind: { type: 'string', enum: [kind] },
      metadata: { type: 'object', properties: { name: structural(labelName, 'metadata.name') } },
      spec: { ...structural(spec, 'spec'), description: 'What is wanted.' },
      status: { ...structural(status, 'status'), description: 'What was observed; written by the operator.' },
    },
  };
}

function definition(
  kind: string,
  plural: string,
  shortName: string,
  schema: Structural,
  columns: readonly Column[],
) {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { 'app.kubernetes.io/name': 'destillml', 'app.kubernetes.io/part-of': 'destillml' },
    },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [shortName],
        categories: ['destillml'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
}
