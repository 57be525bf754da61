import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLines } from '../../../operator/runtime/json-lines.ts';

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield chunk;
}

async function read(chunks: readonly Buffer[]): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of jsonLines(stream(chunks))) values.push(value);
  return values;
}

/** The bytes cut in pieces of these lengths, over and over. */
function pieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let start = 0, piece = 0; start < bytes.length; piece++) {
    const length = lengths[piece % lengths.length] ?? 1;
    cut.push(bytes.subarray(start, start + length));
    start += length;
  }
  return cut;
}

describe('jsonLines', () => {
  it('reads the same values however the stream is cut', async () => {
    const values = fc.array(
      fc.object({ values: [fc.string({ unit: 'binary' }), fc.integer(), fc.boolean()] }),
    );
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(values, lengths, async (sent, cuts) => {
        const text = sent.map((value) => `${JSON.stringify(value)}\n`).join('');
        expect(JSON.stringify(await read(pieces(Buffer.from(text), cuts)))).toBe(JSON.stringify(sent));
      }),
    );
  });

  it('reads a last line without its end, and no empty ones', async () => {
    expect(await read([Buffer.from('\n{"a":1}\n\n{"a":2}')])).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('refuses a line that was cut off', async () => {
    await expect(read([Buffer.from('{"a":1}\n{"a":')])).rejects.toThrow(SyntaxError);
  });
});
