/** Values that these tests and the scripts in test/reference compute by the same formula: see filled.py there. */

/** Single-precision numbers within offset ± scale. */
export function filled(name: string, size: number, scale = 1, offset = 0): Float32Array {
  const start = fnv1a(name);
  const values = new Float32Array(size);
  for (let index = 0; index < size; index++) {
    values[index] = offset + scale * (hashed(start, index) / 2 ** 31 - 1);
  }
  return values;
}

/** 1 or −1 for every position. */
export function signs(name: string, size: number): Float32Array {
  const start = fnv1a(name);
  return Float32Array.from({ length: size }, (_, index) => signAt(start, index));
}

/** A tensor's Euclidean norm and its projection on a vector of signs drawn from its name. */
export function summary(name: string, values: Float32Array): readonly [norm: number, projection: number] {
  const start = fnv1a(name);
  let squares = 0;
  let projection = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    squares += value * value;
    projection += value * signAt(start, index);
  }
  return [Math.sqrt(squares), projection];
}

export function fnv1a(text: string): number {
  return [...new TextEncoder().encode(text)].reduce(
    (state, byte) => Math.imul(state ^ byte, 16777619) >>> 0,
    2166136261,
  );
}

function signAt(start: number, index: number): number {
  return (hashed(start, index) & 1) === 1 ? -1 : 1;
}

function hashed(start: number, index: number): number {
  let x = (start + Math.imul(index, 0x9e3779b9)) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
