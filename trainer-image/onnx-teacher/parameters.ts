import { transposed } from '../nn/transposed.ts';
import { Variables } from '../nn/variables.ts';
import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '../tensorflow/tf.ts';
import type { StoredWeight } from './values.ts';

/** A file's weights as variables, in TensorFlow's layouts; each is made when it is first asked for. */
export class Parameters {
  readonly variables: Variables;
  readonly #made = new Map<string, Tensor>();
  #values: Float32Array = new Float32Array();

  constructor() {
    this.variables = new Variables(() => this.#values);
  }

  /** `[out, in, k, l]` → `[k, l, in, out]`. */
  filter(weight: StoredWeight): Tensor4D {
    const [outputs = 1, inputs = 1, rows = 1, columns = 1] = weight.shape;
    return this.#turned(weight, 'filter', [outputs, inputs, rows, columns], [2, 3, 1, 0]) as Tensor4D;
  }

  /** `[c, 1, k, l]` → `[k, l, c, 1]`. */
  depthwiseFilter(weight: StoredWeight): Tensor4D {
    const [channels = 1, , rows = 1, columns = 1] = weight.shape;
    return this.#turned(weight, 'depthwise', [channels, 1, rows, columns], [2, 3, 0, 1]) as Tensor4D;
  }

  /** `[in, out]`, or transposed of `[out, in]`. */
  matrix(weight: StoredWeight, isTransposed: boolean): Tensor2D {
    const order = isTransposed ? [1, 0] : [0, 1];
    return this.#turned(weight, `matrix${order.join('')}`, weight.shape, order) as Tensor2D;
  }

  /** One number for each channel. */
  vector({ name, values }: StoredWeight): Tensor1D {
    return this.#variable(name, 'vector', () => values, [values.length]) as Tensor1D;
  }

  /** Shaped to be combined with images `[b, h, w, c]`; ONNX aligns its shape with `[b, c, h, w]` from the right. */
  besideImages(weight: StoredWeight): Tensor4D {
    const shape = [...Array<number>(4 - weight.shape.length).fill(1), ...weight.shape];
    return this.#turned(weight, 'image', shape, [0, 2, 3, 1]) as Tensor4D;
  }

  /** Shaped to be combined with `[b, n]`. */
  besideMatrices(weight: StoredWeight): Tensor2D {
    const shape = [...Array<number>(2 - weight.shape.length).fill(1), ...weight.shape];
    return this.#variable(weight.name, 'row', () => weight.values, shape) as Tensor2D;
  }

  #turned(
    { name, values }: StoredWeight,
    layout: string,
    shape: readonly number[],
    order: readonly number[],
  ) {
    const turnedShape = order.map((axis) => shape[axis] ?? 1);
    return this.#variable(name, layout, () => transposed(values, shape, order), turnedShape);
  }

  /** @param values are asked for only where the variable is new: forward passes come by again and again. */
  #variable(name: string, layout: string, values: () => Float32Array, shape: readonly number[]): Tensor {
    const key = `${name} as ${layout}`;
    const found = this.#made.get(key);
    if (found !== undefined) return found;
    this.#values = values();
    const made = this.variables.weight(key, shape, { fanIn: 1, fanOut: 1 });
    this.#made.set(key, made);
    return made;
  }
}
