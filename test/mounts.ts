/** Real volumes for tests: full ones, read-only ones, as a process with mounts of its own sees them. */
import { describe } from 'vitest';

/** Mounting needs root. Where tests are trusted to say that all is well, in CI, they fail without it. */
export const describeWithMounts = describe.skipIf(process.getuid?.() !== 0 && process.env.CI === undefined);

/**
 * Starts a command with mounts that only it sees.
 *
 * @param mounts shell commands
 * @param after shell commands that see the mounts when it has ended
 */
export function withMounts(mounts: string, after = 'true'): [program: string, ...args: string[]] {
  const script = `set -e; ${mounts}; set +e; "$@"; code=$?; ${after}; exit $code`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}
