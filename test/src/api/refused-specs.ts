import { modelNames } from '@destillml/core/api/models.ts';
import { sweepablePaths } from '@destillml/core/api/sweepable.ts';
import { sweepWith } from './specs.ts';

/** What is wrong, the fields of the spec that are, and what is said of each: `field: value is not allowed; …`. */
export type RefusedSpec = readonly [string, Readonly<Record<string, unknown>>, readonly string[]];

const models = `one of ${modelNames.join(', ')}`;
const paths = `one of ${sweepablePaths.join(', ')}`;
const soft = [{ name: 'soft', softTargets: {} }];
/** What names may be. */
export const label = 'lower-case letters, digits and hyphens, beginning and ending with a letter or digit';

const types: readonly RefusedSpec[] = [
  [
    'a field in the wrong place',
    { epochs: 3 },
    ['spec.epochs: unknown field; did you mean training.epochs?'],
  ],
  [
    'a misspelt field',
    { training: { epoch: 3, optimizer: { learningrate: 0.1 } } },
    [
      'spec.training.optimizer.learningrate: unknown field; did you mean learningRate?',
      'spec.training.epoch: unknown field; did you mean epochs?',
    ],
  ],
  [
    'a field that is like no other',
    { storage: { nfs: {} } },
    ['spec.storage.nfs: unknown field; known are persistentVolumeClaim, s3'],
  ],
  [
    'a field where none is known',
    { dataset: { name: 'mnist', source: { packaged: { path: 'x' } } } },
    ['spec.dataset.source.packaged.path: unknown field; none is known here'],
  ],
  [
    'an unknown network',
    { teacher: { model: 'resnet19' } },
    [`spec.teacher.model: resnet19 is not allowed; ${models}; did you mean resnet18?`],
  ],
  [
    'a network unlike any other',
    { students: [{ name: 'small', model: 'transformer' }] },
    [`spec.students[0].model: transformer is not allowed; ${models}`],
  ],
  [
    'an unknown data set',
    { dataset: { name: 'CIFAR-10' } },
    [
      'spec.dataset.name: CIFAR-10 is not allowed; one of cifar10, cifar100, mnist, fashion-mnist, image-folder; did you mean cifar10?',
    ],
  ],
  [
    'what is no namespace',
    { sharedWith: ['team-a', 'Team_B', '*'] },
    ['spec.sharedWith[1]: Team_B is not allowed; the name of a namespace, or * for all of them'],
  ],
  [
    'negative epochs',
    { training: { epochs: -3 } },
    ['spec.training.epochs: -3 is not allowed; a whole number from 1 to 10000'],
  ],
  [
    'half an epoch',
    { training: { epochs: 2.5 } },
    ['spec.training.epochs: 2.5 is not allowed; a whole number from 1 to 10000'],
  ],
  [
    'a number as text',
    { training: { batchSize: '128' } },
    ['spec.training.batchSize: 128 is not allowed; a whole number from 1 to 8192'],
  ],
  [
    'a learning rate of zero',
    { training: { optimizer: { learningRate: 0 } } },
    ['spec.training.optimizer.learningRate: 0 is not allowed; a number above 0, at most 10'],
  ],
  [
    'a momentum of one',
    { training: { optimizer: { momentum: 1 } } },
    ['spec.training.optimizer.momentum: 1 is not allowed; a number at least 0, below 1'],
  ],
  [
    'a weight of soft targets above one',
    { distillation: [{ name: 'soft', softTargets: { weight: 1.5 } }] },
    ['spec.distillation[0].softTargets.weight: 1.5 is not allowed; a number above 0, at most 1'],
  ],
  [
    'a weight of zero',
    { distillation: [{ name: 'similar', similarityPreserving: { weight: 0 } }] },
    ['spec.distillation[0].similarityPreserving.weight: 0 is not allowed; a number above 0, at most 1000000'],
  ],
  [
    'a temperature below one',
    { distillation: [{ name: 'soft', softTargets: { temperature: 0.5 } }] },
    ['spec.distillation[0].softTargets.temperature: 0.5 is not allowed; a number from 1 to 100'],
  ],
  [
    'a fraction of nothing',
    { dataset: { name: 'mnist', fraction: 0 } },
    ['spec.dataset.fraction: 0 is not allowed; a number above 0, at most 1'],
  ],
  [
    'no data set',
    { dataset: undefined },
    [
      'spec.dataset: missing; an object with fields name, source, imageSize, validation, fraction, splitSeed, augmentation',
    ],
  ],
  ['no students', { students: [] }, ['spec.students: [] is not allowed; a list of 1 to 16 items']],
  ['no seed', { seeds: [] }, ['spec.seeds: [] is not allowed; a list of 1 to 32 distinct items']],
  [
    'one student that is not a list',
    { students: { name: 'small', model: 'resnet8' } },
    ['spec.students: {name: small, model: resnet8} is not allowed; a list of 1 to 16 items'],
  ],
  [
    'a student without a network',
    { students: [{ name: 'small' }] },
    [`spec.students[0].model: missing; ${models}`],
  ],
  [
    'a name with capitals',
    { students: [{ name: 'Small', model: 'resnet8' }] },
    [`spec.students[0].name: Small is not allowed; ${label}`],
  ],
  [
    'a name too long for the names of Runs',
    { distillation: [{ name: 'a'.repeat(31), softTargets: {} }] },
    [`spec.distillation[0].name: ${'a'.repeat(31)} is not allowed; text of 1 to 30 characters`],
  ],
  ['an answer in words', { suspend: 'yes' }, ['spec.suspend: yes is not allowed; true or false']],
  [
    'a checksum that is none',
    {
      dataset: { name: 'mnist', source: { http: { url: 'https://example.org/x', sha256: 'Z'.repeat(64) } } },
    },
    [
      `spec.dataset.source.http.sha256: ${'Z'.repeat(64)} is not allowed; 64 hexadecimal digits in lower case`,
    ],
  ],
  [
    'an address of another protocol',
    { dataset: { name: 'mnist', source: { http: { url: 'ftp://example.org/x', sha256: 'a'.repeat(64) } } } },
    [
      'spec.dataset.source.http.url: ftp://example.org/x is not allowed; an address that begins with http:// or https://',
    ],
  ],
  [
    'quantities that are none',
    { pod: { resources: { limits: { cpu: 0.5, memory: '4 GB' } } } },
    [
      'spec.pod.resources.limits.cpu: 0.5 is not allowed; a whole number or a quantity such as 500m or 4Gi',
      'spec.pod.resources.limits.memory: 4 GB is not allowed; a whole number or a quantity such as 500m or 4Gi',
    ],
  ],
  [
    'more labels than fit',
    { pod: { nodeSelector: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, 'v'])) } },
    ['spec.pod.nodeSelector: 33 keys are not allowed; at most 32'],
  ],
  [
    'an unknown explanation',
    { explain: { methods: ['gradcam'] } },
    ['spec.explain.methods[0]: gradcam is not allowed; one of gradCam, lime, shap; did you mean gradCam?'],
  ],
];

