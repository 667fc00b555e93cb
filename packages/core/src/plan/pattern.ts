/** One item of a pattern: a text with `*`, or a `tag:key=value` test; `isExcluded` for items that begin with `!`. */
type PatternItem = {
  readonly isExcluded: boolean;
  readonly tagKey: string | null;
  readonly glob: string;
};

/** A parsed device or domain pattern. */
export type Pattern = { readonly text: string; readonly items: readonly PatternItem[] };

/** What a pattern is held against: a name and, for devices, its tags. */
export type Named = { readonly name: string; readonly tags?: Readonly<Record<string, string>> };

/** Why a text is not a pattern; one plain sentence. */
export type PatternRefusal = { readonly kind: 'PATTERN_INVALID'; readonly detail: string };

/**
 * Reads a pattern: items separated by commas, blanks around items ignored, `*` for any run of characters,
 * `!` in front of an item excludes, `tag:key=value` looks at tags. A pattern of exclusions alone selects from all.
 */
export function parsePattern(text: string): Pattern | PatternRefusal {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => part === '' || part === '!')) {
    return { kind: 'PATTERN_INVALID', detail: `The pattern "${text}" has an empty item.` };
  }
  const items: PatternItem[] = [];
  for (const part of parts) {
    const isExcluded = part.startsWith('!');
    const body = isExcluded ? part.slice(1).trim() : part;
    if (!body.startsWith('tag:')) {
      items.push({ isExcluded, tagKey: null, glob: body });
      continue;
    }
    const [, key, value] = /^tag:([^=]+)=(.*)$/.exec(body) ?? [];
    if (key === undefined || value === undefined) {
      return { kind: 'PATTERN_INVALID', detail: `"${body}" is not of the form tag:key=value.` };
    }
    items.push({ isExcluded, tagKey: key.trim(), glob: value.trim() });
  }
  return { text, items };
}

/** Whether a thing is selected: matched by some item and by none that excludes. */
export function matchesPattern(pattern: Pattern, thing: Named): boolean {
  const included = pattern.items.filter((item) => !item.isExcluded);
  const excluded = pattern.items.filter((item) => item.isExcluded);
  const isIncluded = included.length === 0 || included.some((item) => matchesItem(item, thing));
  return isIncluded && !excluded.some((item) => matchesItem(item, thing));
}

function matchesItem(item: PatternItem, thing: Named): boolean {
  if (item.tagKey === null) return matchesGlob(item.glob, thing.name);
  const value = Object.entries(thing.tags ?? {}).find(([key]) => key === item.tagKey)?.[1];
  return value !== undefined && matchesGlob(item.glob, value);
}

/**
 * Linear-time match of `*`: each literal piece is looked for left to right, the first anchored at the start
 * and the last at the end. No regular expression, so a hostile pattern cannot make it slow.
 */
function matchesGlob(glob: string, text: string): boolean {
  const pieces = glob.split('*');
  const first = pieces[0] ?? '';
  if (pieces.length === 1) return text === glob;
  const last = pieces[pieces.length - 1] ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let from = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const at = text.indexOf(piece, from);
    if (at === -1 || at + piece.length > end) return false;
    from = at + piece.length;
  }
  return from <= end;
}
