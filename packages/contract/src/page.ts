import { z } from 'zod';

/** Query of every list that is read page by page; a cursor comes from the page before and is not to be built by hand. */
export const pageQueryFields = {
  limit: z.coerce.number<string | number>().int().min(1).max(1000).default(100),
  cursor: z.string().min(1).max(512).optional(),
};

/** One page of a list; `nextCursor` is null on the last page. */
export function pageShape<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** A list that always comes whole. */
export function listShape<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) });
}
