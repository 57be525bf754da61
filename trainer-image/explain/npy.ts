/**
 * An array of float32 in NumPy's format, version 1.0, which `numpy.load` reads.
 *
 * @param shape its product is the number of values.
 */
export function encodeNpy(values: Float32Array, shape: readonly number[]): Uint8Array {
  const described = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.map((side) => `${side},`).join(' ')}), }`;
  // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
  const padding = 64 - ((10 + described.length + 1) % 64);
  const header = `${described}${' '.repeat(padding)}\n`;
  const start = Buffer.alloc(10);
  start.write('\x93NUMPY\x01\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
}
