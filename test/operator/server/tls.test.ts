import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
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
