import { ApiClient, type ApiClientOptions } from '../../operator/runtime/api-client.ts';
import { Connection } from '../../operator/runtime/connection.ts';
import { loadKubeConfig } from '../../operator/runtime/kube-config.ts';
import type { ObjectMeta, Resource } from '../../operator/runtime/resource.ts';
import type { Access } from '../cluster/client.ts';

export type ConfigMap = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly data?: Readonly<Record<string, string>>;
};

export const configMaps: Resource<ConfigMap> = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
};

/** The operator's own way to the API server; whoever makes a connection closes it. */
export function connect(access: Access): Connection {
  return new Connection(loadKubeConfig({ file: access.kubeconfig }));
}

export function clientOn(connection: Connection, options: Partial<ApiClientOptions> = {}): ApiClient {
  return new ApiClient({
    connection,
    fieldManager: 'destillml-test',
    userAgent: 'destillml-test',
    ...options,
  });
}