const betweenFields: readonly RefusedSpec[] = [
  [
    'two sources of the data set',
    { dataset: { name: 'mnist', source: { packaged: {}, directory: { path: '/data' } } } },
    [
      'spec.dataset.source: {packaged: {}, directory: {path: /data}} is not allowed; set exactly one of packaged, http, directory, persistentVolumeClaim, s3',
    ],
  ],
  [
    'a source left empty',
    { dataset: { name: 'mnist', source: { http: null } } },
    [
      'spec.dataset.source: {} is not allowed; set exactly one of packaged, http, directory, persistentVolumeClaim, s3',
    ],
  ],
  [
    'a data set that no package carries',
    { dataset: { name: 'cifar10' } },
    [
      'spec.dataset.source: {packaged: {}} is not allowed; packaged (the default) is for mnist and fashion-mnist; set http, directory, persistentVolumeClaim or s3',
    ],
  ],
  [
    'ranges the wrong way round',
    { dataset: { name: 'mnist', augmentation: { resizedCrop: { scale: [1, 0.8], ratio: [1.1, 0.9] } } } },
    [
      'spec.dataset.augmentation.resizedCrop.scale: [1, 0.8] is not allowed; smallest first, then largest',
      'spec.dataset.augmentation.resizedCrop.ratio: [1.1, 0.9] is not allowed; smallest first, then largest',
    ],
  ],
  [
    'a teacher of no kind',
    { teacher: {} },
    ['spec.teacher: {} is not allowed; set exactly one of model, from'],
  ],
  [
    'a teacher to train and to take',
    { teacher: { model: 'resnet20', from: { run: 'x' } } },
    ['spec.teacher: {model: resnet20, from: {run: x}} is not allowed; set exactly one of model, from'],
  ],
  [
    'a teacher from two places',
    { teacher: { from: { run: 'x', experiment: 'y' } } },
    ['spec.teacher.from: {run: x, experiment: y} is not allowed; set exactly one of experiment, run, onnx'],
  ],
  [
    'a file as the teacher, in a namespace',
    { teacher: { from: { onnx: { file: { path: 'a.onnx' } }, namespace: 'archive' } } },
    ['spec.teacher.from.namespace: archive is not allowed; none: a file is in no namespace'],
  ],
  [
    'a file as the teacher, in no place',
    { teacher: { from: { onnx: { features: ['layer1'] } } } },
    [
      'spec.teacher.from.onnx: {features: [layer1]} is not allowed; set exactly one of http, file, persistentVolumeClaim, s3',
    ],
  ],
  [
    'a file as the teacher, normalised by nothing',
    {
      teacher: {
        from: {
          onnx: { file: { path: 'a.onnx' }, normalisation: { mean: [0, 0], deviation: [1, 1, 0] } },
        },
      },
    },
    [
      'spec.teacher.from.onnx.normalisation.mean: [0, 0] is not allowed; a list of 3 items',
      'spec.teacher.from.onnx.normalisation.deviation[2]: 0 is not allowed; a number above 0',
    ],
  ],
  [
    'two students of one name',
    {
      students: [
        { name: 'small', model: 'resnet8' },
        { name: 'small', model: 'resnet14' },
      ],
    },
    ['spec.students[1].name: small is not allowed; used already by spec.students[0]'],
  ],
  [
    'two arms of one name',
    { distillation: [...soft, { name: 'soft', hints: {} }] },
    ['spec.distillation[1].name: soft is not allowed; used already by spec.distillation[0]'],
  ],
  [
    'the same seed twice',
    { seeds: [1, 2, 1] },
    ['spec.seeds[2]: 1 is not allowed; used already by spec.seeds[0]'],
  ],
  [
    'an arm without a technique',
    { distillation: [{ name: 'plain' }] },
    [
      'spec.distillation[0]: {name: plain} is not allowed; set at least one of softTargets, similarityPreserving, attentionTransfer, hints',
    ],
  ],
  [
    'an arm named best',
    { distillation: [{ name: 'best', softTargets: {} }] },
    [
      'spec.distillation[0].name: best is not allowed; any other name: best stands for the best arm in scarcity, baseline for no arm',
    ],
  ],
  [
    'a warm-up longer than the training',
    { training: { epochs: 3 } },
    [
      'spec.training.schedule.warmupEpochs: 5 is not allowed; at most training.epochs (the default is 5: set less for a shorter training)',
    ],
  ],
  [
    'two places for results',
    {
      storage: {
        persistentVolumeClaim: { claimName: 'a' },
        s3: { bucket: 'abc', secretName: 'keys' },
      },
    },
    [
      'spec.storage: {persistentVolumeClaim: {claimName: a}, s3: {bucket: abc, secretName: keys}} is not allowed; set exactly one of persistentVolumeClaim, s3',
    ],
  ],
  [
    'scarcity without an arm',
    { scarcity: { student: { model: 'resnet8' }, fraction: 0.1 } },
    ['spec.distillation: [] is not allowed; at least one arm, which scarcity takes up'],
  ],
  [
    'scarcity of an arm that does not exist',
    { distillation: soft, scarcity: { student: { model: 'resnet8' }, fraction: 0.1, arm: 'hard' } },
    ['spec.scarcity.arm: hard is not allowed; best, or the name of an arm in distillation'],
  ],
  [
    'scarcity with more images than the main stage',
    {
      dataset: { name: 'mnist', fraction: 0.1 },
      distillation: soft,
      scarcity: { student: { model: 'resnet8' }, fraction: 0.5 },
    },
    ['spec.scarcity.fraction: 0.5 is not allowed; at most dataset.fraction'],
  ],
];

