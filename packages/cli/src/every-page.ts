import type { Answer } from '@stillpoint/contract';

interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/** Reads a list page after page until it has `most` items, or all of them. */
export async function everyPage<Item>(
  read: (cursor: string | undefined, limit: number) => Promise<Answer<Page<Item>>>,
  most = Number.POSITIVE_INFINITY,
): Promise<Answer<{ items: Item[] }>> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await read(cursor, Math.min(1000, most - items.length));
    if (!page.ok) return page;
    items.push(...page.value.items);
    if (page.value.nextCursor === null || items.length >= most) return { ok: true, value: { items } };
    cursor = page.value.nextCursor;
  }
}
