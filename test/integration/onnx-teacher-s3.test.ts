/** Teachers as ONNX files in a real S3 store. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '@destillml/core/protocol/report.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mnistFiles } from '../trainer-image/data/made-files.ts';
import { fixturePath } from '../trainer-image/onnx-teacher/fixture.ts';
import { runTrainer } from '../trainer-image/process.ts';
import { digest, smallRun, temporaryFolder } from '../trainer-image/training/run.ts';
import { guestKeys, S3Store } from './s3-store.ts';

let store: S3Store;
/** Images that take no time to load. */
let images: string;

beforeAll(async () => {
  images = temporaryFolder();
  for (const [name, content] of Object.entries(mnistFiles(20))) writeFileSync(join(images, name), content);
  store = await S3Store.start();
  await store.makeReadable('networks', guestKeys);
  const bucket = store.bucket('networks', 'teachers');
  for (const how of ['traced', 'captured']) await bucket.write(`${how}.onnx`, readFileSync(fixturePath(how)));
  bucket.close();
});
afterAll(() => store.remove());

const env = {
  DESTILL_ONNX_S3_ACCESS_KEY_ID: guestKeys.accessKeyId,
  DESTILL_ONNX_S3_SECRET_ACCESS_KEY: guestKeys.secretAccessKey,
};

function student(place: object, data = temporaryFolder()) {
  const source = { directory: { path: images } };
  return smallRun({
    artifacts: temporaryFolder(),
    parameters: {
      role: 'distilled',
      dataset: { name: 'mnist', source, imageSize: 16, validation: 20 },
      teacherOnnx: { ...place, logits: 'logits', features: ['stage1', 'stage2'] },
      objective: { softTargets: {}, attentionTransfer: {} },
    },
    training: { epochs: 1 },
    rest: { data },
  });
}

const object = (key: string, bucket = 'networks') => ({
  s3: { bucket, key, endpoint: store.endpoint, secretName: 'keys' },
});

test('a student learns from a file in S3 as from the same file on this machine; it is fetched once', async () => {
  const here = student({ file: { path: fixturePath('traced') } });
  expect((await runTrainer(here)).code).toBe(exitCodes.succeeded);

  const data = temporaryFolder();
  const first = student(object('teachers/traced.onnx'), data);
  const said = await runTrainer(first, { env });
  expect(said.code, said.errors).toBe(exitCodes.succeeded);
  expect(digest(first.artifacts)).toBe(digest(here.artifacts));
  const before = store.requests().length;
  expect((await runTrainer(student(object('teachers/traced.onnx'), data), { env })).code).toBe(0);
  expect(store.requests().slice(before)).toEqual(['ListObjectsV2 -', 'ListObjectsV2 -']);
  expect(readdirSync(join(data, 'teachers'))).toEqual([expect.stringMatching(/^s3-[0-9a-f]{16}\.onnx$/)]);
  const written = readFileSync(join(first.artifacts, 'assignment.json'), 'utf8');
  expect(JSON.stringify([said, written])).not.toContain(guestKeys.secretAccessKey);
});

test('a file that is not there, may not be read, or is none, is named by its address', async () => {
  const refused = async (place: object, keys = env) => {
    const { code, last } = await runTrainer(student(place), { env: keys });
    return { code, ...last };
  };
  expect(await refused(object('teachers'))).toMatchObject({
    code: 'TeacherMissing',
    message: 's3://networks/teachers: there is no such object. Correct spec.teacher.from.onnx.s3.key.',
  });
  expect(await refused(object('teachers/traced.onnx', 'lab'))).toMatchObject({
    code: 'TeacherMissing',
    message: `S3 bucket lab at ${store.endpoint}: the access key may not list s3://lab/teachers/traced.onnx. Allow it s3:ListBucket and s3:GetObject, or put another into the Secret that spec.teacher.from.onnx.s3.secretName names.`,
  });
  const bucket = store.bucket('networks', 'teachers');
  await bucket.write('text.onnx', Buffer.from('hello'));
  bucket.close();
  expect(await refused(object('teachers/text.onnx'))).toMatchObject({
    code: 'CheckpointUnusable',
    message: 's3://networks/teachers/text.onnx is not an ONNX file, or not a whole one.',
  });
});
