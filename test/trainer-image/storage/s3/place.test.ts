import { isS3, s3Address, s3Place } from '@destillml/trainer/storage/s3/place.ts';
import { describe, expect, test } from 'vitest';

const keys = { DESTILL_TEACHER_S3_ACCESS_KEY_ID: 'id', DESTILL_TEACHER_S3_SECRET_ACCESS_KEY: 'secret' };

describe('a place in S3', () => {
  test('is an address, and what the environment says of its purpose', () => {
    const env = {
      ...keys,
      DESTILL_TEACHER_S3_REGION: 'eu-west-1',
      DESTILL_TEACHER_S3_ENDPOINT: 'https://s3.example.org',
      DESTILL_ARTIFACTS_S3_REGION: 'elsewhere',
    };
    expect(s3Place('TEACHER', 's3://lab/vision/ns/run', env)).toEqual({
      purpose: 'TEACHER',
      bucket: 'lab',
      path: 'vision/ns/run',
      region: 'eu-west-1',
      endpoint: 'https://s3.example.org',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
    });
  });

  test('is in AWS without an endpoint; it may be a whole bucket', () => {
    expect(s3Place('TEACHER', 's3://lab/', { ...keys, DESTILL_TEACHER_S3_ENDPOINT: '' })).toEqual({
      purpose: 'TEACHER',
      bucket: 'lab',
      path: '',
      region: 'us-east-1',
      accessKeyId: 'id',
      secretAccessKey: 'secret',
    });
  });

  test('a line break at the end of a key is not a part of it', () => {
    const env = {
      DESTILL_TEACHER_S3_ACCESS_KEY_ID: 'id\n',
      DESTILL_TEACHER_S3_SECRET_ACCESS_KEY: ' secret\r\n',
    };
    expect(s3Place('TEACHER', 's3://lab/a', env)).toMatchObject({
      accessKeyId: 'id',
      secretAccessKey: 'secret',
    });
  });

  test('without a key is refused: it is said where it comes from', () => {
    const { DESTILL_TEACHER_S3_ACCESS_KEY_ID: _, ...without } = keys;
    expect(() => s3Place('TEACHER', 's3://lab/a', without)).toThrow(
      's3://lab/a: the environment variable DESTILL_TEACHER_S3_ACCESS_KEY_ID is not set. It comes from accessKeyId in the Secret that spec.storage.s3.secretName of the Experiment of the teacher names.',
    );
  });

  test.each(['nonsense', 'ftp://store', 'http://'])('at the endpoint %s is refused', (endpoint) => {
    expect(() =>
      s3Place('TEACHER', 's3://lab/a', { ...keys, DESTILL_TEACHER_S3_ENDPOINT: endpoint }),
    ).toThrow(`"${endpoint}" is not an http or https address.`);
  });

  test('is told from a folder', () => {
    expect([isS3('s3://lab/a'), isS3('/artifacts/s3:/a'), isS3('s3')]).toEqual([true, false, false]);
    expect(s3Address({ bucket: 'lab', prefix: '/sets//mnist/' })).toBe('s3://lab/sets/mnist/');
  });
});
