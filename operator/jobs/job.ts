import { hash } from 'node:crypto';
import type { Experiment } from '@destillml/core/api/experiment.ts';
import type { Run } from '@destillml/core/api/run.ts';
import { runLabels } from '@destillml/core/plan/manifest.ts';
import { canonicalJson } from '@destillml/core/plan/naming.ts';
import type { V1PodSpec } from '@kubernetes/client-node';
import type { JobConfig } from './config.ts';
import {
  container,
  gpusAnnotation,
  label,
  madeOfAnnotation,
  metricsPort,
  readsResultAnnotation,
  terminationLog,
  untilEpochAnnotation,
} from './contract.ts';
import { environment } from './environment.ts';
import { failurePolicy } from './failure-policy.ts';
import { kueueLabels, workloadPriorityClass } from './kueue-labels.ts';
import type { Job, Json } from './objects.ts';
import { resources } from './resources.ts';
import { retriesLeft } from './retries.ts';
import { pauseOf } from './rungs.ts';
import { containerSecurity, podSecurity } from './security.ts';
import { teacherPlace } from './teacher.ts';
import { isToRead } from './unread-result.ts';
import { volumes } from './volumes.ts';

/**
 * The Job that trains a Run. It has the Run's name, so that a Run never has two.
 *
 * With a queue it is created suspended, once: from then on Kueue owns `suspend`, parallelism, node selectors and
 * tolerations. Without storage, checkpoints go with the pod, and of the results only `status` stays.
 *
 * The Job controller counts pods against `backoffLimit` that Kueue took back before their trainers began, too. So it is
 * what is left of the retries by the Run's own accounts, and a Job that ends too early is followed by another: see
 * retries.ts.
 *
 * `teacherOwner` is the Experiment that trained the teacher, where that is another: needed with `spec.teacher.from`. An S3
 * store of another namespace is reached with the secret of that name in the namespace of the Run.
 *
 * @throws DestillError `InvalidSpec`, `TeacherMissing`: nothing to start, and what to change.
 */
export function jobFor(run: Run, experiment: Experiment, config: JobConfig, teacherOwner?: Experiment): Job {
  const { name, namespace = 'default', uid = '' } = run.metadata;
  const { spec } = experiment;
  const pause = pauseOf(run);
  const labels = {
    ...runLabels(run.spec.experiment, run.spec.parameters),
    [label.run]: name,
    [label.runUid]: uid,
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...kueueLabels(experiment) },
      annotations: {
        [madeOfAnnotation]: madeOf(experiment),
        ...(pause === undefined ? {} : { [untilEpochAnnotation]: String(pause) }),
        ...(isToRead(run) ? { [readsResultAnnotation]: 'true' } : {}),
      },
      ownerReferences: [
        { apiVersion: run.apiVersion, kind: run.kind, name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      suspend: spec.queue !== undefined,
      parallelism: 1,
      completions: 1,
      backoffLimit: retriesLeft(spec.retries, run.status?.failures),
      // Two pods never write one checkpoint: the next starts when the last has ended, not when it is asked to.
      podReplacementPolicy: 'Failed',
      podFailurePolicy: failurePolicy,
      ...(spec.activeDeadlineSeconds === undefined
        ? {}
        : { activeDeadlineSeconds: spec.activeDeadlineSeconds }),
      ...(config.ttlSecondsAfterFinished === undefined
        ? {}
        : { ttlSecondsAfterFinished: config.ttlSecondsAfterFinished }),
      template: {
        metadata: { labels, annotations: { [gpusAnnotation]: String(spec.pod.gpus) } },
        spec: podSpec(run, experiment, config, teacherOwner),
      },
    },
  };
}

/** Whether the Experiment asks for other pods, another store, queue or priority by now. */
export function isOutdated({ metadata }: Job, experiment: Experiment): boolean {
  const known = metadata.annotations?.[madeOfAnnotation];
  return known !== undefined && known !== madeOf(experiment);
}

function madeOf(experiment: Experiment): string {
  const { pod, storage, queue } = experiment.spec;
  // Without the class, as before there was one here: an upgrade of the operator replaces no Job.
  const priority = workloadPriorityClass(experiment);
  const made = { pod, storage, queue, ...(priority === undefined ? {} : { priority }) };
  return hash('sha256', canonicalJson(made), 'hex').slice(0, 16);
}

function podSpec(
  run: Run,
  experiment: Experiment,
  config: JobConfig,
  teacherOwner: Experiment | undefined,
): Json<V1PodSpec> {
  const { pod, storage } = experiment.spec;
  const teacher = teacherPlace(run, experiment, teacherOwner);
  const mounted = volumes(storage, teacher?.storage, run.spec.parameters, config.push);
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: config.terminationGracePeriodSeconds,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurity(config.user),
    ...(pod.serviceAccountName === undefined ? {} : { serviceAccountName: pod.serviceAccountName }),
    ...(pod.priorityClassName === undefined ? {} : { priorityClassName: pod.priorityClassName }),
    ...(pod.nodeSelector === undefined ? {} : { nodeSelector: pod.nodeSelector }),
    ...(pod.tolerations === undefined ? {} : { tolerations: tolerations(pod.tolerations) }),
    volumes: mounted.volumes,
    containers: [
      {
        name: container,
        image: pod.image ?? (pod.gpus > 0 ? config.images.gpu : config.images.cpu),
        ...(config.imagePullPolicy === undefined ? {} : { imagePullPolicy: config.imagePullPolicy }),
        env: environment(run, experiment, teacher, config.push),
        ports: [metricsPort],
        resources: resources(pod, config.gpuResource),
        volumeMounts: mounted.volumeMounts,
        securityContext: containerSecurity,
        terminationMessagePath: terminationLog,
        terminationMessagePolicy: 'File',
      },
    ],
  };
}

/** Without the fields that are absent: the schema's type allows them to be undefined. */
function tolerations(given: NonNullable<Experiment['spec']['pod']['tolerations']>) {
  return given.map((toleration) =>
    Object.fromEntries(Object.entries(toleration).filter(([, value]) => value !== undefined)),
  );
}
