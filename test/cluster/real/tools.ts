import { dirname } from 'node:path';
import type { Access } from '../client.ts';

/** In which kubectl and helm know this cluster and no other, and write nothing to the user's folders. */
export function toolEnvironment({ kubeconfig }: Access): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    TERM: process.env.TERM,
    KUBECONFIG: kubeconfig,
    HOME: dirname(kubeconfig),
  };
}
