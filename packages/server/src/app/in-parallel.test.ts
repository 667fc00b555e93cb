import { describe, expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';

/** Work whose pieces end when the test says so. */
function workshop() {
  const begun: string[] = [];
  const endings = new Map<string, { resolve: (value: string) => void; reject: (error: Error) => void }>();
  return {
    begun,
    work: (item: string) => {
      begun.push(item);
      return new Promise<string>((resolve, reject) => endings.set(item, { resolve, reject }));
    },
    end: (item: string) => endings.get(item)?.resolve(item.toUpperCase()),
    fail: (item: string) => endings.get(item)?.reject(new Error(`${item} failed`)),
  };
}

/** Lets everything that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('work in parallel', () => {
  it('answers in the order of the items, in whichever order they end', async () => {
    const { work, end } = workshop();
    const working = inParallel(['a', 'b', 'c'], 3, work);
    for (const item of ['c', 'a', 'b']) end(item);
    expect(await working).toEqual(['A', 'B', 'C']);
  });

  it('never has more going on than asked, and begins the next as soon as one ends', async () => {
    const { work, end, begun } = workshop();
    const working = inParallel(['a', 'b', 'c', 'd'], 2, work);
    expect(begun).toEqual(['a', 'b']);
    end('b');
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
    end('c');
    await settle();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    end('a');
    end('d');
    expect(await working).toEqual(['A', 'B', 'C', 'D']);
  });

  it('does every item once when more could go on than there are', async () => {
    const begun: number[] = [];
    const items = Array.from({ length: 5 }, (_, index) => index);
    const values = await inParallel(items, 500, async (item) => begun.push(item));
    expect(begun).toEqual(items);
    expect(values).toHaveLength(5);
  });

  it('of no items is nothing', async () => {
    expect(await inParallel([], 4, () => Promise.reject(new Error('never')))).toEqual([]);
  });

  it('fails with the first that fails', async () => {
    const { work, fail, end } = workshop();
    const working = inParallel(['a', 'b'], 2, work);
    fail('b');
    await expect(working).rejects.toThrow('b failed');
    end('a');
  });
});
