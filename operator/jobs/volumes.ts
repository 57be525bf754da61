import type { RunParameters } from '@destillml/core/api/run.ts';
import type { Storage } from '@destillml/core/api/storage.ts';
import type { V1Volume, V1VolumeMount } from '@kubernetes/client-node';
import type { PushConfig } from './config.ts';
import { folder } from './contract.ts';
import type { Json } from './objects.ts';

type Mounted = {
  readonly volumes: readonly Json<V1Volume>[];
  readonly volumeMounts: readonly V1VolumeMount[];
};

type Claim = {
  readonly name: string;
  readonly claim: string;
  readonly path: string;
  readonly readOnly: boolean;
};

/** Volumes of a pod and where the trainer sees them. */
export function volumes(
  storage: Storage | undefined,
  teacher: Storage | undefined,
  parameters: RunParameters,
  push: PushConfig,
): Mounted {
  const claims = claimsOf(storage, teacher, parameters);
  const empty = [
    { name: 'tmp', path: folder.temporary },
    ...(storage === undefined ? [{ name: 'artifacts', path: folder.artifacts }] : []),
    ...(storage?.persistentVolumeClaim ? [] : [{ name: 'data', path: folder.data }]),
  ];
  return {
    volumes: [
      ...empty.map(({ name }) => ({ name, emptyDir: {} })),
      ...claims
        .filter((claim) => volumeOf(claims, claim) === claim.name)
        .map(({ name, claim }) => ({ name, persistentVolumeClaim: { claimName: claim } })),
      { name: 'push', projected: { sources: pushSources(push) } },
    ],
    volumeMounts: [
      ...empty.map(({ name, path }) => ({ name, mountPath: path })),
      ...claims.map((claim) => ({
        name: volumeOf(claims, claim),
        mountPath: claim.path,
        ...(claim.readOnly ? { readOnly: true } : {}),
      })),
      { name: 'push', mountPath: folder.push, readOnly: true },
    ],
  };
}

function claimsOf(
  storage: Storage | undefined,
  teacher: Storage | undefined,
  { dataset, teacherOnnx }: RunParameters,
): readonly Claim[] {
  const own = storage?.persistentVolumeClaim?.claimName;
  const other = teacher?.persistentVolumeClaim?.claimName;
  const data = dataset.source.persistentVolumeClaim?.claimName;
  const file = teacherOnnx?.persistentVolumeClaim?.claimName;
  const input = (name: string, claim: string) => ({
    name,
    claim,
    path: `${folder.claims}/${claim}`,
    readOnly: true,
  });
  return [
    ...(own === undefined
      ? []
      : [{ name: 'artifacts', claim: own, path: folder.artifacts, readOnly: false }]),
    ...(other === undefined || other === own
      ? []
      : [{ name: 'teacher', claim: other, path: folder.teacher, readOnly: true }]),
    ...(data === undefined ? [] : [input('dataset', data)]),
    ...(file === undefined || file === data ? [] : [input('onnx', file)]),
  ];
}

/** A claim is one volume of the pod, however often it is mounted: some drivers wait for ever on the second. */
function volumeOf(claims: readonly Claim[], { name, claim }: Claim): string {
  return claims.find((other) => other.claim === claim)?.name ?? name;
}

function pushSources({ audience, tokenExpirationSeconds }: PushConfig) {
  return [{ serviceAccountToken: { audience, expirationSeconds: tokenExpirationSeconds, path: 'token' } }];
}
