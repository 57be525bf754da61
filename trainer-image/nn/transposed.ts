/** Values of a tensor of `shape`, with its axes in another order: the first is axis `order[0]` of before, and so on. */
export function transposed(
  values: ArrayLike<number>,
  shape: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1));
  const sides = order.map((axis) => shape[axis] ?? 1);
  const steps = order.map((axis) => strides[axis] ?? 1);
  const turned = new Float32Array(values.length);
  const position = sides.map(() => 0);
  let source = 0;
  for (let index = 0; index < turned.length; index++) {
    turned[index] = values[source] ?? 0;
    for (let axis = sides.length - 1; axis >= 0; axis--) {
      const next = (position[axis] ?? 0) + 1;
      source += steps[axis] ?? 0;
      if (next < (sides[axis] ?? 1)) {
        position[axis] = next;
        break;
      }
      source -= next * (steps[axis] ?? 0);
      position[axis] = 0;
    }
  }
  return turned;
}
