/** Numbers in [0, 1), 53 random bits each. */
export type Random = () => number;

/**
 * The random numbers of a key, such as (seed, study, trial): the same key gives the same numbers, another key other
 * ones, and no state is kept between calls. The key is hashed into the four words of an sfc32 (Doty-Humphrey,
 * PractRand), which passes BigCrush.
 */
export function randomOf(...key: readonly (string | number)[]): Random {
  const bits = sfc32(hash(JSON.stringify(key)));
  return () => ((bits() >>> 5) * 0x4000000 + (bits() >>> 6)) / 2 ** 53;
}

/** The same, as whole words of 32 random bits. */
export function wordsOf(...key: readonly (string | number)[]): () => number {
  return sfc32(hash(JSON.stringify(key)));
}

type Words = readonly [number, number, number, number];

/** MurmurHash3's mixing (Appleby), four times with seeds of their own. */
function hash(text: string): Words {
  const word = (seed: number): number => {
    let h = seed;
    for (let i = 0; i < text.length; i++) {
      h = Math.imul(h ^ Math.imul(text.charCodeAt(i), 0xcc9e2d51), 0x1b873593);
      h = ((h << 13) | (h >>> 19)) + 0xe6546b64;
    }
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  };
  return [word(0x9e3779b9), word(0x7f4a7c15), word(0xf39cc060), word(0x5cedc834)];
}

function sfc32([first, second, third, fourth]: Words): () => number {
  let [a, b, c, counter] = [first, second, third, fourth];
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // Neighbouring keys part after a few rounds.
  for (let i = 0; i < 15; i++) next();
  return next;
}
