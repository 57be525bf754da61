import type { Change } from '../../../operator/runtime/cache.ts';
import type { ObjectMeta, Resource } from '../../../operator/runtime/resource.ts';

/** An object with a number in it. */
export type Thing = {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly value: number;
};

export const things: Resource<Thing> = {
  apiVersion: 'test.destillml.io/v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
};

export function thing(name: string, value = 0, metadata: Partial<ObjectMeta> = {}): Thing {
  return { metadata: { name, namespace: 'lab', uid: `uid-${name}`, ...metadata }, value };
}

/** A change in one line, such as `updated lab/a 1 > 2`. */
export function told(change: Change<Thing>): string {
  const { metadata, value } = change.object;
  const before = change.type === 'updated' ? `${change.old.value} > ` : '';
  return `${change.type} ${metadata.name} ${before}${value}`;
}
