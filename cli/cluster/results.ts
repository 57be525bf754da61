import type { Run } from '@destillml/core/api/run.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { type Results, resultsDocument } from '@destillml/core/results/document.ts';
import type { Cluster } from './cluster.ts';

/** What an Experiment in a cluster has come to, also while it is still running. */
export async function clusterResults(cluster: Cluster, name: string, now: Date): Promise<Results> {
  const runs = await cluster.runsOf(name);
  const experiment = await cluster.experiment(name);
  if (experiment === undefined) {
    throw new DestillError('InvalidSpec', `the Experiment ${name} is being deleted: its Runs go with it`);
  }
  return resultsDocument(experiment, runs, {}, now, await teacherOf(cluster, runs));
}

/** The teacher that is of another Experiment of the namespace, if there is one. */
async function teacherOf(cluster: Cluster, runs: readonly Run[]) {
  const run = await cluster.foreignTeacher(runs);
  if (run === undefined) return undefined;
  const { result } = run.status ?? {};
  const { model } = run.spec.parameters;
  return { run: run.metadata.name, model, ...(result === undefined ? {} : { result }) };
}
