/**
 * What the operator and the pods of its Runs agree on: names in the pod that the trainer reads, and labels that the
 * operator finds pods by.
 */

export const container = 'trainer';

export const label = {
  run: 'destillml.io/run',
  /** Tells the pods of a Run from those of a deleted one with the same name. */
  runUid: 'destillml.io/run-uid',
} as const;

/** Hash of what of its Experiment a Job was made of. */
export const madeOfAnnotation = 'destillml.io/made-of';

/** On a Job whose trainer is to find its artifacts complete and say again what they came to. */
export const readsResultAnnotation = 'destillml.io/reads-result';

/** Epoch at which the trainer of a Job was told to pause, as text; absent where it trains to the end. */
export const untilEpochAnnotation = 'destillml.io/until-epoch';

/** Number of GPUs that a pod holds, as text. */
export const gpusAnnotation = 'destillml.io/gpus';

export const folder = {
  /** The claim of `spec.storage`, or an empty folder that goes with the pod. */
  artifacts: '/artifacts',
  /** Claim of another Experiment whose network is the teacher, read-only. */
  teacher: '/teacher',
  /** Data sets that are downloaded or unpacked, where no claim keeps them. */
  data: '/data',
  /** Each claim with a data set or the file of a teacher is mounted at its name in here, read-only. */
  claims: '/data-source',
  /** The token (`token`) for reporting to the operator. */
  push: '/var/run/secrets/destillml',
  temporary: '/tmp',
} as const;

/** Environment of the trainer beside `DESTILL_ASSIGNMENT`. */
export const variable = {
  assignment: 'DESTILL_ASSIGNMENT',
  /** File that the kubelet mounts: it can be written, not replaced by another. */
  terminationLog: 'DESTILL_TERMINATION_LOG',
  /** Folder in which each claim is mounted at its name. */
  claims: 'DESTILL_CLAIMS',
  /** Where to POST progress to. */
  pushUrl: 'DESTILL_PUSH_URL',
  /** File with the token to show; it is replaced while the pod runs. */
  pushToken: 'DESTILL_PUSH_TOKEN_FILE',
  /** Authority that vouches for the server, PEM. */
  pushCa: 'DESTILL_PUSH_CA',
  /** Port to serve metrics at. */
  metricsPort: 'DESTILL_METRICS_PORT',
} as const;

/** Port of the trainer's metrics. PodMonitors find it by its name. */
export const metricsPort = { name: 'metrics', containerPort: 8080 } as const;

export const terminationLog = '/dev/termination-log';
