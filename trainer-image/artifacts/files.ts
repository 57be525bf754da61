/** Files of a Run's artifacts. */
export const artifactFiles = {
  last: 'checkpoints/last.safetensors',
  /** The last but one: what training goes on from where the last is damaged. */
  previous: 'checkpoints/previous.safetensors',
  best: 'checkpoints/best.safetensors',
  history: 'history.jsonl',
  result: 'result.json',
  assignment: 'assignment.json',
} as const;

/** Where a damaged file is put aside. */
export function asideOf(name: string): string {
  return `${name}.damaged`;
}
