/** Real trainers on machines that lack something: what reaches the user, and that no attempt is made in vain. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes, finalExitCodes } from '@destillml/core/protocol/report.ts';
import { endedWhileLoading, unloadable } from '@destillml/trainer/tensorflow/unloadable.ts';
import { describe, expect, it, onTestFinished, test } from 'vitest';
import { describeWithMounts, withMounts } from '../mounts.ts';
import { runTrainer } from './process.ts';
import { smallRun } from './training/run.ts';

const tensorflow = join(import.meta.dirname, '../../.tools/tensorflow');

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'destill-unfit-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function run(
  artifacts: string,
  changes: { readonly dataset?: object; readonly data?: string } = {},
): Assignment {
  const { dataset, data } = changes;
  return smallRun({
    artifacts,
    parameters: { dataset: { name: 'mnist', imageSize: 16, validation: 100, fraction: 0.02, ...dataset } },
    training: { epochs: 1 },
    rest: data === undefined ? {} : { data },
  });
}

describeWithMounts('a trainer (real mounts: needs root)', () => {
  it('whose volume fills up while it trains says so, leaves nothing half-written, and is not tried again', async () => {
    const folder = temporary();
    const volume = join(folder, 'volume');
    const list = join(folder, 'list');
    mkdirSync(volume);
    const under = withMounts(
      `mount -t tmpfs -o size=64k tmpfs ${volume}`,
      `find ${volume} -type f > ${list}`,
    );
    const { code, last, errors } = await runTrainer(run(join(volume, 'run')), { under });
    expect(last).toEqual({
      outcome: 'failed',
      code: 'StorageFull',
      message: expect.stringMatching(
        `^${volume}/run/checkpoints/best.safetensors: there is no room for it on the volume at ${volume} `,
      ),
    });
    expect(code).toBe(exitCodes.storage);
    expect(finalExitCodes).toContain(code);
    expect(errors).not.toMatch(/^ +at /m);
    expect(readFileSync(list, 'utf8')).not.toContain('.part');
  });

  it('whose volume is read-only says so before it reads any data', async () => {
    const volume = temporary();
    const under = withMounts(`mount -t tmpfs -o ro tmpfs ${volume}`);
    const source = { directory: { path: '/nowhere' } };
    const { code, last } = await runTrainer(run(join(volume, 'run'), { dataset: { source } }), { under });
    expect(last).toMatchObject({
      code: 'StorageReadOnly',
      message: `${volume}/run: the volume at ${volume} is read-only. Mount it for writing, or name another folder.`,
    });
    expect(code).toBe(exitCodes.storage);
  });

  it.each([
    ['data', { dataset: { name: 'fashion-mnist' } }],
    ['temporary files', {}],
  ])('with no room for its %s names their volume', async (what, changes) => {
    const [volume, artifacts] = [temporary(), temporary()];
    const under = withMounts(`mount -t tmpfs -o size=64k tmpfs ${volume}`);
    const data = what === 'data' ? { data: volume } : {};
    const env = what === 'data' ? {} : { TMPDIR: volume };
    const { code, last } = await runTrainer(run(artifacts, { ...changes, ...data }), { under, env });
    expect(last).toMatchObject({
      code: 'StorageFull',
      message: expect.stringContaining(`there is no room for it on the volume at ${volume} `),
    });
    expect(code).toBe(exitCodes.storage);
  });

  it('that cannot even write its last word ends with the code that says so', async () => {
    const volume = temporary();
    const under = withMounts(
      `mount -t tmpfs -o size=64k tmpfs ${volume}; dd if=/dev/zero of=${volume}/other bs=64k count=1 2>/dev/null`,
    );
    const env = { DESTILL_TERMINATION_LOG: join(volume, 'termination.json') };
    const { code, last, errors } = await runTrainer(run(join(volume, 'run')), { under, env });
    expect({ code, last }).toEqual({ code: exitCodes.storage, last: undefined });
    expect(errors).toContain('the last word could not be written');
    expect(errors).not.toMatch(/^ +at /m);
  });

  it('without TensorFlow says what is missing, and is not tried again', async () => {
    const { code, last, errors } = await runTrainer(run(temporary()), {
      under: withMounts(`mount -t tmpfs tmpfs ${tensorflow}`),
    });
    expect(last).toEqual({
      outcome: 'failed',
      code: 'Environment',
      message: expect.stringMatching(
        /^TensorFlow could not be loaded: libtensorflow_cc\.so\.2: cannot open shared object file: No such file or directory\. On a machine run "make setup"/,
      ),
    });
    expect(code).toBe(exitCodes.environment);
    expect(finalExitCodes).toContain(code);
    expect(errors).not.toMatch(/^ +at /m);
  });

  it('whose TensorFlow is damaged says so', async () => {
    const file = join(temporary(), 'no-library');
    writeFileSync(file, 'no library');
    const { code, last } = await runTrainer(run(temporary()), {
      under: withMounts(
        `mount --bind ${file} $(find ${tensorflow}/ -name libtensorflow_framework.so.2 | head -1)`,
      ),
    });
    expect(last).toMatchObject({ code: 'Environment', message: expect.stringContaining('file too short') });
    expect(code).toBe(exitCodes.environment);
  });
});

describe('a trainer', () => {
  it('that gets too little memory for TensorFlow says so, or has left a word of it', async () => {
    const under = ['prlimit', `--as=${3 * 2 ** 30}`] as const;
    const { code, last, errors } = await runTrainer(run(temporary()), { under: [...under] });
    expect(last).toMatchObject({ outcome: 'failed', message: expect.stringMatching(/TensorFlow.*memory/) });
    // Another node, or the same a moment later, may have more.
    expect(finalExitCodes).not.toContain(code);
    expect(errors).not.toMatch(/^ +at .*\.ts/m);
  });

  it('that may open too few files to load its program says so', async () => {
    // Below this Node.js itself does not start; how many those are is its own affair.
    let ended = await runTrainer(run(temporary()), { under: ['prlimit', '--nofile=20'] });
    for (let files = 21; files < 60 && ended.last === undefined && ended.code !== 0; files++) {
      ended = await runTrainer(run(temporary()), { under: ['prlimit', `--nofile=${files}`] });
    }
    expect(ended).toMatchObject({
      code: exitCodes.environment,
      last: {
        code: 'Environment',
        message: expect.stringMatching(/^The trainer could not be loaded: .*EMFILE.*Raise "ulimit -n"/),
      },
    });
    expect(ended.errors).not.toMatch(/^ +at /m);
  });

  it('that a signal ends while it loads TensorFlow has left a word of it', async () => {
    const artifacts = temporary();
    const word = join(artifacts, 'word.json');
    const trainer = runTrainer(run(artifacts), {
      env: { DESTILL_TERMINATION_LOG: word, NODE_OPTIONS: endsAtTensorFlow('SIGILL') },
    });
    expect(await trainer).toMatchObject({
      code: null,
      last: { outcome: 'failed', code: 'Environment', message: endedWhileLoading },
    });
    expect(existsSync(word)).toBe(true);
  });
});

/** Ends a process by a signal as it loads the binding of TensorFlow, as a processor without AVX does. */
function endsAtTensorFlow(signal: string): string {
  const script = `const { dlopen } = process; process.dlopen = (module, file, ...rest) => {
    if (file.includes('tfjs_binding')) process.kill(process.pid, '${signal}');
    return dlopen.call(process, module, file, ...rest);
  };`;
  return `--import=data:text/javascript,${encodeURIComponent(script)}`;
}

describe('what the loader of libraries says of TensorFlow', () => {
  test.each([
    [
      "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by …)",
      'Environment',
      'take a newer system',
    ],
    [
      'libcudart.so.12: cannot open shared object file: No such file or directory',
      'Environment',
      'NVIDIA’s driver',
    ],
    [
      'libtensorflow_cc.so.2: cannot open shared object file: Too many open files',
      'Environment',
      'ulimit -n',
    ],
    [
      'libtensorflow_cc.so.2: cannot allocate memory in static TLS block',
      'OutOfMemory',
      'Give the trainer more memory',
    ],
    ['libtensorflow_cc.so.2: invalid ELF header', 'Environment', 'make setup'],
  ])('%s', (said, code, remedy) => {
    expect(unloadable(new Error(said))).toMatchObject({ code, message: expect.stringContaining(remedy) });
  });
});
