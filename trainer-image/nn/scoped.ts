import { tf } from '../tensorflow/tf.ts';

/** `tf.tidy` for results that hold no tensors. */
export function scoped<T>(body: () => T): T {
  const engine = tf.engine();
  engine.startScope();
  try {
    return body();
  } finally {
    engine.endScope();
  }
}
