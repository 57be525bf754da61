import { existsSync } from 'node:fs';
import { DestillError } from '@destillml/core/errors.ts';
import { KubeConfig } from '@kubernetes/client-node';

const inClusterToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export type KubeConfigOptions = {
  /** Path of a kubeconfig; without it the pod's service account, outside of pods `$KUBECONFIG` or `~/.kube/config`. */
  readonly file?: string;
  /** Context of the kubeconfig; its current one unless told. */
  readonly context?: string;
};

/** How to reach the cluster. @throws DestillError `Environment` that says what to give, unless there is one */
export function loadKubeConfig({ file, context }: KubeConfigOptions): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file !== undefined) config.loadFromFile(file);
    else if (existsSync(inClusterToken)) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new DestillError('Environment', `kubeconfig ${file ?? ''}: cannot be read: ${what}`, {
      cause: error,
    });
  }
  if (isPlaceholder(config)) throw noCluster('there is neither $KUBECONFIG nor ~/.kube/config');
  if (context !== undefined) config.setCurrentContext(context);
  if (config.getCurrentCluster() === null) {
    const contexts = config.getContexts().map(({ name }) => name);
    const known = contexts.length === 0 ? '' : ` (contexts: ${contexts.join(', ')})`;
    const wanted = config.getCurrentContext() ?? '';
    throw noCluster(`context "${wanted}" is not in ${file ?? 'the kubeconfig'}${known}`);
  }
  return config;
}

function noCluster(why: string): DestillError {
  return new DestillError('Environment', `no cluster to talk to: ${why}; give --kubeconfig and --context`);
}

/** What client-node makes up where it finds nothing: a cluster at localhost:8080 that hardly anybody has. */
function isPlaceholder(config: KubeConfig): boolean {
  return (
    config.getCurrentContext() === 'loaded-context' &&
    config.getCurrentCluster()?.server === 'http://localhost:8080'
  );
}
