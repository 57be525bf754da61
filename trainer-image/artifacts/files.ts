/** Files of a Run's artifacts. */
export const artifactFiles = {
  last: 'checkpoints/last.safetensors',
  best: 'checkpoints/best.safetensors',
  history: 'history.jsonl',
  result: 'result.json',
  assignment: 'assignment.json',
} as const;
