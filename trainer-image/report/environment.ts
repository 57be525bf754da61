import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import packageFile from '../package.json' with { type: 'json' };

const withEnvironment = z.object({ environment: z.record(z.string(), z.string()) });

/** Versions of DestillML and of what the Runs of these folders were trained with, as far as they have ended. */
export function environmentOf(folders: readonly string[]): Record<string, string> {
  const environments = folders.map((folder) => environmentIn(join(folder, 'result.json')));
  return { destillml: packageFile.version, node: process.version, ...environments.find((found) => found) };
}

function environmentIn(path: string): Record<string, string> | undefined {
  try {
    return withEnvironment.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data?.environment;
  } catch {
    return undefined;
  }
}
