/** The trainer with a real S3 store. */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Assignment } from '@destillml/core/protocol/assignment.ts';
import { exitCodes } from '@destillml/core/protocol/report.ts';
import { readHistory } from '@destillml/trainer/artifacts/history.ts';
import { resultDocument } from '@destillml/trainer/artifacts/result.ts';
import { hash } from '@destillml/trainer/nn/random.ts';
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { mnistFiles } from '../trainer-image/data/made-files.ts';
import { runTrainer, type TrainerOptions } from '../trainer-image/process.ts';
import { digest, smallRun, temporaryFolder } from '../trainer-image/training/run.ts';
import { guestKeys, type Keys, labKeys, otherKeys, S3Store } from './s3-store.ts';

const epochs = 3;

/** Images that take no time to load and test. */
let images: string;

/** Long enough to be stopped midway. */
function shortRun(artifacts: string, { parameters = {}, training = {}, rest = {} } = {}): Assignment {
  const source = { directory: { path: images } };
  return smallRun({
    artifacts,
    parameters: { dataset: { name: 'mnist', source, imageSize: 16, validation: 60 }, ...parameters },
    training: { epochs, batchSize: 32, ...training },
    rest,
  });
}

let store: S3Store;
/** A Run whose artifacts are in a folder, and which nothing has interrupted. */
let whole: Assignment;
/** How long that took, in milliseconds. */
let duration: number;

beforeAll(async () => {
  images = temporaryFolder();
  for (const [name, content] of Object.entries(mnistFiles(40))) writeFileSync(join(images, name), content);
  store = await S3Store.start();
  whole = shortRun(temporaryFolder());
  const started = performance.now();
  expect((await runTrainer(whole)).code).toBe(exitCodes.succeeded);
  duration = performance.now() - started;
});
afterAll(() => store.remove());

function environment(purpose: string, { accessKeyId, secretAccessKey }: Keys, endpoint = store.endpoint) {
  return {
    [`DESTILL_${purpose}_S3_REGION`]: 'us-east-1',
    [`DESTILL_${purpose}_S3_ENDPOINT`]: endpoint,
    [`DESTILL_${purpose}_S3_ACCESS_KEY_ID`]: accessKeyId,
    [`DESTILL_${purpose}_S3_SECRET_ACCESS_KEY`]: secretAccessKey,
  };
}

/** Runs a trainer to its end, and looks whether it has told the keys to anybody. */
async function trainer(assignment: Assignment, { env, ...options }: TrainerOptions = {}) {
  const said = await runTrainer(assignment, {
    env: { ...environment('ARTIFACTS', labKeys), ...env },
    ...options,
  });
  const everything = JSON.stringify(said);
  for (const keys of [labKeys, otherKeys, guestKeys]) {
    expect(everything).not.toContain(keys.secretAccessKey);
    expect(everything).not.toContain(keys.accessKeyId);
  }
  return said;
}

/** The artifacts of a Run as they lie in the store. */
function kept({ artifacts }: Assignment): string {
  return store.file('', artifacts.slice('s3://'.length));
}

