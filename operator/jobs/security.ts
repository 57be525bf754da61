import type { V1PodSecurityContext, V1SecurityContext } from '@kubernetes/client-node';

/** What the Pod Security level `restricted` asks of a pod, and volumes that its user may write to. */
export function podSecurity(user: number): V1PodSecurityContext {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    // Changing the owner of every file of a large volume takes minutes.
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** What it asks of a container, and a root file system that cannot be written to. */
export const containerSecurity: V1SecurityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
};
