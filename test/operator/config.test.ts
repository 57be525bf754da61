import { describe, expect, test } from 'vitest';
import { readConfig } from '../../operator/config.ts';

function read(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const printed = { stdout: '', stderr: '' };
  const into = (name: keyof typeof printed) => ({
    write: (text: string) => {
      printed[name] += text;
    },
  });
  const run = () => readConfig(args, { env, stdout: into('stdout'), stderr: into('stderr') });
  return { run, printed };
}

describe('the configuration', () => {
  test('has a default for everything', () => {
    expect(read([]).run()).toEqual({
      imageCpu: 'destillml/trainer:0.1.0-cpu',
      imageGpu: 'destillml/trainer:0.1.0-gpu',
      gpuResource: 'nvidia.com/gpu',
      serverBindAddress: { host: undefined, port: 8443 },
      healthBindAddress: { host: undefined, port: 8081 },
      pushUrl: 'https://destillml.default.svc:8443',
      progressInterval: 10,
      leaderElection: true,
      leaseNamespace: 'default',
      leaseName: 'destill-operator',
      qps: 50,
      burst: 100,
      concurrency: 8,
      logLevel: 'info',
    });
  });

  test('comes from options, and from variables where there is no option', () => {
    const { run } = read(['--namespaces', 'lab, lab-2', '--qps', '2.5', '--leader-election=off'], {
      DESTILL_OPERATOR_QPS: '9',
      DESTILL_OPERATOR_SERVER_BIND_ADDRESS: '127.0.0.1:0',
      DESTILL_OPERATOR_HEALTH_BIND_ADDRESS: '[::1]:81',
      DESTILL_OPERATOR_LEASE_NAMESPACE: 'system',
      DESTILL_OPERATOR_BURST: '',
    });
    expect(run()).toMatchObject({
      namespaces: ['lab', 'lab-2'],
      qps: 2.5,
      burst: 100,
      leaderElection: false,
      serverBindAddress: { host: '127.0.0.1', port: 0 },
      healthBindAddress: { host: '::1', port: 81 },
      leaseNamespace: 'system',
    });
  });

  test('is not mistaken for what Kubernetes sets in pods for a Service', () => {
    const service = 'tcp://10.0.0.1:8443';
    const names = ['PORT', 'SERVICE_HOST', 'SERVER_PORT', 'HEALTH_PORT', 'PORT_8443_TCP'];
    const env = Object.fromEntries(names.map((name) => [`DESTILL_OPERATOR_${name}`, service]));
    expect(read([], env).run()).toEqual(read([]).run());
  });

  test('names everything that is wrong by the option or variable it came from, and says what is allowed', () => {
    const { run } = read(['--server-bind-address', '8443', '--namespaces', 'Lab'], {
      DESTILL_OPERATOR_QPS: '-1',
      DESTILL_OPERATOR_PUSH_URL: 'http://destillml',
    });
    expect(run).toThrow(
      expect.objectContaining({
        code: 'InvalidSpec',
        message: [
          '--namespaces: lower-case letters, digits and hyphens, beginning and ending with a letter or digit',
          '--server-bind-address: an address such as :8443 or 127.0.0.1:8443 is expected',
          'DESTILL_OPERATOR_PUSH_URL: an address such as https://destillml.lab.svc:8443 is expected',
          'DESTILL_OPERATOR_QPS: more than 0 is expected',
          'See destill-operator --help.',
        ].join('\n'),
      }),
    );
  });

  test.each([
    ['--burst', '1.5', 'a whole number is expected'],
    ['--concurrency', '0', 'at least 1 is expected'],
    ['--qps', 'many', 'a number is expected'],
    ['--leader-election', 'maybe', 'on or off is expected'],
    ['--log-level', 'trace', 'debug, info, warn or error is expected'],
    ['--health-bind-address', ':70000', 'the port is at most 65535'],
    ['--gpu-resource', 'gpu', 'a resource such as nvidia.com/gpu is expected'],
    ['--tls-cert', 'a.crt', '--tls-cert and --tls-key belong together: give both or none'],
    ['--push-url', 'https://me:secret@host', 'the address must not hold a user or password'],
  ])('refuses %s %s', (option, value, message) => {
    expect(read([option, value]).run).toThrow(message);
  });

  test('does not repeat a password', () => {
    expect(read(['--push-url', 'https://me:secret@host']).run).not.toThrow('secret');
  });

  test('refuses an unknown option, and points to the help', () => {
    const { run, printed } = read(['--lease', 'x']);
    expect(run).toThrow(expect.objectContaining({ exitCode: 1 }));
    expect(printed.stderr).toContain("unknown option '--lease'");
    expect(printed.stderr).toContain('See destill-operator --help.');
  });

  test('is explained by --help, in 80 columns, with every default', () => {
    const { run, printed } = read(['--help']);
    expect(run).toThrow(expect.objectContaining({ exitCode: 0 }));
    expect(printed.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    const unwrapped = printed.stdout.replace(/\s+/g, ' ');
    for (const text of [
      '(default: :8443)',
      '(default: nvidia.com/gpu)',
      '(default: 50)',
      '(default: on)',
      'DESTILL_OPERATOR_LEASE_NAME',
    ]) {
      expect(unwrapped).toContain(text);
    }
  });
});
