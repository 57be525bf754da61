import { posix } from 'node:path';

/** Bytes of a name, and of a path: those of Linux, less what the folder around it has. */
const longest = { name: 255, path: 3500 } as const;

/** Where a file that an archive or a bucket calls `name` is, below the folder that holds it all. */
export function entryPath(name: string): string {
  return posix.normalize(name);
}

/** Why such a name cannot be that of a file here; undefined where it can. */
export function entryProblem(name: string): string | undefined {
  const parts = name.split('/');
  if (posix.isAbsolute(name) || parts.includes('..')) return 'leads out of the folder';
  if (name.includes('\0')) return 'has a NUL in its name';
  if (name.includes('\ufffd')) return 'has a name that is not UTF-8';
  if (Buffer.byteLength(name) > longest.path) return `has a name of more than ${longest.path} bytes`;
  if (parts.some((part) => Buffer.byteLength(part) > longest.name))
    return `has a name of more than ${longest.name} bytes`;
  return undefined;
}
