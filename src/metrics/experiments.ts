import { techniqueLabels } from './labels.ts';
import { metric } from './metric.ts';

const experiment = ['namespace', 'experiment'] as const;

/** Of Experiments, by the operator that leads. */
export const experimentMetrics = {
  info: metric({
    name: 'destillml_experiment_info',
    type: 'gauge',
    unit: 'info',
    help: 'Every Experiment, always 1',
    labels: [...experiment, 'dataset', 'teacher', 'queue'],
  }),
  phase: metric({
    name: 'destillml_experiment_phase',
    type: 'gauge',
    unit: 'state',
    help: 'Whether the Experiment is in this phase (1) or not (0)',
    labels: [...experiment, 'phase'],
  }),
  condition: metric({
    name: 'destillml_experiment_condition',
    type: 'gauge',
    unit: 'state',
    help: 'Status of a condition of the Experiment: True (1), False (0), Unknown (-1)',
    labels: [...experiment, 'condition', 'reason'],
  }),
  runs: metric({
    name: 'destillml_experiment_runs',
    type: 'gauge',
    unit: 'count',
    help: 'Runs of the Experiment that are in a phase',
    labels: [...experiment, 'phase'],
  }),
  gpus: metric({
    name: 'destillml_experiment_gpus',
    type: 'gauge',
    unit: 'count',
    help: 'GPUs that Runs of the Experiment hold now; added up over time they are what it has used, also after Runs are gone',
    labels: experiment,
  }),
  createdTime: metric({
    name: 'destillml_experiment_created_time_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When the Experiment was created, since 1970',
    labels: experiment,
  }),
  startTime: metric({
    name: 'destillml_experiment_start_time_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When its first Run started, since 1970',
    labels: experiment,
  }),
  completionTime: metric({
    name: 'destillml_experiment_completion_time_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When its last Run ended, since 1970',
    labels: experiment,
  }),
  testAccuracy: metric({
    name: 'destillml_experiment_test_accuracy',
    type: 'gauge',
    unit: 'ratio',
    help: 'Mean test accuracy of a technique over its seeds; of what was searched for, with the configuration that was chosen',
    labels: techniqueLabels,
  }),
  testAccuracyDeviation: metric({
    name: 'destillml_experiment_test_accuracy_deviation',
    type: 'gauge',
    unit: 'ratio',
    help: 'Standard deviation of that over the seeds, from two on',
    labels: techniqueLabels,
  }),
  gain: metric({
    name: 'destillml_experiment_gain',
    type: 'gauge',
    unit: 'ratio',
    help: 'Mean test accuracy of a technique minus that of the baseline of the same student, seed by seed',
    labels: techniqueLabels,
  }),
  gainLow: metric({
    name: 'destillml_experiment_gain_low',
    type: 'gauge',
    unit: 'ratio',
    help: 'Lower end of the 95 % confidence interval of that gain, from two seeds on that are not all alike',
    labels: techniqueLabels,
  }),
  gainHigh: metric({
    name: 'destillml_experiment_gain_high',
    type: 'gauge',
    unit: 'ratio',
    help: 'Upper end of the 95 % confidence interval of that gain, from two seeds on that are not all alike',
    labels: techniqueLabels,
  }),
  gapClosed: metric({
    name: 'destillml_experiment_gap_closed_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Gain as a share of what the teacher is better than the baseline; nothing where it is not better',
    labels: techniqueLabels,
  }),
  accuracyRetained: metric({
    name: 'destillml_experiment_accuracy_retained_ratio',
    type: 'gauge',
    unit: 'ratio',
    help: 'Mean test accuracy of students divided by that of the teacher',
    labels: techniqueLabels,
  }),
  studyRuns: metric({
    name: 'destillml_study_runs',
    type: 'gauge',
    unit: 'count',
    help: 'Runs of a study of the sweep that are in a phase',
    labels: [...experiment, 'study', 'phase'],
  }),
  studyBestAccuracy: metric({
    name: 'destillml_study_best_accuracy',
    type: 'gauge',
    unit: 'ratio',
    help: 'Validation accuracy of the best configuration of a study so far',
    labels: [...experiment, 'study'],
  }),
  studyBestValue: metric({
    name: 'destillml_study_best_value',
    type: 'gauge',
    unit: 'any',
    help: 'What the best configuration of a study so far sets a parameter to; of what is there or not 1 or 0',
    labels: [...experiment, 'study', 'parameter'],
  }),
} as const;
