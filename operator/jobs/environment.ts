import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import type { V1EnvVar } from '@kubernetes/client-node';
import { assignmentText } from './assignment.ts';
import type { PushConfig } from './config.ts';
import { folder, metricsPort, terminationLog, variable } from './contract.ts';
import { s3Environment } from './s3.ts';
import type { TeacherPlace } from './teacher.ts';

/** Environment of the trainer; `contract.ts` and `s3.ts` say what each variable means. */
export function environment(
  run: Run,
  experiment: Experiment,
  teacher: TeacherPlace | undefined,
  push: PushConfig,
): V1EnvVar[] {
  const { name, namespace = 'default' } = run.metadata;
  const { dataset, teacherOnnx } = run.spec.parameters;
  const address = `${push.url.replace(/\/+$/, '')}/v1/namespaces/${namespace}/runs/${name}/progress`;
  return [
    { name: variable.assignment, value: assignmentText(run, experiment, teacher) },
    { name: variable.terminationLog, value: terminationLog },
    { name: variable.pushUrl, value: address },
    { name: variable.pushToken, value: `${folder.push}/token` },
    ...(push.ca === undefined ? [] : [{ name: variable.pushCa, value: push.ca }]),
    { name: variable.metricsPort, value: String(metricsPort.containerPort) },
    ...(dataset.source.persistentVolumeClaim || teacherOnnx?.persistentVolumeClaim
      ? [{ name: variable.claims, value: folder.claims }]
      : []),
    // As many as the container may use, not as the node has: more would wait for each other, and be throttled.
    { name: 'TF_NUM_INTRAOP_THREADS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    // Caches, such as CUDA's of compiled kernels: the root file system is read-only.
    { name: 'HOME', value: folder.temporary },
    ...s3Environment('ARTIFACTS', experiment.spec.storage?.s3),
    ...s3Environment('TEACHER', teacher?.storage.s3),
    ...s3Environment('ONNX', teacherOnnx?.s3),
    ...s3Environment('DATASET', dataset.source.s3),
  ];
}
