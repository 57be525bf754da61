import { execFileSync } from 'node:child_process';
import { run } from './run.ts';

/** Of Debian 12. */
const needed = [
  'containerd',
  'runc',
  'containernetworking-plugins',
  'nftables',
  'iproute2',
  'openssl',
  'gcc',
  'libc6-dev',
  'busybox-static',
] as const;

/**
 * @param install whether what is missing is to be installed, rather than an error
 * @param say is told what is done
 * @throws Error with the command that installs what is missing
 */
export async function checkPackages(install: boolean, say: (what: string) => void): Promise<void> {
  const missing = await missingPackages();
  if (missing.length === 0) return;
  const command = ['apt-get', 'install', '--yes', '--no-install-recommends', ...missing];
  if (!install) {
    throw new Error(
      `Debian packages are missing; install them, then run the same command again:\n\n  ${command.join(' ')}\n`,
    );
  }
  say(`Installing ${missing.join(', ')}.`);
  apt('update', '--quiet=2');
  apt(...command.slice(1), '--quiet=2');
}

async function missingPackages(): Promise<string[]> {
  // It fails if one is not known, having printed what it knows of the others: "ii" are installed.
  const known = await run('sh', '-c', 'dpkg-query --list "$@" 2>/dev/null || true', 'sh', ...needed);
  const installed = new Set(known.split('\n').flatMap((line) => line.match(/^ii +([^ :]+)/)?.[1] ?? []));
  return needed.filter((name) => !installed.has(name));
}

function apt(...flags: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', flags, { env, stdio: ['ignore', 2, 2] });
}
