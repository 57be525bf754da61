import { DestillError } from '@destillml/core/errors.ts';
import { shownOutput } from '@destillml/core/text/shown-output.ts';
import { CommanderError } from 'commander';
import { pino } from 'pino';
import { type OperatorConfig, readConfig } from './config.ts';
import { Operator } from './operator.ts';
import { systemClock } from './runtime/clock.ts';
import { loadKubeConfig } from './runtime/kube-config.ts';

/**
 * Runs the operator until it is told to stop.
 *
 * @returns exit code. 0: stopped as it was asked to; 1: something failed; 2: the command line is wrong.
 */
export async function main(stop: AbortSignal): Promise<number> {
  let config: OperatorConfig;
  try {
    const { env, stdout, stderr } = process;
    config = readConfig(process.argv.slice(2), { env, stdout, stderr });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof DestillError)) throw error;
    shownOutput(process.stderr).write(`error: ${error.message}\n`);
    return 2;
  }
  const log = pino(
    { base: null, level: config.logLevel },
    shownOutput(pino.destination({ dest: 1, sync: true })),
  );
  log.info({ config }, 'starting');
  try {
    const kubeConfig = loadKubeConfig({
      ...(config.kubeconfig === undefined ? {} : { file: config.kubeconfig }),
      ...(config.context === undefined ? {} : { context: config.context }),
    });
    const operator = new Operator(config, { kubeConfig, clock: systemClock, random: Math.random, log });
    await operator.run(stop);
    log.info('stopped');
    return 0;
  } catch (error) {
    if (stop.aborted) return 0;
    if (error instanceof DestillError) log.error({ code: error.code }, error.message);
    else log.fatal({ err: error }, 'unexpected error, please report it');
    return 1;
  }
}
