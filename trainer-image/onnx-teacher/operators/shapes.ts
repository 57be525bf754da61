/** What moves numbers, and what computes with shapes; these are known, because a batch has a size. */
import { type Tensor2D, type Tensor4D, tf } from '../../tensorflow/tf.ts';
import { described, image, integers, matrix, type NodeView, type Operator } from '../node.ts';
import { storedValue, type Value } from '../values.ts';

export const shapes: Readonly<Record<string, Operator>> = {
  Identity: (node) => node.input(0),
  /** Nothing in inference. */
  Dropout: (node) => node.input(0),

  Constant(node) {
    const refuse = (what: string) => node.refuse(what);
    const tensor = node.attribute('value')?.t;
    if (tensor !== undefined) return storedValue(node.output, tensor, refuse);
    const whole = node.attribute('value_ints')?.ints;
    if (whole !== undefined) return integers(whole);
    if (node.attribute('value_int') !== undefined) return integers([node.int('value_int', 0)], true);
    const values = Float32Array.of(node.float('value_float', 0));
    if (node.attribute('value_float') === undefined) return node.refuse('is of a kind that is not supported');
    return { kind: 'weight', name: node.output, shape: [], values };
  },

  Cast(node) {
    const value = node.input(0);
    return value.kind === 'integers' ? value : node.refuse(`converts ${described(value)}`);
  },

  Shape(node) {
    const sides = shapeOf(node, node.input(0));
    return integers(sides.slice(node.int('start', 0), node.int('end', sides.length)));
  },

  Gather(node) {
    const [data, indices] = [node.input(0), node.input(1)];
    if (data.kind !== 'integers' || indices.kind !== 'integers')
      return node.refuse(`picks from ${described(data)}`);
    const picked = indices.values.map((index) => data.values.at(index));
    return integers(
      picked.map((value) => value ?? node.refuse('picks what is not there')),
      indices.isScalar,
    );
  },

  Concat(node) {
    const values = Array.from({ length: node.inputs }, (_, index) => node.input(index));
    if (values.every((value) => value.kind === 'integers'))
      return integers(values.flatMap((value) => value.values));
    if (![1, values[0]?.kind === 'image' ? -3 : -1].includes(node.int('axis', 1))) {
      return node.refuse('joins along an axis other than the channels');
    }
    if (values.every((value) => value.kind === 'image')) {
      return image(
        tf.concat(
          values.map(({ tensor }) => tensor),
          3,
        ),
      );
    }
    if (values.every((value) => value.kind === 'matrix')) {
      return matrix(
        tf.concat(
          values.map(({ tensor }) => tensor),
          1,
        ),
      );
    }
    return node.refuse(`joins ${values.map(described).join(' and ')}`);
  },

  Pad(node) {
    const x = node.image(0);
    if (node.text('mode', 'constant') !== 'constant')
      node.refuse('pads with something other than a constant');
    const value = node.optionalWeight(2)?.values[0] ?? node.float('value', 0);
    const pads = node.integers('pads', 1) ?? [];
    const at = (index: number) => pads[index] ?? 0;
    if (pads.length !== 8 || at(0) + at(1) + at(4) + at(5) !== 0)
      node.refuse('pads more than rows and columns');
    if (pads.some((side) => side < 0)) node.refuse('cuts off');
    const sides: [number, number][] = [
      [0, 0],
      [at(2), at(6)],
      [at(3), at(7)],
      [0, 0],
    ];
    return image(tf.pad(x, sides, value));
  },

  Flatten(node) {
    if (node.int('axis', 1) !== 1) node.refuse('flattens more than each image');
    return flattened(node, node.input(0));
  },

  Reshape(node) {
    const value = node.input(0);
    const from = shapeOf(node, value);
    const wanted = node.integers('shape', 1) ?? node.refuse('has a shape that is not known');
    const copied = wanted.map((side, axis) =>
      side === 0 && node.int('allowzero', 0) === 0 ? (from[axis] ?? 0) : side,
    );
    const size = from.reduce((product, side) => product * side, 1);
    const known = copied.reduce((product, side) => (side === -1 ? product : product * side), 1);
    const to = copied.map((side) => (side === -1 ? size / known : side));
    return reshaped(node, value, to);
  },

  Squeeze(node) {
    const value = node.input(0);
    if (value.kind === 'integers') return integers(value.values.slice(0, 1), true);
    const [b, c, h, w] = shapeOf(node, value);
    if (h !== 1 || w !== 1) return node.refuse(`takes sides out of ${described(value)}`);
    return node.axes() === '2,3'
      ? reshaped(node, value, [b ?? 0, c ?? 0])
      : node.refuse('leaves one side of images');
  },

  Unsqueeze(node) {
    const value = node.input(0);
    if (value.kind === 'integers') return integers(value.values);
    if (value.kind !== 'matrix' || node.axes() !== '2,3')
      return node.refuse(`adds sides to ${described(value)}`);
    return reshaped(node, value, [...value.tensor.shape, 1, 1]);
  },
};

/** As ONNX has it: `[b, c, h, w]` or `[b, n]`. */
function shapeOf(node: NodeView, value: Value): number[] {
  if (value.kind === 'matrix') return [...value.tensor.shape];
  if (value.kind !== 'image') return node.refuse(`asks for the shape of ${described(value)}`);
  const [b, h, w, c] = value.tensor.shape;
  return [b, c, h, w];
}

function reshaped(node: NodeView, value: Value, to: readonly number[]): Value {
  const from = shapeOf(node, value);
  if (to.join() === from.join()) return value;
  const [b = 0, n = 0, ...sides] = to;
  const isSameBatch = b === from[0];
  if (isSameBatch && to.length === 2 && n === from.slice(1).reduce((product, side) => product * side, 1)) {
    return flattened(node, value);
  }
  if (isSameBatch && value.kind === 'matrix' && n === from[1] && sides.join() === '1,1') {
    return image(tf.reshape(value.tensor, [b, 1, 1, n]) as Tensor4D);
  }
  const fixed = isSameBatch ? '' : '; if the batch is fixed, export with a dynamic batch';
  return node.refuse(`makes [${to.join(', ')}] of ${described(value)}${fixed}`);
}

/** `[b, c·h·w]`, in ONNX's order. */
function flattened(node: NodeView, value: Value): Value {
  if (value.kind === 'matrix') return value;
  if (value.kind !== 'image') return node.refuse(`flattens ${described(value)}`);
  const [b, h, w, c] = value.tensor.shape;
  const ordered = h * w === 1 ? value.tensor : tf.transpose(value.tensor, [0, 3, 1, 2]);
  return matrix(tf.reshape(ordered, [b, h * w * c]) as Tensor2D);
}
