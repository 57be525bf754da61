import type { Run } from '@destillml/core/api/run.ts';
import { type Results, resultsDocument } from '@destillml/core/results/document.ts';
import { type Cluster, noExperiment } from './cluster.ts';

/** What an Experiment in a cluster has come to, also while it is still running. */
export async function clusterResults(cluster: Cluster, name: string, now: Date): Promise<Results> {
  const experiment = await cluster.experiment(name);
  if (experiment === undefined) {
    throw noExperiment(cluster, name);
  }
  const runs = await cluster.runsOf(name);
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
