import type { Fate } from './disk-after-cut.ts';

/** Numbers between 0 and 1 that are the same each time for the same seed. */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Choices of what a power cut undoes of these steps: nothing, all, all but one, one alone (also in part), and as many
 * mixtures as asked for.
 */
export function* fatesOfSteps(
  atStake: readonly number[],
  mixtures: number,
  random: () => number,
): Generator<ReadonlyMap<number, Fate>> {
  const all = (fate: Fate): Map<number, Fate> => new Map(atStake.map((index) => [index, fate]));
  yield all('kept');
  yield all('lost');
  for (const index of atStake) {
    yield all('lost').set(index, 'kept');
    yield all('kept').set(index, 'lost');
    yield all('kept').set(index, { sectorBytes: 4096, hasSector: (sector) => sector % 2 === 1 });
    yield all('kept').set(index, { sectorBytes: 512, hasSector: (sector) => sector < 3 });
  }
  for (let count = 0; count < mixtures; count += 1) {
    yield new Map(atStake.map((index) => [index, randomFate(random)]));
  }
}

function randomFate(random: () => number): Fate {
  const roll = random();
  if (roll < 0.4) return 'kept';
  if (roll < 0.75) return 'lost';
  const sectors = Array.from({ length: 256 }, () => random() < 0.5);
  return {
    sectorBytes: roll < 0.9 ? 512 : 4096,
    hasSector: (index) => sectors[index % sectors.length] ?? false,
  };
}
