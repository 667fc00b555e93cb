const MAX_LENGTH = 300;

/**
 * Text from a device made fit for a one-line message: white space folded, control characters removed, length capped, never
 * in the middle of a character: half of one is JSON that no database takes.
 */
export function printable(text: string): string {
  const line = text.replace(/\s+/gu, ' ').replace(/\p{C}/gu, '').trim();
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
}
