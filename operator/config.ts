import { labelName, objectName } from '@destillml/core/api/names.ts';
import { DestillError } from '@destillml/core/errors.ts';
import { Command, Option } from 'commander';
import { z } from 'zod';
import packageFile from './package.json' with { type: 'json' };

/** Every option is also a variable: `--lease-name` is `DESTILL_OPERATOR_LEASE_NAME`. */
const prefix = 'DESTILL_OPERATOR_';
/** Columns of the help text: it is part of the documentation, so the same everywhere. */
const helpWidth = 80;

const number = z.coerce.number({ error: 'a number is expected' });
const whole = number.pipe(z.int('a whole number is expected'));
const atLeast1 = 'at least 1 is expected';
const atMost10000 = 'at most 10000 is allowed';
const file = z.string().min(1, 'a path is expected');
const image = z
  .string()
  .max(512)
  .regex(/^\S+$/, 'an image such as registry.example/destillml-trainer:0.1.0-cpu is expected');

/** Where to listen, such as `:8443`, `127.0.0.1:0`, `[::1]:8443`. Without a host: at every address of the machine. */
const bindAddress = z
  .string()
  .regex(
    /^([^\s:[\]]+|\[[0-9a-fA-F:.]+\])?:\d{1,5}$/,
    'an address such as :8443 or 127.0.0.1:8443 is expected',
  )
  .transform((text) => {
    const colon = text.lastIndexOf(':');
    const host = text.slice(0, colon).replace(/^\[|\]$/g, '');
    return { host: host === '' ? undefined : host, port: Number(text.slice(colon + 1)) };
  })
  .refine(({ port }) => port <= 65_535, 'the port is at most 65535');

/**
 * Everything an operator is told, in the order of the help text; `value` names what follows the option.
 *
 * No option ends in `port`: for a Service `x`, Kubernetes sets `X_PORT` in every pod, to something else.
 */
const schema = z.strictObject({
  kubeconfig: file.optional().meta({
    value: 'file',
    description:
      'how to reach the cluster (default: the service account of the pod; outside of pods $KUBECONFIG or ~/.kube/config)',
  }),
  context: z.string().min(1).optional().meta({
    value: 'name',
    description: 'context of the kubeconfig (default: its current one)',
  }),
  namespaces: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(labelName))
    .optional()
    .meta({
      value: 'names',
      description: 'namespaces whose Experiments are run, separated by commas (default: all)',
    }),
  imageCpu: image.default(`destillml/trainer:${packageFile.version}-cpu`).meta({
    value: 'image',
    description: 'trainer of Runs without a GPU',
  }),
  imageGpu: image.default(`destillml/trainer:${packageFile.version}-gpu`).meta({
    value: 'image',
    description: 'trainer of Runs with GPUs',
  }),
  gpuResource: z
    .string()
    .max(317)
    .regex(/^[a-z0-9.-]+\/[A-Za-z0-9._-]+$/, 'a resource such as nvidia.com/gpu is expected')
    .default('nvidia.com/gpu')
    .meta({ value: 'resource', description: 'what a GPU is asked for by' }),
  serverBindAddress: bindAddress.prefault(':8443').meta({
    value: 'address',
    description: 'where metrics and the reports of trainers are served, over HTTPS',
  }),
  healthBindAddress: bindAddress.prefault(':8081').meta({
    value: 'address',
    description: 'where /healthz and /readyz are served, over HTTP',
  }),
  tlsCert: file.optional().meta({
    value: 'file',
    description:
      'certificate of the server, PEM; read again when it changes (default: one is made up, which trainers cannot check and so do not report to)',
  }),
  tlsKey: file.optional().meta({ value: 'file', description: 'the private key of that certificate, PEM' }),
  pushUrl: z
    .url({ protocol: /^https$/, error: 'an address such as https://destillml.lab.svc:8443 is expected' })
    .refine(hasNoPassword, 'the address must not hold a user or password')
    .optional()
    .meta({
      value: 'url',
      description:
        'where trainers report to (default: https://destillml.<lease namespace>.svc and the port of the server)',
    }),
  pushCa: file.optional().meta({
    value: 'file',
    description:
      'authority that vouches for that address, PEM; given to trainers as they start (default: the authorities that Node.js knows)',
  }),
  progressInterval: number
    .pipe(z.number().min(1, atLeast1).max(3600, 'at most 3600 is allowed'))
    .prefault(10)
    .meta({
      value: 'seconds',
      description: 'least time between two writes of the progress of one Run',
    }),
  leaderElection: z
    .enum(['on', 'off'], 'on or off is expected')
    .transform((text) => text === 'on')
    .prefault('on')
    .meta({ value: 'on|off', description: 'off only where two operators never run at once' }),
  leaseNamespace: labelName.default('default').meta({
    value: 'name',
    description: 'namespace of the Lease that the leader holds: the one the operator runs in',
  }),
  leaseName: objectName.default('destill-operator').meta({
    value: 'name',
    description: 'name of that Lease; operators that share it take turns',
  }),
  qps: number
    .pipe(z.number().positive('more than 0 is expected').max(10_000, atMost10000))
    .prefault(50)
    .meta({
      value: 'number',
      description: 'requests a second to the API server, in the long run',
    }),
  burst: whole.pipe(z.int().min(1, atLeast1).max(10_000, atMost10000)).prefault(100).meta({
    value: 'number',
    description: 'requests to the API server at once, after a pause',
  }),
  concurrency: whole.pipe(z.int().min(1, atLeast1).max(256, 'at most 256 is allowed')).prefault(8).meta({
    value: 'number',
    description: 'objects of one kind that are reconciled at the same time',
  }),
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error'], 'debug, info, warn or error is expected')
    .default('info')
    .meta({
      value: 'level',
      description: 'debug, info, warn or error',
    }),
});

