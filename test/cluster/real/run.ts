import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a program prints. @throws Error with its command line and what it says is wrong */
export async function run(program: string, ...flags: readonly string[]): Promise<string> {
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { stdout } = await promisify(execFile)(program, flags, { env, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
