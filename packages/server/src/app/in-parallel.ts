/** Does the work for every item, at most `parallel` at once; the answers stand in the order of the items. */
export async function inParallel<Item, Value>(
  items: readonly Item[],
  parallel: number,
  work: (item: Item) => Promise<Value>,
): Promise<Value[]> {
  const values: Value[] = Array.from({ length: items.length });
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) values[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return values;
}