type Name = keyof typeof schema.shape;
const names = Object.keys(schema.shape) as readonly Name[];

/** Nothing in it is secret: it may be printed as it is. */
export type OperatorConfig = Omit<z.output<typeof schema>, 'pushUrl'> & { readonly pushUrl: string };

export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For help and version. */
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
};

/**
 * What the operator is told by options and variables; an option wins over its variable.
 *
 * @param args without the names of Node.js and the script
 * @throws CommanderError after help or version (its `exitCode` is then 0), or for an unknown option, which it has printed
 * @throws DestillError `InvalidSpec` that names each wrong option or variable, and says what is allowed
 */
export function readConfig(args: readonly string[], { env, stdout, stderr }: Surroundings): OperatorConfig {
  const command = createCommand()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => helpWidth,
      getErrHelpWidth: () => helpWidth,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  command.parse(args, { from: 'user' });
  const given = command.opts<Partial<Record<Name, string>>>();
  // An empty variable is one that was not set.
  const values = names.map((name) => [name, given[name] ?? (env[variableOf(name)] || undefined)] as const);
  const parsed = schema.safeParse(Object.fromEntries(values.filter(([, value]) => value !== undefined)));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [name], message }) => {
      const known = names.find((each) => each === name);
      if (known === undefined) return message;
      return `${given[known] === undefined ? variableOf(known) : optionOf(known)}: ${message}`;
    });
    throw invalid(problems);
  }
  const config = parsed.data;
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    throw invalid([`${optionOf('tlsCert')} and ${optionOf('tlsKey')} belong together: give both or none`]);
  }
  const service = `https://destillml.${config.leaseNamespace}.svc:${config.serverBindAddress.port}`;
  return { ...config, pushUrl: config.pushUrl ?? service };
}

function createCommand(): Command {
  const command = new Command('destill-operator')
    .description(
      'Runs the Experiments of a cluster: makes their Runs and Jobs, follows them, and gathers what they come to.',
    )
    .version(packageFile.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .allowExcessArguments(false)
    .showHelpAfterError('See destill-operator --help.')
    .addHelpText(
      'after',
      [
        '',
        'Each option is also a variable: --lease-name is DESTILL_OPERATOR_LEASE_NAME. The',
        'option wins.',
        '',
        'Examples:',
        '  destill-operator --kubeconfig ~/.kube/lab --namespaces vision-lab,nlp-lab',
        '  destill-operator --tls-cert /tls/tls.crt --tls-key /tls/tls.key \\',
        '    --push-ca /tls/ca.crt',
      ].join('\n'),
    );
  for (const name of names) {
    const { value = 'value', description = '' } = schema.shape[name].meta() ?? {};
    const fallback = defaultOf(name);
    const suffix = fallback === undefined ? '' : ` (default: ${fallback})`;
    command.addOption(new Option(`${optionOf(name)} <${value}>`, description + suffix));
  }
  return command;
}

/** As it would be typed; undefined where there is none, or one that depends on something. */
function defaultOf(name: Name): string | undefined {
  const { def } = schema.shape[name];
  return 'defaultValue' in def ? String(def.defaultValue) : undefined;
}

function optionOf(name: Name): string {
  return `--${words(name).join('-')}`;
}

function variableOf(name: Name): string {
  return prefix + words(name).join('_').toUpperCase();
}

function words(name: Name): readonly string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}

function hasNoPassword(text: string): boolean {
  const url = URL.parse(text);
  return url === null || (url.username === '' && url.password === '');
}

function invalid(problems: readonly string[]): DestillError {
  return new DestillError('InvalidSpec', `${problems.join('\n')}\nSee destill-operator --help.`);
}
