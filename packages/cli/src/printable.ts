/** Text of a server as it may be shown on a terminal: control characters, which could move the cursor or more, become `?`. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
