import type { TestProject } from 'vitest/node';
import type { Access } from '../cluster/client.ts';
import { startControlPlane } from '../cluster/control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The control plane that all integration tests share, with the CRDs in it: `new Client(inject('controlPlane'))`. */
    readonly controlPlane: Access;
  }
}

/** Starts the control plane of a run of integration tests. @returns what ends it */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane({ crds: true });
  project.provide('controlPlane', controlPlane.access);
  return () => controlPlane.stop();
}
