import { DestillError } from '@destillml/core/errors.ts';

/** Why TensorFlow could not be loaded, and what to do about it. */
export function unloadable(cause: unknown): DestillError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const made = (code: 'Environment' | 'OutOfMemory', remedy: string) =>
    new DestillError(code, `TensorFlow could not be loaded: ${text.replace(/\.$/, '')}. ${remedy}`, {
      cause,
    });
  if (/cannot allocate memory|failed to map segment|out of memory|std::bad_alloc/i.test(text))
    return made(
      'OutOfMemory',
      'Give the trainer more memory (in a pod spec.pod.resources, here "ulimit -v").',
    );
  if (/too many open files/i.test(text)) return made('Environment', 'Raise "ulimit -n" for the trainer.');
  if (/version `(GLIBC|GLIBCXX|CXXABI)_/.test(text))
    return made(
      'Environment',
      'The C library of this system is too old for it: take a newer system, or the image.',
    );
  if (/libcuda|libcudart|libcudnn|libnvidia/.test(text))
    return made('Environment', 'The image for GPUs needs a node with NVIDIA’s driver and device plugin.');
  return made(
    'Environment',
    'On a machine run "make setup"; an image is to be built anew, for processors of the kind it runs on.',
  );
}

/** What is left to be said where the process ends while it loads TensorFlow: signals let it say nothing. */
export const endedWhileLoading =
  'The trainer ended while it loaded TensorFlow, by a signal that lets it say no more. So end processors that lack an ' +
  'instruction which TensorFlow uses (AVX), a library of another system, and too little memory; the log says more.';
