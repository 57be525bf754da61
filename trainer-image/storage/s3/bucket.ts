import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { read } from 'node:fs';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DestillError } from '@destillml/core/errors.ts';
import type { S3Place } from './place.ts';
import { noStore, refusal } from './refusal.ts';

/** An object below the path of a bucket. */
export interface StoredObject {
  /** Its key below that path; empty where the path is the whole key. */
  readonly name: string;
  readonly size: number;
  readonly etag?: string | undefined;
}

/** The first `size` bytes of an open file: what is there, whatever becomes of its name. */
export interface OpenFile {
  readonly fd: number;
  readonly size: number;
}

export interface ObjectContent {
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether the ETag may be the MD5 of the content: that of an object that a key service encrypted is not. */
  readonly etagIsMd5: boolean;
}

/** Bytes of a file that are read at a time. */
const chunk = 1 << 20;

export interface BucketOptions {
  /**
   * Whether one request goes over the connection of another: for many small objects, one right after the other. Default:
   * false, as minutes pass between uploads: whatever is between here and the store forgets the connection, and says
   * nothing.
   */
  readonly keepAlive?: boolean;
}

/** A folder of a bucket. Every method tries once, and throws an S3Refusal, or the signal's reason once that is aborted. */
export class Bucket {
  readonly place: S3Place;
  readonly #client: S3Client;

