/** What all Jobs of one operator have in common. */
export type JobConfig = {
  /** Images of the trainer. `gpu` is for Runs with at least one GPU. */
  readonly images: { readonly cpu: string; readonly gpu: string };
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** Resource that a GPU is asked for by. */
  readonly gpuResource: string;
  /** User and group of the trainer, and the group that volumes are made writable for. Not 0. */
  readonly user: number;
  /** Time between SIGTERM and SIGKILL: long enough for a step, a validation and a checkpoint. */
  readonly terminationGracePeriodSeconds: number;
  /** Without it Jobs stay until their Run is deleted. */
  readonly ttlSecondsAfterFinished?: number;
  readonly push: PushConfig;
};

/** How a trainer reports to the operator while it works. */
export type PushConfig = {
  /** Address of the operator's server, such as https://destillml.destillml-system.svc:8443. */
  readonly url: string;
  /** Audience of the token that a pod shows. */
  readonly audience: string;
  /** Seconds after which the kubelet replaces the token; at least 600. */
  readonly tokenExpirationSeconds: number;
  /** Authority that vouches for the server, PEM; without it those that Node.js knows. */
  readonly ca?: string;
};

export const defaultJobConfig = {
  gpuResource: 'nvidia.com/gpu',
  user: 10_001,
  terminationGracePeriodSeconds: 120,
  push: { audience: 'destillml', tokenExpirationSeconds: 3600 },
} as const;
