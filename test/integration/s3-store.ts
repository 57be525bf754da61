/** A real S3 store, versitygw, on this machine: its buckets are folders, its objects files. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Purpose } from '@destillml/core/protocol/s3.ts';
import { Bucket } from '@destillml/trainer/storage/s3/bucket.ts';
import { binary, Child, type Launch, tied } from '../cluster/child.ts';
import { TemporaryFolder } from '../cluster/folder.ts';
import { freePort } from '../cluster/ports.ts';
import { waitFor } from '../cluster/wait.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** May do everything. */
export const labKeys: Keys = { accessKeyId: 'LABACCESSKEY5Q', secretAccessKey: 'lab+secret/7hQzW2mX9' };
/** Likewise; another secret. */
export const otherKeys: Keys = { accessKeyId: 'OTHERACCESSKEY8', secretAccessKey: 'other+secret/3kVbN1pL6' };
/** Known to the store; nothing is allowed to it. */
export const guestKeys: Keys = { accessKeyId: 'GUESTACCESSKEY2', secretAccessKey: 'guest+secret/9rTyU4sD8' };

/** What gives a process mounts of its own, which some machines do not let their users make. */
const unshare = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];

export interface S3StoreOptions {
  /** Of its disk, such as `1m`; without it that of this machine's. */
  readonly size?: string;
  /** Address of this machine that it listens at. */
  readonly host?: string;
}

export class S3Store {
  readonly endpoint: string;
  readonly #folder = new TemporaryFolder();
  readonly #address: string;
  readonly #launch: Launch;
  #server: Child | undefined;

  private constructor(address: string, size: string | undefined) {
    this.#address = address;
    this.endpoint = `http://${address}`;
    this.#launch = size === undefined ? tied : { ...tied, command: this.#onSmallDisk(size) };
    for (const name of ['buckets/lab', 'metadata', 'users']) {
      mkdirSync(this.#folder.file(name), { recursive: true });
    }
    const account = ({ accessKeyId, secretAccessKey }: Keys, role: string) => [
      accessKeyId,
      { access: accessKeyId, secret: secretAccessKey, role, userID: 0, groupID: 0, projectID: 0 },
    ];
    const accounts = Object.fromEntries([account(otherKeys, 'admin'), account(guestKeys, 'user')]);
    writeFileSync(this.#folder.file('users/users.json'), JSON.stringify({ accessAccounts: accounts }));
  }

  static async start({ size, host = '127.0.0.1' }: S3StoreOptions = {}): Promise<S3Store> {
    const store = new S3Store(`${host}:${await freePort()}`, size);
    await store.start();
    return store;
  }

  /** Path of an object, or of a folder of objects. */
  file(bucket: string, key: string): string {
    return join(this.#folder.file('buckets'), bucket, key);
  }

  /** A folder of a bucket, for one who may do everything. */
  bucket(bucket: string, path: string, purpose: S3Purpose = 'ARTIFACTS'): Bucket {
    return new Bucket({
      purpose,
      bucket,
      path,
      region: 'us-east-1',
      endpoint: this.endpoint,
      ...labKeys,
    });
  }

  /** Makes a bucket that `keys` may list and read, and nothing else. */
  async makeReadable(bucket: string, keys: Keys): Promise<void> {
    mkdirSync(this.file(bucket, ''), { recursive: true });
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: this.endpoint,
      forcePathStyle: true,
      credentials: labKeys,
    });
    const resource = `arn:aws:s3:::${bucket}`;
    const statement = {
      Effect: 'Allow',
      Principal: [keys.accessKeyId],
      Action: ['s3:ListBucket', 's3:GetObject'],
      Resource: [resource, `${resource}/*`],
    };
    await client.send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Statement: [statement] }) }),
    );
    client.destroy();
  }

  /** What it was asked for until now, such as `GetObject small/result.json`. */
  requests(): string[] {
    const log = readFileSync(this.#folder.file('access.log'), 'utf8');
    return [...log.matchAll(/ s3_(\w+ \S+) /g)].map(([, request = '']) => request);
  }

  /** Starts it (again): with the objects that it has. */
  async start(): Promise<void> {
    await this.stop();
    const flags = [
      ...['--port', this.#address, '--access', labKeys.accessKeyId],
      ...['--secret', labKeys.secretAccessKey, '--iam-dir', this.#folder.file('users')],
      ...['--access-log', this.#folder.file('access.log'), '--health', '/health', '--quiet'],
      ...['posix', '--sidecar', this.#folder.file('metadata'), this.#folder.file('buckets')],
    ];
    const server = new Child(binary('versitygw'), flags, this.#folder.file('log'), this.#launch);
    this.#server = server;
    await waitFor('the S3 store', async () => {
      server.check();
      const answer = await fetch(`${this.endpoint}/health`).catch(() => undefined);
      return answer?.ok || undefined;
    });
  }

  /** Ends it at once; its objects stay. */
  async stop(): Promise<void> {
    await this.#server?.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#folder.remove();
  }

  #onSmallDisk(size: string): readonly string[] {
    const script = 'mount -t tmpfs -o size="$0" tmpfs "$1" && mkdir "$1/lab" && shift && exec "$@"';
    return [...unshare, ...tied.command, 'sh', '-c', script, size, this.#folder.file('buckets')];
  }
}
