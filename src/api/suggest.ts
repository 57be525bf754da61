/**
 * The candidate that `given` most likely stands for, if any is near: by a slip of the pen, or as the only path
 * that ends with the same name (`training.learningRate`, `training.optimizer.learningRate`).
 */
export function nearest(given: string, candidates: readonly string[]): string | undefined {
  const name = given.split('.').at(-1);
  const sameName = candidates.filter((candidate) => candidate.endsWith(`.${name}`));
  if (sameName.length === 1) return sameName[0];
  const tolerance = Math.max(1, Math.floor(given.length / 3));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(given.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Insertions, deletions and replacements that turn one word into the other (Levenshtein 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
