import type { RunPhase } from '@destillml/core/api/meta.ts';
import { type HoldUp, holdUpOf } from '@destillml/core/plan/hold-up.ts';
import { isFinal, phaseOf } from '@destillml/core/plan/phases.ts';
import type { Memory } from '@destillml/core/plan/wanted.ts';
import { summarise } from '@destillml/core/results/summary.ts';
import { ownRuns, teacherOf } from '../controllers/experiment.ts';
import type { Experiment, Run } from '../controllers/kinds.ts';
import type { Known } from '../controllers/world.ts';
import type { Job, Pod } from '../jobs/objects.ts';
import { occupies } from '../jobs/own-pods.ts';
import { gpusOf, nodeOf } from '../jobs/pod.ts';
import { keyOf } from '../runtime/resource.ts';
import { waitingSince } from './attempts.ts';
import { experimentReadings, type SeenExperiment, seenExperiment } from './experiment-series.ts';
import { explanationReadings, seenMaps } from './explanation-series.ts';
import { expositions } from './exposition.ts';
import { runReadings, type SeenRun, seenRun } from './run-series.ts';

type Studies = {
  readonly experiments: Known<Experiment>;
  readonly runs: Known<Run>;
  readonly jobs: Known<Job>;
  readonly pods: Known<Pod>;
};

type GpusOfRun = (run: Run) => number | undefined;

/** Phases of Runs that may train and have no trainer. */
const waits: ReadonlySet<RunPhase> = new Set(['Queued', 'Starting']);

/** Failures of a Run by reason, as they were seen. */
type Failures = (key: string) => ReadonlyMap<string, number>;

/** Experiments and Runs as metrics: as the caches show them at the moment it is asked, so what is gone has no series. */
export class StateMetrics {
  readonly #world: Studies;
  readonly #failures: Failures;
  /** By key, of the Experiments that there were: what makes their next summary quicker. */
  #memories: ReadonlyMap<string, Memory> = new Map();

  constructor(world: Studies, failures: Failures) {
    this.#world = world;
    this.#failures = failures;
  }

  /** This moment in Prometheus' text format 0.0.4, in parts; none, while not all is known. */
  parts(): Iterable<string> {
    const { experiments, runs, jobs, pods } = this.#world;
    if (![experiments, runs, jobs, pods].every(({ isSynced }) => isSynced)) return [];
    const seenRuns = [...runs.cache.values()].map((run) => this.#run(run));
    const gpus = new Map(seenRuns.map(({ run, gpus: held }) => [run, held]));
    const seen = this.#experiments((run) => gpus.get(run));
    const explained = seen.flatMap((each) => each.explained);
    return (function* () {
      yield* expositions(experimentReadings, seen);
      yield* expositions(runReadings, seenRuns);
      yield* expositions(explanationReadings, explained);
    })();
  }

  #experiments(gpusOfRun: GpusOfRun): readonly SeenExperiment[] {
    const memories = new Map<string, Memory>();
    const seen = [...this.#world.experiments.cache.values()].map((experiment) => {
      const key = keyOf(experiment.metadata);
      const memory = this.#memories.get(key) ?? {};
      memories.set(key, memory);
      return this.#experiment(experiment, memory, gpusOfRun);
    });
    this.#memories = memories;
    return seen;
  }

  #experiment(experiment: Experiment, memory: Memory, gpusOfRun: GpusOfRun): SeenExperiment {
    const external = teacherOf(experiment, this.#world);
    const taken = external && 'run' in external ? external : undefined;
    const own = ownRuns(this.#world, experiment);
    return seenExperiment(experiment, {
      teacher: experiment.spec.teacher.model ?? taken?.model,
      rows: summarise(experiment, own, external, memory).rows,
      runs: Map.groupBy(own, phaseOf),
      gpus: own.reduce((sum, run) => sum + (gpusOfRun(run) ?? 0), 0),
      explained: seenMaps(experiment, own, taken?.run),
    });
  }

  #run(run: Run): SeenRun {
    const key = keyOf(run.metadata);
    return seenRun(run, {
      gpus: isFinal(phaseOf(run)) ? undefined : this.#gpus(run, key),
      waitingSince: waits.has(phaseOf(run)) ? waitingSince(run, this.#world.jobs.cache.get(key)) : undefined,
      holdUp: phaseOf(run) === 'Waiting' ? this.#holdUp(run) : undefined,
      failures: this.#failures(key),
    });
  }

  #holdUp(run: Run): HoldUp {
    const { experiments, runs } = this.#world;
    const { namespace } = run.metadata;
    const { teacherRun, teacherNamespace = namespace } = run.spec.parameters;
    const experiment = experiments.cache.get(keyOf({ namespace, name: run.spec.experiment }));
    const teacher =
      teacherRun === undefined
        ? undefined
        : runs.cache.get(keyOf({ namespace: teacherNamespace, name: teacherRun }));
    return holdUpOf(run, experiment, teacher);
  }

  #gpus(run: Run, key: string): number | undefined {
    const holding = this.#world.pods.cache
      .byIndex('run', key)
      .filter((pod) => nodeOf(pod) !== undefined && occupies(pod, run));
    return holding.length === 0 ? undefined : holding.reduce((sum, pod) => sum + gpusOf(pod), 0);
  }
}
