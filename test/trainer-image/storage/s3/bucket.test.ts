/** Answers that the real store of the integration tests does not give. */
import { createHash } from 'node:crypto';
import { existsSync, statSync, truncateSync } from 'node:fs';
import { open, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Bucket, type BucketOptions } from '@destillml/trainer/storage/s3/bucket.ts';
import { fetchObject } from '@destillml/trainer/storage/s3/fetch-object.ts';
import type { S3Place } from '@destillml/trainer/storage/s3/place.ts';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { pixel, temporaryFolder } from '../../data/made-files.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, turn: number) => void;

/** A bucket whose store answers like this. */
async function bucketAt(answer: Answer, changes: Partial<S3Place> = {}, options: BucketOptions = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response, requests.push(request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const place: S3Place = {
    purpose: 'ARTIFACTS',
    bucket: 'lab',
    path: 'run',
    region: 'us-east-1',
    endpoint,
    accessKeyId: 'the-access-key',
    secretAccessKey: 'the-secret-key',
    ...changes,
  };
  const bucket = new Bucket(place, options);
  onTestFinished(() => {
    bucket.close();
    server.closeAllConnections();
    server.close();
  });
  return { bucket, endpoint, requests };
}

const xml = (code: string, message: string) =>
  `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;

describe('an answer of a store', () => {
  test.each([
    [
      301,
      xml('PermanentRedirect', 'Use the other endpoint.'),
      false,
      'it answered 301 PermanentRedirect: Use the other endpoint. Correct spec.storage.s3.region and spec.storage.s3.endpoint.',
    ],
    [
      400,
      xml('AuthorizationHeaderMalformed', 'expecting eu-central-1'),
      false,
      'it answered 400 AuthorizationHeaderMalformed: expecting eu-central-1. Correct spec.storage.s3.region and spec.storage.s3.endpoint.',
    ],
    [
      403,
      xml('RequestTimeTooSkewed', 'Too large.'),
      false,
      'its clock and the clock of this node differ by more than it bears. Set both by NTP.',
    ],
    [
      403,
      xml('QuotaExceeded', 'Full.'),
      false,
      'it has no room left to list s3://lab/run: it answered 403 QuotaExceeded: Full. Delete what is not needed there, or raise the quota.',
    ],
    [
      507,
      '',
      false,
      'it has no room left to list s3://lab/run: it answered 507 Unknown: UnknownError. Delete what is not needed there, or raise the quota.',
    ],
    [
      404,
      '<html>nothing here</html>',
      false,
      'that is no S3 store: it answered 404 NotFound: UnknownError. Correct spec.storage.s3.endpoint; the web page of a store often has another port than its S3 API.',
    ],
    [
      200,
      '<html>welcome</html>',
      false,
      'that is no S3 store: it does not answer like one. Correct spec.storage.s3.endpoint; the web page of a store often has another port than its S3 API.',
    ],
    [500, '', true, 'cannot list s3://lab/run: it answered 500 Unknown: UnknownError.'],
    [503, xml('SlowDown', 'Please.'), true, 'cannot list s3://lab/run: it answered 503 SlowDown: Please.'],
    [
      400,
      xml('Odd', 'You sent the-access-key with the-secret-key'),
      false,
      'cannot list s3://lab/run: it answered 400 Odd: You sent *** with ***.',
    ],
  ])('%d %s', async (status, body, passes, message) => {
    const { bucket, endpoint } = await bucketAt((_, response) => response.writeHead(status).end(body));
    const refusal = await bucket.list().catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: message.startsWith('it has no room left') ? 'StorageFull' : 'StorageUnavailable',
      passes,
      message: `S3 bucket lab at ${endpoint}: ${message}`,
    });
    // The SDK's error has the signed request in it.
    expect(refusal).not.toHaveProperty('cause');
  });

  test('that never comes is broken off with the reason of the signal', async () => {
    const { bucket } = await bucketAt(() => undefined);
    const stop = new AbortController();
    const listed = bucket.list(stop.signal);
    stop.abort(new Error('enough'));
    await expect(listed).rejects.toThrow('enough');
  });

  test('that takes a write without a receipt is not taken for one', async () => {
    const { bucket } = await bucketAt((_, response) => response.end('<html>thank you</html>'));
    await expect(bucket.write('result.json', Buffer.from('{}'))).rejects.toThrow('that is no S3 store');
  });

  test('that the clocks differ is made up for', async () => {
    const { bucket, requests } = await bucketAt(
      (_, response, turn) => {
        response.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString());
        if (turn === 1) response.writeHead(403).end(xml('RequestTimeTooSkewed', ''));
        else response.end('<ListBucketResult><Name>lab</Name><KeyCount>0</KeyCount></ListBucketResult>');
      },
      { path: '' },
    );
    expect(await bucket.list()).toEqual([]);
    const [first, second] = requests.map(({ headers }) => String(headers['x-amz-date']).slice(9, 11));
    expect((Number(first) + 1) % 24).toBe(Number(second));
  });

  test('about an endpoint with a password does not repeat that', async () => {
    const { bucket } = await bucketAt((_, response) => response.writeHead(500).end(), {
      endpoint: 'http://user:password@127.0.0.1:1',
    });
    const { message } = (await bucket.list().catch((error: unknown) => error)) as Error;
    expect(message).toMatch(/^S3 bucket lab at http:\/\/127\.0\.0\.1:1: /);
    expect(message).not.toContain('password');
  });
});

test('a long list is read to its end, and only what is below the path', async () => {
  const page = (keys: readonly string[], more: string) =>
    `<ListBucketResult><Name>lab</Name>${more}${keys.map((key) => `<Contents><Key>${key}</Key><Size>3</Size></Contents>`).join('')}</ListBucketResult>`;
  const { bucket, requests } = await bucketAt((_, response, turn) => {
    response.end(
      turn === 1
        ? page(['run/', 'run/a/1', 'run/a/2'], '<NextContinuationToken>next</NextContinuationToken>')
        : page(['run/b'], ''),
    );
  });
  expect((await bucket.list()).map(({ name }) => name)).toEqual(['a/1', 'a/2', 'b']);
  expect(requests.map(({ url }) => new URL(url ?? '', 'http://x').search)).toEqual([
    '?list-type=2&prefix=run%2F',
    '?continuation-token=next&list-type=2&prefix=run%2F',
  ]);
});

describe('a file that is written', () => {
  const opened = async (path: string) => {
    const file = await open(path, 'r');
    onTestFinished(() => file.close());
    return file.fd;
  };

  test('and cannot be read: the store is not blamed', async () => {
    const { bucket, requests } = await bucketAt((_, response) => response.end());
    const fd = await opened(await temporaryFolder());
    await expect(bucket.write('last', { fd, size: 10 })).rejects.toMatchObject({
      code: 'Environment',
      message:
        's3://lab/run/last: the file for it cannot be read on this machine: EISDIR: illegal operation on a directory, read. Look at the disk of the node.',
    });
    expect(requests).toEqual([]);
  });

  test('and cannot be read to its end: the store is not blamed', async () => {
    const path = join(await temporaryFolder(), 'last');
    await writeFile(path, '');
    // More than the buffers of a connection hold.
    const size = 256 << 20;
    await truncate(path, size);
    const { bucket } = await bucketAt((request) => {
      request.pause();
      truncateSync(path, 0);
    });
    await expect(bucket.write('last', { fd: await opened(path), size })).rejects.toMatchObject({
      code: 'Environment',
      message: expect.stringMatching(/cannot be read on this machine: it ends at byte \d+ of 268435456\./),
    });
  });
});

describe('connections', () => {
  const empty = '<ListBucketResult><Name>lab</Name><KeyCount>0</KeyCount></ListBucketResult>';

  test.each([
    [{}, 4],
    [{ keepAlive: true }, 1],
  ])('with %o two lists, of two requests each, take %i', async (options, expected) => {
    const { bucket, requests } = await bucketAt((_, response) => response.end(empty), {}, options);
    await bucket.list();
    await bucket.list();
    expect(requests).toHaveLength(4);
    expect(new Set(requests.map(({ socket }) => socket)).size).toBe(expected);
  });
});

describe('an object that is fetched', () => {
  const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => pixel(1, i)));
  const object = { name: 'last', size: content.length, etag: '"3c5a1b0f0d9f4b6d8a6f1b6f6f0a0b0c-2"' };
  const whole: Answer = ({ headers }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    response
      .writeHead(from > 0 ? 206 : 200, { 'content-length': content.length - from })
      .end(content.subarray(from));
  };
  let target: string;
  beforeEach(async () => {
    target = join(await temporaryFolder(), 'last');
  });
  const arrived = (bytes: number) =>
    vi.waitUntil(
      () => existsSync(`${target}.partial`) && statSync(`${target}.partial`).size === bytes,
      30_000,
    );
  const fetched = async (bucket: Bucket, etag = object.etag) => {
    await fetchObject(bucket, { ...object, etag }, target, { wait: async () => undefined });
    return readFile(target);
  };

  test('goes on where the connection was cut, and only if it is still the same', async () => {
    const { bucket, requests } = await bucketAt((request, response, turn) => {
      if (turn > 1) return whole(request, response, turn);
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 40_000));
      void arrived(40_000).then(() => response.socket?.end());
    });
    expect(await fetched(bucket)).toEqual(content);
    expect(requests.map(({ headers }) => [headers.range, headers['if-match']])).toEqual([
      [undefined, object.etag],
      ['bytes=40000-', object.etag],
    ]);
  });

  test('and differs from its checksum is fetched anew; five times, then it is given up', async () => {
    const damaged = Buffer.from(content);
    damaged.writeUInt8(damaged.readUInt8(7) ^ 1, 7);
    const crc = 'AAAAAA==';
    const broken = await bucketAt((_, response) =>
      response.writeHead(200, { 'content-length': damaged.length, 'x-amz-checksum-crc32': crc }).end(damaged),
    );
    await expect(fetched(broken.bucket)).rejects.toMatchObject({
      code: 'StorageUnavailable',
      message: expect.stringMatching(
        /^s3:\/\/lab\/run\/last: Checksum mismatch: .* Write the object anew\.$/,
      ),
    });
    expect(broken.requests).toHaveLength(5);

    const once = await bucketAt((request, response, turn) =>
      turn === 1 ? response.end(damaged) : whole(request, response, turn),
    );
    const md5 = createHash('md5').update(content).digest('hex');
    expect(await fetched(once.bucket, `"${md5}"`)).toEqual(content);
    expect(once.requests).toHaveLength(2);
  });

  test('and has another MD5 than its ETag says is not put in place', async () => {
    const { bucket } = await bucketAt(whole);
    await expect(fetched(bucket, '"0d4e2c8a5e0a0f2a1c8cbb7a6d1d0d11"')).rejects.toThrow(
      'its ETag is 0d4e2c8a5e0a0f2a1c8cbb7a6d1d0d11. Write the object anew.',
    );
    expect(existsSync(target)).toBe(false);
  });

  test('from a store that knows no ranges is fetched anew after a cut', async () => {
    const { bucket, requests } = await bucketAt((_, response, turn) => {
      response.writeHead(200, { 'content-length': content.length });
      if (turn > 1) return response.end(content);
      response.write(content.subarray(0, 40_000));
      void arrived(40_000).then(() => response.socket?.end());
    });
    expect(await fetched(bucket)).toEqual(content);
    expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=40000-', undefined]);
  });

  test('while the store is away is refused at once: whoever fetches knows how long to wait', async () => {
    const { bucket, requests } = await bucketAt((_, response) => response.writeHead(503).end());
    await expect(fetched(bucket)).rejects.toMatchObject({ passes: true });
    const cut = await bucketAt((_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.flushHeaders();
      setImmediate(() => response.socket?.end());
    });
    await expect(fetched(cut.bucket)).rejects.toMatchObject({ passes: true });
    expect([requests.length, cut.requests.length]).toEqual([1, 1]);
  });

  test('and has no room here: the store is not blamed', async () => {
    const { bucket } = await bucketAt(whole);
    await symlink('/dev/full', `${target}.partial`);
    await expect(fetched(bucket)).rejects.toMatchObject({
      code: 'StorageFull',
      message: expect.stringMatching(`^${target}\\.partial: there is no room for it on the volume at `),
    });
    await rm(`${target}.partial`);
    await symlink('/nowhere/to/write', `${target}.partial`);
    await expect(fetched(bucket)).rejects.toMatchObject({
      code: 'Environment',
      message: expect.stringMatching(
        /^s3:\/\/lab\/run\/last: it cannot be kept on this machine: ENOENT: .*\.$/,
      ),
    });
  });

  test('and was encrypted by a key service has no checksum for an ETag', async () => {
    const { bucket } = await bucketAt((request, response, turn) => {
      response.setHeader('x-amz-server-side-encryption', 'aws:kms');
      whole(request, response, turn);
    });
    expect(await fetched(bucket, '"0d4e2c8a5e0a0f2a1c8cbb7a6d1d0d11"')).toEqual(content);
  });

  test('and is gone is not tried again', async () => {
    const { bucket, requests } = await bucketAt((_, response) =>
      response.writeHead(404).end(xml('NoSuchKey', 'It does not exist.')),
    );
    await expect(fetched(bucket)).rejects.toThrow('cannot read s3://lab/run/last: it answered 404 NoSuchKey');
    expect(requests).toHaveLength(1);
  });

  test('is not fetched where it lies already', async () => {
    const { bucket, requests } = await bucketAt(whole);
    const target = join(await temporaryFolder(), 'last');
    await writeFile(target, content);
    await fetchObject(bucket, object, target, { wait: async () => undefined });
    expect(requests).toEqual([]);
  });
});
