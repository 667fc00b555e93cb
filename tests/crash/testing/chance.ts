/** Chance that comes out the same for the same seed. */
export type Chance = {
  /** A number from 0 up to, and without, the limit. */
  below(limit: number): number;
  oneOf<Item>(items: readonly Item[]): Item;
};

/** Makes chance from a seed: a generator of 32 bits (mulberry32), good enough to choose instants. */
export function makeChance(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (limit) => next() * limit,
    oneOf(items) {
      const item = items[Math.floor(next() * items.length)];
      if (item === undefined) throw new Error('there is nothing to choose from');
      return item;
    },
  };
}
