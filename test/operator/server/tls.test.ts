import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, getCiphers } from 'node:tls';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { selfSigned } from '../../../operator/server/self-signed.ts';
import { readPair } from '../../../operator/server/tls-files.ts';
import { FakeClock, settle } from '../runtime/fake-clock.ts';
import { world } from './world.ts';

const now = Date.parse('2026-11-24T12:00:00Z');

async function certificateFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'destill-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
  const write = ({ cert, key }: { cert?: string; key?: string }) => {
    if (cert !== undefined) writeFileSync(files.cert, cert);
    if (key !== undefined) writeFileSync(files.key, key);
  };
  const first = await selfSigned(['127.0.0.1'], now);
  write(first);
  return { files, write, first };
}

/** Serial number of the certificate that the server shows. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;

describe('a made-up certificate', () => {
  test('is for the names it was made for, from now on, and fits its key', async () => {
    const { cert, key } = await selfSigned(['destillml.lab.svc', '127.0.0.1', '::1'], now);
    const certificate = new X509Certificate(cert);
    expect(certificate.checkHost('destillml.lab.svc')).toBe('destillml.lab.svc');
    expect(certificate.checkHost('elsewhere.svc')).toBeUndefined();
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.validFromDate.getTime()).toBeLessThan(now);
    expect(certificate.validToDate.getTime()).toBeGreaterThan(now + 9 * 365 * 24 * 3600 * 1000);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  test('is another each time', async () => {
    const [one, two] = [await selfSigned(['a'], now), await selfSigned(['a'], now)];
    expect(serialOf(one.cert)).not.toBe(serialOf(two.cert));
  });
});

describe('certificate files', () => {
  test('are shown, and shown anew once they change', async () => {
    const { files, write, first } = await certificateFiles();
    const { server, clock } = await world({ options: { tls: files } });
    expect(await shown(server.port)).toBe(serialOf(first.cert));

    const second = await selfSigned(['127.0.0.1'], now);
    write(second);
    expect(await shown(server.port)).toBe(serialOf(first.cert));
    await clock.advance(10_000);
    await expect.poll(() => shown(server.port)).toBe(serialOf(second.cert));
  });

  test('that do not fit together yet are left until they do; it is said once', async () => {
    const { files, write, first } = await certificateFiles();
    const lines: string[] = [];
    const log = pino({ base: null }, { write: (line) => void lines.push(line) });
    const clock = new FakeClock(now);
    const { server } = await world({ options: { tls: files }, deps: { clock, log } });
    /** One look at the files, which takes its own time. */
    const look = async () => {
      await clock.advance(10_000);
      while (clock.pending === 0) await settle();
    };

    const second = await selfSigned(['127.0.0.1'], now);
    write({ cert: second.cert });
    await look();
    await look();
    expect(await shown(server.port)).toBe(serialOf(first.cert));
    write({ key: second.key });
    await look();
    expect(await shown(server.port)).toBe(serialOf(second.cert));

    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      `the old certificate stays in use: ${files.key}: it is not the key of the certificate ${files.cert}; give a certificate and its key, both PEM`,
      'certificate loaded',
    ]);
    expect(lines.join('')).not.toContain('PRIVATE');
  });

  test('are looked at no more once the server is closed', async () => {
    const { files } = await certificateFiles();
    const { server, clock } = await world({ options: { tls: files } });
    await server.close();
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['is missing', 'cert', undefined, 'no such file'],
    ['is no certificate', 'cert', 'nonsense', 'it is not PEM of what it should be'],
    ['is no key', 'key', 'nonsense', 'it is not PEM of what it should be'],
  ] as const)('of which one %s are an error that names it', async (_, which, content, message) => {
    const { files, write } = await certificateFiles();
    if (content === undefined) rmSync(files[which]);
    else write({ [which]: content });
    const error = await readPair(files).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'Environment' });
    expect(String(error)).toContain(files[which]);
    expect(String(error)).toContain(message);
  });
});

test('a port that another process has is an error that names the option', async () => {
  const { server } = await world();
  const main = { host: '127.0.0.1', port: server.port };
  await expect(world({ options: { main } })).rejects.toThrow(
    `port ${server.port}: another process listens there; choose another by --server-bind-address`,
  );
});

/** The suite that server and client agree on if the client knows this one only; undefined: on none. */
function agreed(port: number, suite: string): Promise<string | undefined> {
  const isNew = suite.startsWith('tls_');
  const name = suite.toUpperCase();
  return new Promise((resolve) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port,
        rejectUnauthorized: false,
        // Also what OpenSSL itself offers no more unless told.
        ciphers: isNew ? name : `${name}:@SECLEVEL=0`,
        minVersion: isNew ? 'TLSv1.3' : 'TLSv1',
        maxVersion: isNew ? 'TLSv1.3' : 'TLSv1.2',
      },
      () => {
        resolve(socket.getCipher().name);
        socket.destroy();
      },
    );
    socket.once('error', () => resolve(undefined));
  });
}

/** A certificate with an RSA key, as many authorities make them. */
async function rsaPair(): Promise<{ cert: string; key: string }> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=destill-operator',
    notBefore: new Date(now - 1000),
    notAfter: new Date(now + 1e12),
    keys,
    signingAlgorithm: algorithm,
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { cert: certificate.toString('pem'), key };
}

describe('of all cipher suites that OpenSSL knows', () => {
  const modern = ['tls_aes_128_gcm_sha256', 'tls_aes_256_gcm_sha384', 'tls_chacha20_poly1305_sha256'];
  const of = (kind: string) =>
    ['aes128-gcm-sha256', 'aes256-gcm-sha384', 'chacha20-poly1305'].map(
      (cipher) => `ecdhe-${kind}-${cipher}`,
    );
  const takenOf = async (port: number) => {
    const taken: string[] = [];
    for (const suite of getCiphers()) {
      const name = await agreed(port, suite);
      if (name !== undefined) taken.push(suite);
    }
    return taken.sort();
  };

  test.each(['rsa', 'ecdsa'])(
    'those with authenticated encryption and forward secrecy are taken: %s',
    async (kind) => {
      expect(getCiphers()).toEqual(
        expect.arrayContaining([`ecdhe-${kind}-aes128-sha256`, `ecdhe-${kind}-aes256-sha`]),
      );
      const { files, write, first } = await certificateFiles();
      const other = kind === 'rsa' ? await rsaPair() : first;
      write(other);
      const { server, clock } = await world({ options: { tls: files } });
      const expected = [...modern, ...of(kind)].sort();
      expect(await takenOf(server.port)).toEqual(expected);
      // A renewed certificate changes nothing about it.
      write(kind === 'rsa' ? await rsaPair() : await selfSigned(['127.0.0.1'], now));
      await clock.advance(10_000);
      await expect.poll(() => shown(server.port)).not.toBe(serialOf(other.cert));
      expect(await takenOf(server.port)).toEqual(expected);
    },
  );

  test('and no version before 1.2 is spoken', async () => {
    const { server } = await world();
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      const socket = connect({
        host: '127.0.0.1',
        port: server.port,
        rejectUnauthorized: false,
        minVersion: version,
        maxVersion: version,
        ciphers: 'ALL:@SECLEVEL=0',
      });
      await expect(once(socket, 'secureConnect')).rejects.toThrow(/version|protocol/i);
    }
  });
});
