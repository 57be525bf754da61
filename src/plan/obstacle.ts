import type { Finding } from './conditions.ts';

/** Something that keeps an Experiment from starting Runs: `reason` in one CamelCase word, `message` with what to do. */
export type Obstacle = { readonly reason: string; readonly message: string };

/** `null`: there is none. `undefined`: nobody looks for any. */
export function prerequisitesFinding(obstacle: Obstacle | null | undefined): readonly Finding[] {
  const type = 'PrerequisitesMet';
  switch (obstacle) {
    case undefined:
      return [];
    case null:
      return [{ type, status: 'True', reason: 'Met', message: 'Nothing that it needs is missing.' }];
    default:
      return [{ type, status: 'False', reason: obstacle.reason, message: obstacle.message }];
  }
}
