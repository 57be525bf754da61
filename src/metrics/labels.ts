/**
 * Every label that there is, and what it says. None of them can have values without end: reasons of failures are a list,
 * others are words of the operator's source and of what it passes on of Kubernetes and Kueue, some dozens in all.
 */
export const labelTexts = {
  namespace: 'Namespace of the Experiment.',
  experiment: 'Name of the Experiment.',
  run: 'Name of the Run.',
  study: 'Study of the sweep: teacher, STUDENT.baseline or STUDENT.ARM.',
  stage: 'search, main, scarcity or explanation.',
  role: 'teacher, baseline, distilled or explanation.',
  arm: 'Name of the arm, of a distilled student.',
  student: 'Name of the student, of a baseline or distilled student.',
  seed: 'Seed of the Run.',
  model: 'The network; of an explanation the first that is explained.',
  dataset: 'Name of the data set.',
  teacher: 'Network of the teacher, once it is known.',
  queue: 'Kueue LocalQueue.',
  phase: 'A phase: one series each, 1 for that which it is in and 0 for the others.',
  condition: 'Type of a condition.',
  reason:
    'Why, in one CamelCase word. Those of failures are listed below; of a condition, and of what stands in the way, it is a word of the operator, or of Kubernetes or Kueue where it passes theirs on.',
  message: 'Why, in words, cut to 200 characters.',
  map: 'What made the maps: gradCam, lime, expectedGradients or kernelShap.',
  split: 'train, validation or test.',
  parameter: 'Path of a number that the sweep varies.',
  epoch: 'Epochs completed.',
  term: 'total, crossEntropy or distillation.',
  version: 'Version of the program.',
  controller: 'experiment or run.',
  result: 'How it ended.',
  name: 'Name of the work queue, or of the lease.',
  code: 'HTTP status of the answer.',
  method: 'HTTP method.',
  verb: 'HTTP method.',
  host: 'Host and port of the API server.',
  resource: 'What is watched, such as runs.',
  type: 'Kind of the resource, handle or request.',
  space: 'Space of the heap.',
  kind: 'Kind of the collection.',
  major: 'Part of the version.',
  minor: 'Part of the version.',
  patch: 'Part of the version.',
} as const;

export type LabelName = keyof typeof labelTexts;

/** Which Run it is. */
export const runLabels = ['namespace', 'experiment', 'run'] as const;

/** What Runs that differ in their seed only have in common. */
export const techniqueLabels = ['namespace', 'experiment', 'stage', 'role', 'arm', 'student'] as const;

/** Which Run it is, and what is trained in it: whatever Runs are compared by. */
export const identityLabels = [
  'namespace',
  'experiment',
  'run',
  'stage',
  'role',
  'arm',
  'student',
  'seed',
] as const;
