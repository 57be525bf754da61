import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { type OnnxTeacher, onnxTeacher } from '@destillml/core/api/onnx-teacher.ts';
import { type TeacherFileDeps, teacherFile } from '@destillml/trainer/onnx-teacher/teacher-file.ts';
import { expect, test } from 'vitest';
import { serveFile } from '../data/file-server.ts';
import { sha256, temporaryFolder } from '../data/made-files.ts';
import { fixturePath } from './fixture.ts';

const deps: TeacherFileDeps = {
  fetch,
  wait: async () => undefined,
  claims: undefined,
  openBucket: async () => {
    throw new Error('no store here');
  },
  warn: () => undefined,
};
const content = readFileSync(fixturePath('traced'));

/** As a spec that has been checked names it. */
const given = (teacher: object): OnnxTeacher => onnxTeacher.parse(teacher);

test('a file on a web server is fetched once and checked', async () => {
  const server = await serveFile(content, { cutAfter: [10_000] });
  const folder = await temporaryFolder();
  const teacher = given({ http: { url: server.url, sha256: sha256(content) } });
  const once = await teacherFile(teacher, folder, { ...deps, onProgress: server.onProgress });
  expect(once).toEqual({ path: `${folder}/${sha256(content).slice(0, 16)}.onnx`, source: server.url });
  expect(await readFile(once.path)).toEqual(content);
  expect(await teacherFile(teacher, folder, deps)).toEqual(once);
  expect(server.ranges).toEqual(['', 'bytes=10000-']);
});

test('a file with another checksum is unusable, one that a server does not have is missing', async () => {
  const folder = await temporaryFolder();
  const wrong = '0'.repeat(64);
  const server = await serveFile(content);
  const fetched = (url: string) => teacherFile(given({ http: { url, sha256: wrong } }), folder, deps);
  await expect(fetched(server.url)).rejects.toMatchObject({
    code: 'CheckpointUnusable',
    message: expect.stringContaining(
      `${server.url}: the download has SHA-256 ${sha256(content)}, spec.teacher.from.onnx.http.sha256 says ${wrong}.`,
    ),
  });
  const empty = await serveFile(content, { status: [404] });
  await expect(fetched(empty.url)).rejects.toMatchObject({
    code: 'TeacherMissing',
    message: `${empty.url}: the server answered 404 Not Found. Check spec.teacher.from.onnx.http.url.`,
  });
  expect(await readdir(folder)).toEqual([]);
});

test('a file that is here is read where it is; `..` does not lead out of a claim', async () => {
  expect(await teacherFile(given({ file: { path: 'a/b.onnx' } }), '/nowhere', deps)).toEqual({
    path: 'a/b.onnx',
    source: 'a/b.onnx',
  });
  const onClaim = (path: string) => given({ persistentVolumeClaim: { claimName: 'networks', path } });
  const mounted = { ...deps, claims: '/data-source' };
  expect(await teacherFile(onClaim('big/b.onnx'), '/nowhere', mounted)).toEqual({
    path: '/data-source/networks/big/b.onnx',
    source: 'big/b.onnx on PersistentVolumeClaim networks',
  });
  expect(await teacherFile(onClaim('../../etc/b.onnx'), '/nowhere', mounted)).toMatchObject({
    path: '/data-source/networks/etc/b.onnx',
  });
  await expect(teacherFile(onClaim('b.onnx'), '/nowhere', deps)).rejects.toMatchObject({
    code: 'InvalidSpec',
    message:
      'spec.teacher.from.onnx.persistentVolumeClaim: the claim networks is not mounted here. On this machine use spec.teacher.from.onnx.file.',
  });
});
