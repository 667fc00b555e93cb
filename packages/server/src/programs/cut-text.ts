/** A text of at most so many UTF-16 units and a `…` for what was left out; never half a character, which no database takes. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
