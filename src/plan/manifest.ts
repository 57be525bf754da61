import type { Experiment } from '../api/experiment.ts';
import type { Run, RunParameters } from '../api/run.ts';
import type { WantedRun } from './naming.ts';

/** The Run to create for an Experiment: suspended, owned by it, and labelled so that each part can be selected. */
export function runManifest(experiment: Experiment, { name, parameters }: WantedRun): Run {
  const { metadata } = experiment;
  return {
    apiVersion: 'destillml.io/v1alpha1',
    kind: 'Run',
    metadata: {
      name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      labels: runLabels(metadata.name, parameters),
      ...(metadata.uid === undefined ? {} : { ownerReferences: [owner(experiment, metadata.uid)] }),
    },
    spec: { experiment: metadata.name, parameters, suspend: true },
  };
}

/** The recommended labels, and one for each part of a Run that objects are selected by. */
export function runLabels(experiment: string, parameters: RunParameters): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'destillml',
    'app.kubernetes.io/instance': experiment,
    'app.kubernetes.io/component': parameters.role,
    'app.kubernetes.io/part-of': 'destillml',
    'app.kubernetes.io/managed-by': 'destillml',
    'destillml.io/experiment': experiment,
    'destillml.io/stage': parameters.stage,
    'destillml.io/role': parameters.role,
    ...(parameters.arm === undefined ? {} : { 'destillml.io/arm': parameters.arm }),
    ...(parameters.student === undefined ? {} : { 'destillml.io/student': parameters.student }),
    'destillml.io/seed': String(parameters.seed),
  };
}

function owner({ apiVersion, kind, metadata }: Experiment, uid: string) {
  return { apiVersion, kind, name: metadata.name, uid, controller: true, blockOwnerDeletion: true };
}
