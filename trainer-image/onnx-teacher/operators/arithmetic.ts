/** What is computed number by number. */
import { type Tensor, type Tensor2D, type Tensor4D, tf } from '../../tensorflow/tf.ts';
import { described, image, integers, matrix, type NodeView, type Operator } from '../node.ts';
import type { Value } from '../values.ts';

type Binary = (a: Tensor, b: Tensor) => Tensor;

export const arithmetic: Readonly<Record<string, Operator>> = {
  Add: binary(
    (a, b) => tf.add(a, b),
    (a, b) => a + b,
  ),
  Sub: binary(
    (a, b) => tf.sub(a, b),
    (a, b) => a - b,
  ),
  Mul: binary(
    (a, b) => tf.mul(a, b),
    (a, b) => a * b,
  ),
  Div: binary(
    (a, b) => tf.div(a, b),
    (a, b) => Math.trunc(a / b),
  ),

  Relu: unary((x) => tf.relu(x)),
  Sigmoid: unary((x) => tf.sigmoid(x)),
  Tanh: unary((x) => tf.tanh(x)),
  Elu: unary((x, node) => {
    if (node.float('alpha', 1) !== 1) node.refuse('has an alpha other than 1');
    return tf.elu(x);
  }),
  LeakyRelu: unary((x, node) => tf.leakyRelu(x, node.float('alpha', 0.01))),
  HardSigmoid: unary((x, node) => hardSigmoid(x, node.float('alpha', 0.2), node.float('beta', 0.5))),
  HardSwish: unary((x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5))),
  Clip: unary((x, node) => tf.clipByValue(x, limit(node, 'min', 1), limit(node, 'max', 2))),
};

function unary(compute: (x: Tensor, node: NodeView) => Tensor): Operator {
  return (node) => {
    const value = node.input(0);
    if (value.kind === 'image') return image(compute(value.tensor, node) as Tensor4D);
    if (value.kind === 'matrix') return matrix(compute(value.tensor, node) as Tensor2D);
    return node.refuse(`takes ${described(value)}`);
  };
}

function binary(compute: Binary, computeIntegers: (a: number, b: number) => number): Operator {
  return (node) => {
    const [a, b] = [node.input(0), node.input(1)];
    if (a.kind === 'integers' && b.kind === 'integers') {
      const at = ({ values, isScalar }: typeof a, index: number) => values[isScalar ? 0 : index] ?? 0;
      const { length } = a.isScalar ? b.values : a.values;
      const values = Array.from({ length }, (_, index) => computeIntegers(at(a, index), at(b, index)));
      return integers(values, a.isScalar && b.isScalar);
    }
    if (a.kind === 'image' || b.kind === 'image') {
      return image(compute(besideImage(node, a), besideImage(node, b)) as Tensor4D);
    }
    if (a.kind === 'matrix' || b.kind === 'matrix') {
      return matrix(compute(besideMatrix(node, a), besideMatrix(node, b)) as Tensor2D);
    }
    return node.refuse(`combines ${described(a)} and ${described(b)}`);
  };
}

function besideImage(node: NodeView, value: Value): Tensor {
  if (value.kind === 'image') return value.tensor;
  if (value.kind === 'weight' && value.shape.length <= 4) return node.parameters.besideImages(value);
  return node.refuse(`combines images and ${described(value)}`);
}

function besideMatrix(node: NodeView, value: Value): Tensor {
  if (value.kind === 'matrix') return value.tensor;
  if (value.kind === 'weight' && value.shape.length <= 2) return node.parameters.besideMatrices(value);
  return node.refuse(`combines [b, n] and ${described(value)}`);
}

function hardSigmoid(x: Tensor, alpha: number, beta: number): Tensor {
  return tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);
}

/** A limit of Clip: an attribute in older operator sets, an input in newer ones. */
function limit(node: NodeView, name: 'min' | 'max', index: number): number {
  const none = name === 'min' ? -3.4e38 : 3.4e38;
  const given = node.optionalWeight(index);
  return given === undefined ? node.float(name, none) : (given.values[0] ?? none);
}
