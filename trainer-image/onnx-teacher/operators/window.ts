import { type Tensor4D, tf } from '../../tensorflow/tf.ts';
import type { NodeView } from '../node.ts';

/** How a window moves over images. */
export interface Window {
  readonly stride: number;
  /** Zeros before and behind rows and columns. */
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
}

/** Strides, padding and dilations of a convolution or pooling with a window of `rows` × `columns`. */
export function windowOf(node: NodeView, x: Tensor4D, rows: number, columns: number): Window {
  const [stride = 1, ...others] = node.ints('strides', [1, 1]);
  if (others.some((other) => other !== stride)) node.refuse('has different strides for rows and columns');
  if (node.ints('dilations', []).some((dilation) => dilation !== 1)) node.refuse('is dilated');
  const auto = node.text('auto_pad', 'NOTSET');
  const [, height, width] = x.shape;
  switch (auto) {
    case 'NOTSET': {
      const [top = 0, left = 0, bottom = 0, right = 0] = node.ints('pads', []);
      return { stride, padding: [top, left, bottom, right] };
    }
    case 'VALID':
      return { stride, padding: [0, 0, 0, 0] };
    case 'SAME_UPPER':
    case 'SAME_LOWER': {
      const total = (side: number, size: number) =>
        Math.max((Math.ceil(side / stride) - 1) * stride + size - side, 0);
      const halves = (sum: number) => {
        const [less, more] = [Math.floor(sum / 2), Math.ceil(sum / 2)];
        return auto === 'SAME_UPPER' ? ([less, more] as const) : ([more, less] as const);
      };
      const [top, bottom] = halves(total(height, rows));
      const [left, right] = halves(total(width, columns));
      return { stride, padding: [top, left, bottom, right] };
    }
    default:
      return node.refuse(`pads in a way called ${auto}`);
  }
}

/** The padding that all four sides share, if they do. */
export function evenPadding({ padding: [top, ...others] }: Window): number | undefined {
  return others.every((side) => side === top) ? top : undefined;
}

export function padded(x: Tensor4D, [top, left, bottom, right]: Window['padding'], value = 0): Tensor4D {
  if (top + left + bottom + right === 0) return x;
  return tf.pad(
    x,
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    value,
  );
}
