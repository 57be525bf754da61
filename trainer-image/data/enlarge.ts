/** A cut-out of a resized image: the image would be `width` × `height`, the square at (left, top) is wanted. Pixels. */
export interface Window {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly size: number;
}

/**
 * Enlarges RGB `[height, width, 3]` bilinearly, with pixel centres at halves and edges continued, as PIL and
 * torchvision do (libvips enlarges half a pixel off), and returns the window, `[size, size, 3]`.
 */
export function enlarge(source: Uint8Array, width: number, height: number, window: Window): Uint8Array {
  const { size } = window;
  const columns = taps(width, window.width, window.left, size);
  const rows = taps(height, window.height, window.top, size);
  const result = new Uint8Array(size * size * 3);
  const value = (row: number, column: number, channel: number) =>
    source[(row * width + column) * 3 + channel] ?? 0;
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < 3; channel++) {
        const above = mix(
          value(row.first, column.first, channel),
          value(row.first, column.second, channel),
          column.share,
        );
        const below = mix(
          value(row.second, column.first, channel),
          value(row.second, column.second, channel),
          column.share,
        );
        result[to++] = Math.round(mix(above, below, row.share));
      }
    }
  }
  return result;
}

/** For each of `count` target positions from `start`: the two source positions and the share of the second. */
function taps(from: number, to: number, start: number, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const position = Math.min(Math.max(((start + i + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(position);
    return { first, second: Math.min(first + 1, from - 1), share: position - first };
  });
}

function mix(first: number, second: number, share: number): number {
  return first + (second - first) * share;
}