const inSweeps: readonly RefusedSpec[] = [
  [
    'two algorithms',
    sweepWith({ algorithm: { random: {}, grid: {} } }),
    [
      'spec.sweep.algorithm: {random: {}, grid: {}} is not allowed; set exactly one of grid, random, sobol, tpe, asha',
    ],
  ],
  [
    'a path that does not exist',
    sweepWith({ parameters: [{ name: 'training.learningRate', discrete: [1] }] }),
    [
      `spec.sweep.parameters[0].name: training.learningRate is not allowed; ${paths}; did you mean training.optimizer.learningRate?`,
    ],
  ],
  [
    'a path that is not a number',
    sweepWith({ parameters: [{ name: 'teacher.model', discrete: [1] }] }),
    [`spec.sweep.parameters[0].name: teacher.model is not allowed; ${paths}`],
  ],
  [
    'a parameter with two sets of values',
    sweepWith({
      parameters: [{ name: 'training.batchSize', discrete: [32], integer: { min: 32, max: 64 } }],
    }),
    [
      'spec.sweep.parameters[0]: {name: training.batchSize, discrete: [32], integer: {min: 32, max: 64}} is not allowed; set exactly one of double, integer, discrete, boolean',
    ],
  ],
  [
    'a parameter twice',
    sweepWith({
      parameters: [
        { name: 'training.optimizer.weightDecay', discrete: [0] },
        { name: 'training.optimizer.weightDecay', discrete: [0.1] },
      ],
    }),
    [
      'spec.sweep.parameters[1].name: training.optimizer.weightDecay is not allowed; used already by spec.sweep.parameters[0]',
    ],
  ],
  [
    'a minimum above its maximum',
    sweepWith({ parameters: [{ name: 'training.optimizer.weightDecay', double: { min: 0.5, max: 0.1 } }] }),
    ['spec.sweep.parameters[0].double.max: 0.1 is not allowed; above min'],
  ],
  [
    'a logarithm of zero',
    sweepWith({
      parameters: [{ name: 'training.optimizer.weightDecay', double: { min: 0, max: 0.5, scale: 'log' } }],
    }),
    ['spec.sweep.parameters[0].double.min: 0 is not allowed; above 0 with scale log'],
  ],
  [
    'values beyond what the field allows',
    sweepWith({ parameters: [{ name: 'training.optimizer.momentum', discrete: [0.9, 1] }] }),
    [
      'spec.sweep.parameters[0]: {name: training.optimizer.momentum, discrete: [0.9, 1]} is not allowed; for training.optimizer.momentum a number at least 0, below 1',
    ],
  ],
  [
    'broken numbers where the field takes whole ones',
    sweepWith({ parameters: [{ name: 'training.batchSize', discrete: [32, 48.5] }] }),
    [
      'spec.sweep.parameters[0]: {name: training.batchSize, discrete: [32, 48.5]} is not allowed; for training.batchSize a whole number from 1 to 8192',
    ],
  ],
  [
    'the same value twice',
    sweepWith({ parameters: [{ name: 'training.batchSize', discrete: [32, 64, 32] }] }),
    ['spec.sweep.parameters[0].discrete: [32, 64, 32] is not allowed; every value once'],
  ],
  [
    'a grid over a continuum',
    sweepWith({
      algorithm: { grid: {} },
      parameters: [{ name: 'training.optimizer.weightDecay', double: { min: 0, max: 0.5 } }],
    }),
    [
      'spec.sweep.parameters: [{name: training.optimizer.weightDecay, double: {min: 0, max: 0.5}}] is not allowed; doubles with a step only, with a grid',
    ],
  ],
  [
    'the number of epochs under ASHA',
    sweepWith({ algorithm: { asha: {} }, parameters: [{ name: 'training.epochs', discrete: [100] }] }),
    [
      'spec.sweep.parameters: [{name: training.epochs, discrete: [100]}] is not allowed; no training.epochs with asha or earlyStopping, which compare Runs epoch by epoch',
    ],
  ],
  [
    'a technique that no arm has',
    sweepWith({ parameters: [{ name: 'distillation.hints.weight', discrete: [1] }] }),
    [
      'spec.sweep.parameters: [{name: distillation.hints.weight, discrete: [1]}] is not allowed; no parameter under distillation.hints, or an arm with hints',
    ],
  ],
  [
    'a technique, for the teacher',
    sweepWith({ for: 'teacher', parameters: [{ name: 'distillation.softTargets.weight', discrete: [1] }] }),
    [
      'spec.sweep.for: teacher is not allowed; distilled or comparison, as long as a parameter is under distillation',
    ],
  ],
  [
    'a first decision after the end',
    sweepWith({ algorithm: { asha: { minEpochs: 700 } } }),
    ['spec.sweep.algorithm.asha.minEpochs: 700 is not allowed; at most training.epochs'],
  ],
  [
    'early stopping after the end, with too few Runs',
    sweepWith({ maxRuns: 4, earlyStopping: { median: { startEpoch: 700 } } }),
    [
      'spec.sweep.earlyStopping.median.startEpoch: 700 is not allowed; at most training.epochs',
      'spec.sweep.earlyStopping.median.minRuns: 5 is not allowed; at most sweep.maxRuns',
    ],
  ],
  [
    'more random draws than Runs',
    sweepWith({ algorithm: { tpe: { startup: 30 } } }),
    ['spec.sweep.algorithm.tpe.startup: 30 is not allowed; at most sweep.maxRuns'],
  ],
  [
    'a step that does not lead to the end',
    sweepWith({
      parameters: [
        { name: 'training.optimizer.weightDecay', double: { min: 0, max: 0.5, step: 0.2 } },
        { name: 'training.batchSize', integer: { min: 32, max: 128, step: 36 } },
      ],
    }),
    [
      'spec.sweep.parameters[0].double.step: 0.2 is not allowed; a number that divides max - min',
      'spec.sweep.parameters[1].integer.step: 36 is not allowed; a number that divides max - min',
    ],
  ],
  [
    'steps on a logarithmic scale',
    sweepWith({
      parameters: [
        { name: 'training.optimizer.learningRate', double: { min: 0.1, max: 0.5, step: 0.2, scale: 'log' } },
      ],
    }),
    ['spec.sweep.parameters[0].double.step: 0.2 is not allowed; none with scale log'],
  ],
  [
    'a grid with more points than Runs',
    sweepWith({
      algorithm: { grid: {} },
      maxRuns: 23,
      parameters: [
        { name: 'training.optimizer.learningRate', double: { min: 0.1, max: 0.4, step: 0.1 } },
        { name: 'training.batchSize', integer: { min: 32, max: 96, step: 32 } },
        { name: 'training.epochs', discrete: [10, 20] },
      ],
    }),
    [
      'spec.sweep.maxRuns: 23 is not allowed; at least as many as the grid has combinations: raise it, or take values away',
    ],
  ],
  [
    'a configuration outside of the space',
    sweepWith({
      parameters: [{ name: 'training.batchSize', integer: { min: 32, max: 128, step: 32 } }],
      initial: [{ 'training.batchSize': 64 }, { 'training.batchSize': 80 }],
    }),
    [
      'spec.sweep.initial: [{training.batchSize: 64}, {training.batchSize: 80}] is not allowed; for training.batchSize a value of the parameter of this name',
    ],
  ],
  [
    'a configuration of what is not varied',
    sweepWith({ initial: [{ 'training.batchSize': 64, 'dataset.augmentation.crop': true }] }),
    [
      'spec.sweep.initial: [{training.batchSize: 64, dataset.augmentation.crop: true}] is not allowed; for training.batchSize a value of the parameter of this name',
      'spec.sweep.initial: [{training.batchSize: 64, dataset.augmentation.crop: true}] is not allowed; for dataset.augmentation.crop a value of the parameter of this name',
    ],
  ],
  [
    'values for what is there or not',
    sweepWith({ parameters: [{ name: 'dataset.augmentation.crop', discrete: [1] }] }),
    [
      'spec.sweep.parameters: [{name: dataset.augmentation.crop, discrete: [1]}] is not allowed; no dataset.augmentation.crop, or set it in the spec: that is what it is with',
      'spec.sweep.parameters[0]: {name: dataset.augmentation.crop, discrete: [1]} is not allowed; for dataset.augmentation.crop boolean: {}',
    ],
  ],
  [
    'with and without a number',
    sweepWith({ parameters: [{ name: 'training.batchSize', boolean: {} }] }),
    [
      'spec.sweep.parameters[0]: {name: training.batchSize, boolean: {}} is not allowed; for training.batchSize a whole number from 1 to 8192',
    ],
  ],
  [
    'label smoothing, for distilled students',
    sweepWith({ parameters: [{ name: 'training.labelSmoothing', discrete: [0, 0.1] }] }),
    [
      'spec.sweep.parameters: [{name: training.labelSmoothing, discrete: [0, 0.1]}] is not allowed; no training.labelSmoothing for distilled students, which train without',
    ],
  ],
  [
    'a training shorter than its warm-up',
    sweepWith({ parameters: [{ name: 'training.epochs', discrete: [4, 8] }] }),
    [
      'spec.sweep.parameters: [{name: training.epochs, discrete: [4, 8]}] is not allowed; for training.epochs at least training.schedule.warmupEpochs',
    ],
  ],
  [
    'a warm-up longer than its training',
    sweepWith({
      parameters: [{ name: 'training.schedule.warmupEpochs', double: { min: 0, max: 700 } }],
    }),
    [
      'spec.sweep.parameters: [{name: training.schedule.warmupEpochs, double: {min: 0, max: 700}}] is not allowed; for training.schedule.warmupEpochs at most training.epochs',
    ],
  ],
  [
    'more brackets than there are epochs for',
    sweepWith({ algorithm: { asha: { minEpochs: 100, brackets: 3 } } }),
    [
      'spec.sweep.algorithm.asha.brackets: 3 is not allowed; fewer, so that the last bracket has minEpochs * eta^(brackets - 1) at most training.epochs',
    ],
  ],
  [
    'more configurations to begin with than Runs',
    sweepWith({
      maxRuns: 1,
      initial: [{ 'training.optimizer.learningRate': 0.1 }, { 'training.optimizer.learningRate': 0.2 }],
    }),
    [
      'spec.sweep.initial: [{training.optimizer.learningRate: 0.1}, {training.optimizer.learningRate: 0.2}] is not allowed; at most sweep.maxRuns configurations',
    ],
  ],
  [
    'no end',
    sweepWith({ maxRuns: undefined }),
    ['spec.sweep.maxRuns: missing; a whole number from 1 to 10000'],
  ],
];

/** Specs that both this project and the API server refuse. */
export const refusedSpecs: readonly RefusedSpec[] = [
  ...types,
  ...betweenFields,
  ...inSweeps.map(
    ([name, sweep, expected]): RefusedSpec => [
      `a sweep with ${name}`,
      { distillation: soft, sweep },
      expected,
    ],
  ),
];
