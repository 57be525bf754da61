/** What every object in Kubernetes has. */
export type KubeObject = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
};

/** The part of ObjectMeta that the runtime and the controllers read; the rest is kept as it is. */
export type ObjectMeta = {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  readonly deletionTimestamp?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: unknown;
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
};

/**
 * A kind of object and where the API server serves it.
 *
 * `T` is how its objects look. The API server has checked them against the same schema, so they are taken at that.
 */
export type Resource<T extends KubeObject = KubeObject> = {
  /** Such as `v1`, `batch/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** As in the path, such as `jobs`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: it only ties the type of the objects to the resource. */
  readonly objects?: T;
};

export type ObjectRef = { readonly name: string; readonly namespace?: string | undefined };

/** Path of all objects of a resource, or of those in one namespace. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const root = resource.apiVersion.includes('/') ? '/apis' : '/api';
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${resource.apiVersion}${within}/${resource.plural}`;
}

/** Path of one object. @throws Error if a namespaced object comes without its namespace */
export function objectPath(resource: Resource, { name, namespace }: ObjectRef, subresource?: string): string {
  if (name === '' || (resource.namespaced && !namespace)) {
    throw new Error(`${resource.kind} "${name}": name and namespace are needed`);
  }
  const object = `${collectionPath(resource, namespace)}/${encodeURIComponent(name)}`;
  return subresource === undefined ? object : `${object}/${subresource}`;
}

/** `namespace/name`, or the name alone of what has no namespace: the key of an object in caches and queues. */
export function keyOf({ name, namespace }: ObjectRef): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The object of a key. */
export function refOf(key: string): ObjectRef {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/**
 * Whether the first version of a collection is later than the second. They are whole numbers that grow, which Kubernetes
 * promises since 1.35 and has always kept to.
 */
export function isLater(version: string, other: string): boolean {
  return version.length === other.length ? version > other : version.length > other.length;
}
