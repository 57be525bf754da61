/** What it most often means that a signal ended a trainer, by number and name. */
const meanings: readonly (readonly [number: number, name: string, meaning: string])[] = [
  [4, 'SIGILL', 'its processor lacks an instruction that TensorFlow uses, such as AVX'],
  [5, 'SIGTRAP', 'Node.js gave up, as where it gets no memory'],
  [6, 'SIGABRT', 'it gave up, as where it gets no memory or no thread more'],
  [7, 'SIGBUS', 'a file that it had in memory lost its disk'],
  [9, 'SIGKILL', 'it was killed, most often for lack of memory'],
  [11, 'SIGSEGV', 'a library did what it may not, as one that does not fit this system'],
  [25, 'SIGXFSZ', 'a file became larger than "ulimit -f" allows'],
];

/** `SIGILL: its processor lacks an instruction …`; only the signal where there is nothing to be said. */
export function signalText(signal: number | string): string {
  const found = meanings.find(([number, name]) => signal === number || signal === name);
  if (found === undefined) return typeof signal === 'number' ? `signal ${signal}` : signal;
  const [, name, meaning] = found;
  return `${name}: ${meaning}`;
}