function expectSameAsWhole(run: Assignment): void {
  for (const which of ['last', 'best'] as const)
    expect(digest(kept(run), which)).toBe(digest(whole.artifacts, which));
  expect(readHistory(kept(run)).map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}

describe('a Run whose artifacts are in S3', () => {
  test('killed at random moments, goes on from the bucket to the same weights, bit for bit', async () => {
    const run = shortRun('s3://lab/vision/ns/test/killed');
    const seed = randomInt(2 ** 31);
    onTestFailed(() => console.error(`killed at the moments of seed ${seed}`));
    /** 0 – 1. */
    const draw = (turn: number) => hash(seed, turn) / 2 ** 32;
    // While the first epoch is uploaded; then at any time.
    const first = await trainer(run, {
      onReport: ({ kind }, child) => {
        if (kind === 'epoch') setTimeout(() => child.kill('SIGKILL'), 30 * draw(0));
      },
    });
    expect(first.code).toBe(null);
    for (let attempt = 0; attempt < 2; attempt++) {
      let timer: NodeJS.Timeout | undefined;
      await trainer(run, {
        onReport: (_, child) => {
          timer ??= setTimeout(() => child.kill('SIGKILL'), duration * draw(1 + attempt));
        },
      });
      clearTimeout(timer);
    }
    const { code, last } = await trainer(run);
    expect(code).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
    expect(last).toMatchObject({ outcome: 'succeeded', result: { artifacts: run.artifacts, epochs } });

    const document = resultDocument.parse(JSON.parse(readFileSync(join(kept(run), 'result.json'), 'utf8')));
    expect(document.result.artifacts).toBe(run.artifacts);
    expect(JSON.parse(readFileSync(join(kept(run), 'assignment.json'), 'utf8'))).toEqual(run);
    expect(readdirSync(kept(run), { recursive: true }).sort()).toEqual([
      'assignment.json',
      'checkpoints',
      'checkpoints/best.safetensors',
      'checkpoints/last.safetensors',
      'checkpoints/previous.safetensors',
      'history.jsonl',
      'result.json',
    ]);

    const before = store.requests().length;
    const again = await trainer(run);
    expect(again.last).toEqual(last);
    expect(store.requests().slice(before)).toEqual([
      'ListObjectsV2 -',
      'GetObject vision/ns/test/killed/result.json',
    ]);
  });

  test('stopped by SIGTERM, has its checkpoint uploaded, and goes on from there', async () => {
    const run = shortRun('s3://lab/ns/test/stopped');
    const stopped = await trainer(run, {
      onReport: ({ kind }, child) => void (kind === 'progress' && child.kill('SIGTERM')),
    });
    expect(stopped).toMatchObject({ code: exitCodes.preempted, last: { outcome: 'preempted' } });
    const next = await trainer(run);
    const { epoch, step } = stopped.last as { epoch: number; step: number };
    expect(next.reports[0]).toEqual({ kind: 'note', message: `Going on from epoch ${epoch}, step ${step}.` });
    expect(next.code).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
  });

  test('paused at a rung, has its checkpoint uploaded, and goes on from there to the same weights', async () => {
    const run = shortRun('s3://lab/ns/test/paused');
    const paused = await trainer({ ...run, untilEpoch: 2 });
    expect(paused.code, paused.errors).toBe(exitCodes.succeeded);
    expect(paused.last).toEqual({ outcome: 'paused', epoch: 2, validationAccuracy: expect.any(Number) });
    expect(readdirSync(kept(run), { recursive: true })).not.toContain('result.json');
    // Its word was lost: another pod says it again, by what is in the bucket.
    const again = await trainer({ ...run, untilEpoch: 2 });
    expect(again.last).toEqual(paused.last);
    expect(again.reports).toEqual([{ kind: 'note', message: 'Going on from epoch 2, step 0.' }]);
    const { last, reports } = await trainer(run);
    expect(reports[0]).toEqual({ kind: 'note', message: 'Going on from epoch 2, step 0.' });
    expect(last).toMatchObject({ outcome: 'succeeded', result: { epochs } });
    expectSameAsWhole(run);
  });

  test('does not upload again what it has fetched: the best network, until there is a better one', async () => {
    // Many steps: signals come before the next epoch ends.
    const run = shortRun('s3://lab/ns/test/unchanged', { training: { batchSize: 2 } });
    const first = await trainer(run, {
      onReport: ({ kind }, child) => void (kind === 'epoch' && child.kill('SIGTERM')),
    });
    expect(first.last).toMatchObject({ outcome: 'preempted', epoch: 1 });
    const before = store.requests().length;
    const second = await trainer(run, {
      onReport: ({ kind }, child) => void (kind === 'note' && child.kill('SIGTERM')),
    });
    expect(second.last).toMatchObject({ outcome: 'preempted', epoch: 1 });
    const written = store
      .requests()
      .slice(before)
      .filter((request) => /^(Put|Copy)Object/.test(request));
    expect(written).toEqual([
      'PutObject ns/test/unchanged/assignment.json',
      // What it holds of later epochs is cut off when training goes on.
      'PutObject ns/test/unchanged/history.jsonl',
      'CopyObject ns/test/unchanged/checkpoints/previous.safetensors',
      'PutObject ns/test/unchanged/checkpoints/last.safetensors',
    ]);
  });
});

describe('a checkpoint that is damaged in the bucket', () => {
  async function stopped(name: string): Promise<Assignment> {
    const run = shortRun(`s3://lab/ns/test/${name}`);
    const { code } = await trainer(run, {
      onReport: (report, child) =>
        void (report.kind === 'epoch' && report.record.epoch === 2 && child.kill('SIGTERM')),
    });
    expect(code).toBe(exitCodes.preempted);
    return run;
  }
  const last = 'checkpoints/last.safetensors';

  test.each([
    ['one bit of it', (bytes: Buffer) => bytes.map((byte, index) => (index === 5000 ? byte ^ 4 : byte))],
    ['its end', (bytes: Buffer) => bytes.subarray(0, 700)],
    ['all of it', () => Buffer.alloc(0)],
  ])('%s: is put aside there, and the one before is used', async (what, damage) => {
    const run = await stopped(`damaged-${what.split(' ')[0]}-${what.length}`);
    const damaged = Buffer.from(damage(readFileSync(join(kept(run), last))));
    await store.bucket('lab', run.artifacts.slice('s3://lab/'.length)).write(last, damaged);
    const { code, reports, errors } = await trainer(run);
    expect(code, errors).toBe(exitCodes.succeeded);
    expect(reports[0]).toEqual({
      kind: 'note',
      message: expect.stringMatching(/checkpoints\/last\.safetensors is damaged: /),
    });
    expect(reports[1]).toMatchObject({ message: expect.stringMatching(/^Going on from epoch /) });
    expectSameAsWhole(run);
    expect(readFileSync(join(kept(run), `${last}.damaged`))).toEqual(damaged);
  });
});

describe('an explanation of networks in S3', () => {
  test('reads the other Runs from the bucket, and leaves its files there', async () => {
    const teacher = shortRun('s3://lab/ns/study/teacher', { training: { epochs: 1 } });
    const student = shortRun('s3://lab/ns/study/student', {
      parameters: { role: 'baseline', student: 'small' },
      training: { epochs: 1 },
    });
    for (const run of [teacher, student]) expect((await trainer(run)).code).toBe(exitCodes.succeeded);
    const { dataset, training } = teacher.parameters;
    const asked = { methods: ['gradCam'], images: 2 };
    const run = shortRun('s3://lab/ns/study/explanation', {
      parameters: {
        role: 'explanation',
        stage: 'explanation',
        teacherRun: 'teacher',
        explanation: { ...asked, networks: ['student'] },
      },
      rest: {
        teacherArtifacts: teacher.artifacts,
        spec: {
          dataset,
          training,
          teacher: { model: 'resnet8' },
          students: [{ name: 'small', model: 'resnet8' }],
          explain: asked,
        },
      },
    });
    const env = environment('TEACHER', labKeys);
    const { code, last, errors } = await trainer(run, {
      env,
      // What is done is kept although it is told to go.
      onReport: (report, child) => {
        if (report.kind === 'note' && report.message.endsWith('3 of 3')) child.kill('SIGTERM');
      },
    });
    expect(code, errors).toBe(exitCodes.succeeded);
    expect(last).toMatchObject({
      outcome: 'explained',
      explanation: { images: 2, artifacts: run.artifacts, maps: [{ map: 'gradCam', agreement: [1, 1] }] },
    });
    expect(readdirSync(kept(run), { recursive: true }).sort()).toEqual([
      'assignment.json',
      'explanations.json',
      'figures',
      'figures/000.png',
      'figures/001.png',
      'maps',
      'maps/small%2Fbaseline',
      'maps/small%2Fbaseline/gradCam.npy',
      'maps/teacher',
      'maps/teacher/gradCam.npy',
      'report.html',
    ]);
    const figuresIn = (page: string) => page.match(/<img src="data:image\/png/g)?.length;
    const report = () => readFileSync(join(kept(run), 'report.html'), 'utf8');
    expect(figuresIn(report())).toBe(2);

    // Killed while its files were uploaded: the report, which is the last, is made of those that are there.
    rmSync(join(kept(run), 'report.html'));
    const next = await trainer(run, { env });
    expect(next).toMatchObject({ last, reports: [] });
    expect(figuresIn(report())).toBe(2);

    const before = store.requests().length;
    expect((await trainer(run, { env })).last).toEqual(last);
    expect(store.requests().slice(before)).toEqual([
      'ListObjectsV2 -',
      'GetObject ns/study/explanation/explanations.json',
      'GetObject ns/study/explanation/report.html',
    ]);
  });
});

describe('while the store is away', () => {
  test('in the middle, training goes on and loses nothing; the log says so once', async () => {
    const run = shortRun('s3://lab/ns/test/outage');
    const stop = once(() => void store.stop());
    const restart = once(() => void store.start());
    const { code, errors } = await trainer(run, {
      onReport: ({ kind }) => kind === 'epoch' && stop(),
      onLog: (text) => text.includes('cannot be uploaded') && restart(),
    });
    expect(code, errors).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
    expect(errors.match(/cannot be uploaded/g)).toHaveLength(1);
    expect(errors.match(/are uploaded again/g)).toHaveLength(1);
  });

  test('at the end and beyond its patience, it does not claim success; another attempt makes up for it', async () => {
    const run = shortRun('s3://lab/ns/test/outage-at-the-end');
    onTestFinished(() => store.start());
    const { code, last } = await trainer(run, {
      env: { DESTILL_S3_PATIENCE: '3' },
      onReport: (report) => void (report.kind === 'epoch' && report.record.epoch === epochs && store.stop()),
    });
    expect(code).toBe(exitCodes.failed);
    expect(last).toMatchObject({ outcome: 'failed', code: 'StorageUnavailable' });
    expect(JSON.stringify(last)).toMatch(
      /S3 bucket lab at http:\/\/127\.0\.0\.1:\d+: it cannot be reached to write s3:\/\/lab\/ns\/test\/outage-at-the-end\/.*: connect ECONNREFUSED .* Check spec\.storage\.s3\.endpoint/,
    );
    await store.start();
    expect((await trainer(run)).code).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
  });

  test('when SIGTERM comes, it ends as preempted and says what is missing', async () => {
    const run = shortRun('s3://lab/ns/test/outage-at-sigterm');
    onTestFinished(() => store.start());
    const { code, last } = await trainer(run, {
      env: { DESTILL_S3_PATIENCE: '3' },
      onReport: async ({ kind }, child) => {
        if (kind !== 'epoch') return;
        await store.stop();
        child.kill('SIGTERM');
      },
    });
    expect(code).toBe(exitCodes.preempted);
    expect(last).toMatchObject({
      outcome: 'failed',
      code: 'StorageUnavailable',
      message: expect.stringContaining('another attempt goes on from the checkpoint before'),
    });
    await store.start();
    expect((await trainer(run)).code).toBe(exitCodes.succeeded);
    expectSameAsWhole(run);
  });

  test('before what is there is fetched, it waits, says so, and goes on', async () => {
    const run = shortRun('s3://lab/ns/test/outage-at-the-start');
    const { last } = await trainer(run);
    // Passes everything on to the store; the object only from the third time on.
    const away = 2;
    let refused = 0;
    const gate = createServer((request, response) => {
      if (request.method === 'GET' && request.url?.includes('result.json') && refused < away) {
        refused += 1;
        response.writeHead(503).end();
        return;
      }
      const { port, hostname } = new URL(store.endpoint);
      const { url, method, headers } = request;
      const onward = forward({ host: hostname, port, path: url, method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void gate.close());
    const endpoint = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
    const again = await trainer(run, { env: environment('ARTIFACTS', labKeys, endpoint) });
    expect(again.last, again.errors).toEqual(last);
    expect(refused).toBe(away);
    expect(
      again.errors.match(/It is tried again\. .*cannot read .*result\.json: it answered 503/g),
    ).toHaveLength(1);
  });

  test('from the beginning, nothing is trained', async () => {
    const env = { ...environment('ARTIFACTS', labKeys, 'http://127.0.0.1:1'), DESTILL_S3_PATIENCE: '2' };
    const { code, last, reports, errors } = await trainer(shortRun('s3://lab/ns/test/nowhere'), { env });
    expect(code).toBe(exitCodes.failed);
    expect(last).toMatchObject({
      code: 'StorageUnavailable',
      message:
        'S3 bucket lab at http://127.0.0.1:1: it cannot be reached to list s3://lab/ns/test/nowhere: connect ECONNREFUSED 127.0.0.1:1. Check spec.storage.s3.endpoint, and whether pods may connect to it.',
    });
    expect(reports).toEqual([]);
    expect(errors).toContain('It is tried again.');
  });
});

describe('a store that refuses', () => {
  const secret = 'the Secret that spec.storage.s3.secretName names';

  test.each([
    [
      'the secret key',
      { ...labKeys, secretAccessKey: 'wrong/secret' },
      'lab',
      `the secret key is not that of the access key. Correct secretAccessKey in ${secret}.`,
    ],
    [
      'the access key',
      { ...labKeys, accessKeyId: 'UNKNOWNKEY' },
      'lab',
      `it does not know the access key. Correct accessKeyId in ${secret}.`,
    ],
    [
      'the bucket',
      labKeys,
      'nothing',
      'there is no such bucket. Create it, or correct spec.storage.s3.bucket.',
    ],
    [
      'access',
      guestKeys,
      'lab',
      `the access key may not list s3://lab/ns/test/refused. Allow it s3:ListBucket and s3:GetObject and s3:PutObject, or put another into ${secret}.`,
    ],
  ])('%s: says so at once, and what to do', async (_, keys, bucket, message) => {
    const run = shortRun(`s3://${bucket}/ns/test/refused`);
    const { code, last, errors } = await trainer(run, { env: environment('ARTIFACTS', keys) });
    expect(code).toBe(exitCodes.failed);
    expect(last).toEqual({
      outcome: 'failed',
      code: 'StorageUnavailable',
      message: `S3 bucket ${bucket} at ${store.endpoint}: ${message}`,
    });
    expect(errors).not.toContain('    at ');
    expect(errors).not.toContain('wrong/secret');
  });

  test('writing is told so before it trains, even where there is something to read', async () => {
    await store.makeReadable('archive', guestKeys);
    const run = shortRun('s3://archive/ns/test/refused');
    const { last, reports } = await trainer(run, { env: environment('ARTIFACTS', guestKeys) });
    expect(last).toMatchObject({
      code: 'StorageUnavailable',
      message: expect.stringContaining(
        'the access key may not write s3://archive/ns/test/refused/assignment.json. Allow it s3:ListBucket and s3:GetObject and s3:PutObject',
      ),
    });
    expect(reports).toEqual([]);
  });

  test('because it is full: says so, keeps trying, and fails in the end', async () => {
    const small = await S3Store.start({ size: '128k' });
    onTestFinished(() => small.remove());
    const env = { ...environment('ARTIFACTS', labKeys, small.endpoint), DESTILL_S3_PATIENCE: '2' };
    const { code, last, errors } = await trainer(shortRun('s3://lab/ns/test/full'), { env });
    expect(code).toBe(exitCodes.storage);
    expect(last).toMatchObject({
      code: 'StorageFull',
      message: expect.stringMatching(
        /^S3 bucket lab at .*: it has no room left to write s3:\/\/lab\/ns\/test\/full\/checkpoints\/best\.safetensors: it answered 507 InsufficientStorage: No space left on device\. Delete what is not needed there, or raise the quota\./,
      ),
    });
    expect(errors).toContain('Checkpoints cannot be uploaded. It is tried again, training goes on.');
  });

  test('an environment without keys says which are missing', async () => {
    const env = { ...environment('ARTIFACTS', labKeys), DESTILL_ARTIFACTS_S3_SECRET_ACCESS_KEY: ' ' };
    const { code, last } = await trainer(shortRun('s3://lab/ns/test/keyless'), { env });
    expect(code).toBe(exitCodes.failed);
    expect(last).toMatchObject({
      message: `s3://lab/ns/test/keyless: the environment variable DESTILL_ARTIFACTS_S3_SECRET_ACCESS_KEY is empty. It comes from secretAccessKey in ${secret}.`,
    });
  });
});

describe('a distilled student', () => {
  const distilled = {
    role: 'distilled',
    arm: 'soft',
    student: 'small',
    teacherRun: 'teacher',
    objective: { softTargets: { temperature: 4, weight: 0.9 } },
  };
  const student = (artifacts: string, teacherArtifacts: string): Assignment => ({
    ...shortRun(artifacts, { parameters: distilled }),
    teacherArtifacts,
  });
  const env = () => environment('TEACHER', guestKeys);

  test('learns from a teacher in another bucket with keys of its own; only its network is fetched', async () => {
    await store.makeReadable('teachers', guestKeys);
    const teacher = store.bucket('teachers', 'ns/lab/teacher');
    for (const name of ['checkpoints/best.safetensors', 'checkpoints/last.safetensors', 'history.jsonl']) {
      await teacher.write(name, readFileSync(join(whole.artifacts, name)));
    }
    const before = store.requests().length;
    const run = student('s3://lab/ns/test/student', teacher.uri());
    const { code, errors } = await trainer(run, { env: env() });
    expect(code, errors).toBe(exitCodes.succeeded);
    expect(readHistory(kept(run)).at(-1)?.distillation).toBeGreaterThan(0);
    const gets = store
      .requests()
      .slice(before)
      .filter((request) => request.startsWith('GetObject'));
    expect(gets).toEqual(['GetObject ns/lab/teacher/checkpoints/best.safetensors']);

    // The same on a volume: only the teacher is in S3.
    const folder = { ...run, artifacts: temporaryFolder() };
    expect((await trainer(folder, { env: env() })).code).toBe(exitCodes.succeeded);
    expect(digest(folder.artifacts)).toBe(digest(kept(run)));
    expect(readdirSync(folder.artifacts)).toContain('trainer.lock');
  });

  test('whose teacher is not there, or not for it, says so', async () => {
    await store.makeReadable('teachers', guestKeys);
    const missing = await trainer(student('s3://lab/ns/test/pupil', 's3://teachers/ns/lab/nobody'), {
      env: env(),
    });
    expect(missing.last).toMatchObject({
      code: 'TeacherMissing',
      message:
        's3://teachers/ns/lab/nobody/checkpoints/best.safetensors does not exist: its network has to be trained first.',
    });
    const refused = await trainer(student('s3://lab/ns/test/pupil', 's3://lab/ns/test/teacher'), {
      env: env(),
    });
    expect(refused.last).toMatchObject({
      code: 'StorageUnavailable',
      message: expect.stringContaining(
        'Allow it s3:ListBucket and s3:GetObject, or put another into the Secret that spec.storage.s3.secretName of the Experiment of the teacher names.',
      ),
    });
  });
});

test('a Run holds no more files and sockets at its end than near its beginning, and ends by itself', async () => {
  const run = shortRun('s3://lab/ns/test/many-epochs', { training: { epochs: 12 } });
  const open: number[] = [];
  const { code } = await trainer(run, {
    onReport: ({ kind }, { pid }) => kind === 'epoch' && open.push(readdirSync(`/proc/${pid}/fd`).length),
  });
  expect(code).toBe(exitCodes.succeeded);
  expect(open).toHaveLength(12);
  // Two moments' files at most, and one connection.
  const spread = 8;
  expect(Math.max(...open.slice(6))).toBeLessThanOrEqual(Math.min(...open.slice(2, 6)) + spread);
});
