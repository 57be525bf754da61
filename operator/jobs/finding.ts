import type { RunPhase } from '@destillml/core/api/meta.ts';

/** Where a Run is, and why. */
export type Finding = {
  readonly phase: RunPhase;
  /** One CamelCase word. */
  readonly reason: string;
  /** What is the case and, where something stands in the way, what to do. */
  readonly message: string;
  /** It does not go on by itself, or not soon. */
  readonly blocked?: boolean;
};