  constructor(place: S3Place, { keepAlive = false }: BucketOptions = {}) {
    this.place = place;
    const { region, endpoint, accessKeyId, secretAccessKey } = place;
    this.#client = new S3Client({
      region,
      credentials: { accessKeyId, secretAccessKey },
      // Stores of one's own rarely have a name in the DNS for every bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      // Checksums in trailers are more than simple stores understand; Content-MD5 they all do.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      // Whoever calls tries again: the SDK cannot read a stream twice.
      maxAttempts: 1,
      // Milliseconds without a byte; a store may take a while to acknowledge a large object.
      requestHandler: {
        connectionTimeout: 10_000,
        socketTimeout: 60_000,
        httpAgent: { keepAlive },
        httpsAgent: { keepAlive },
      },
    });
  }

  /** `s3://bucket/path/name` */
  uri(name = ''): string {
    return `s3://${this.place.bucket}/${this.#key(name)}`;
  }

  /** Objects below the path, or the one whose key the path is. */
  async list(signal?: AbortSignal): Promise<readonly StoredObject[]> {
    const { path } = this.place;
    const below = await this.#list(path === '' ? '' : `${path}/`, signal);
    if (below.length > 0 || path === '') return below;
    // In the order of keys, the path itself comes before whatever else begins with it.
    const [first] = await this.#list(path, signal, 1);
    return first?.name === '' ? [first] : [];
  }

  async #list(prefix: string, signal?: AbortSignal, atMost?: number): Promise<StoredObject[]> {
    const { bucket, path } = this.place;
    const found: StoredObject[] = [];
    let after: string | undefined;
    do {
      const page = await this.#send(`list ${this.uri()}`, signal, (client, options) =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ContinuationToken: after,
            MaxKeys: atMost,
          }),
          options,
        ),
      );
      if (page.Name === undefined && page.KeyCount === undefined)
        throw noStore(this.place, 'it does not answer like one');
      for (const { Key = '', Size = 0, ETag } of page.Contents ?? []) {
        // Some tools make an empty object for a folder.
        if (Key.endsWith('/')) continue;
        const name = path === '' ? Key : Key.slice(path.length).replace(/^\//, '');
        found.push({ name, size: Size, etag: ETag || undefined });
      }
      after = atMost === undefined ? page.NextContinuationToken : undefined;
    } while (after !== undefined);
    return found;
  }

  /** The content from byte `from` on. It fails where the object has changed since it was listed. */
  async read({ name, etag }: StoredObject, from: number, signal?: AbortSignal): Promise<ObjectContent> {
    const doing = `read ${this.uri(name)}`;
    const { Body, ServerSideEncryption, SSECustomerAlgorithm } = await this.#send(
      doing,
      signal,
      (client, options) =>
        client.send(
          new GetObjectCommand({
            Bucket: this.place.bucket,
            Key: this.#key(name),
            IfMatch: etag,
            ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
          }),
          options,
        ),
    );
    if (!(Body instanceof Readable)) throw noStore(this.place, 'it does not answer like one');
    const isPlain = ServerSideEncryption === undefined || ServerSideEncryption === 'AES256';
    return { body: Body, etagIsMd5: isPlain && SSECustomerAlgorithm === undefined };
  }

  /**
   * Replaces an object as a whole: others see the old or the new one, never a part.
   *
   * @throws DestillError `Environment` where the file cannot be read
   */
  async write(name: string, content: Buffer | OpenFile, signal?: AbortSignal): Promise<void> {
    const chunks = (file: OpenFile) => chunksOf(file, this.uri(name));
    const md5 = await contentMd5(Buffer.isBuffer(content) ? [content] : chunks(content), signal);
    const answer = await this.#send(`write ${this.uri(name)}`, signal, async (client, { abortSignal }) => {
      // S3 takes up to 5 GiB at once, several times what the largest network and its velocities have.
      const body = Buffer.isBuffer(content) ? content : Readable.from(chunks(content), { objectMode: false });
      const broken = new AbortController();
      if (body instanceof Readable) body.once('error', (error) => broken.abort(error));
      try {
        return await client.send(
          new PutObjectCommand({
            Bucket: this.place.bucket,
            Key: this.#key(name),
            Body: body,
            ContentLength: Buffer.isBuffer(content) ? content.length : content.size,
            ContentMD5: md5,
          }),
          { abortSignal: abortSignal ? AbortSignal.any([abortSignal, broken.signal]) : broken.signal },
        );
      } catch (error) {
        throw broken.signal.aborted ? broken.signal.reason : error;
      } finally {
        if (body instanceof Readable) await end(body);
      }
    });
    if (answer.ETag === undefined) throw noStore(this.place, 'it does not answer like one');
  }

  /** Makes an object of another one, in the store itself. */
  async copy(from: string, to: string, signal?: AbortSignal): Promise<void> {
    const { bucket } = this.place;
    const source = [bucket, ...this.#key(from).split('/')].map(encodeURIComponent).join('/');
    await this.#send(`copy ${this.uri(from)}`, signal, (client, options) =>
      client.send(new CopyObjectCommand({ Bucket: bucket, Key: this.#key(to), CopySource: source }), options),
    );
  }

  close(): void {
    this.#client.destroy();
  }

  async #send<T>(
    doing: string,
    signal: AbortSignal | undefined,
    request: (client: S3Client, options: { abortSignal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request(this.#client, signal ? { abortSignal: signal } : {});
      } catch (error) {
        signal?.throwIfAborted();
        // From this answer the SDK has learnt what time it is in the store.
        if (attempt === 1 && error instanceof Error && error.name === 'RequestTimeTooSkewed') continue;
        throw error instanceof DestillError ? error : refusal(error, this.place, doing);
      }
    }
  }

  #key(name: string): string {
    return [this.place.path, name].filter((part) => part !== '').join('/');
  }
}

/**
 * Not a stream of node:fs: that one closes the file when it is destroyed.
 *
 * @param uri where it is written to
 */
async function* chunksOf({ fd, size }: OpenFile, uri: string): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < size; ) {
    const buffer = Buffer.allocUnsafe(Math.min(chunk, size - offset));
    const { bytesRead } = await promisify(read)(fd, buffer, 0, buffer.length, offset).catch(
      (cause: NodeJS.ErrnoException) => {
        throw unreadable(uri, cause.message, cause);
      },
    );
    if (bytesRead === 0) throw unreadable(uri, `it ends at byte ${offset} of ${size}`);
    yield buffer.subarray(0, bytesRead);
    offset += bytesRead;
  }
}

function unreadable(uri: string, why: string, cause?: unknown): DestillError {
  return new DestillError(
    'Environment',
    `${uri}: the file for it cannot be read on this machine: ${why}. Look at the disk of the node.`,
    { cause },
  );
}

/** Ends a stream, and waits until it no longer reads. */
async function end(stream: Readable): Promise<void> {
  stream.destroy();
  if (!stream.closed) await once(stream, 'close');
}

/** As the header of that name wants it. */
async function contentMd5(
  chunks: Iterable<Buffer> | AsyncIterable<Buffer>,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('md5');
  for await (const bytes of chunks) {
    signal?.throwIfAborted();
    hash.update(bytes);
  }
  return hash.digest('base64');
}
