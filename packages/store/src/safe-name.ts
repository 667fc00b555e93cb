import { createHash } from 'node:crypto';

const maxNameBytes = 200;
const keptBytesOfLongName = 120;

// Beside the path separator and the escape sign itself, what a Windows file server behind a CIFS mount refuses.
const alwaysEncoded = /[^\x20-\x7e]|[%/\\<>:"|?*]/u;
const reservedByWindows = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;

// The keyword of a plan, whose folder a domain of that name must not share, and a folder that file systems make.
const reservedNames: ReadonlySet<string> = new Set(['all-domains', 'lost+found']);

/**
 * The file name that stands for a device or a domain: at most 200 bytes of printable ASCII, different for different
 * names, never `.`, `..`, empty, hidden, or a path. Case is kept: the store is taken to tell upper from lower case.
 */
export function safeName(name: string): string {
  // `%~` can never come out of percent-encoding, so neither mark can be taken for an encoded name.
  if (name === '') return '%~';
  const encoded = encodeEnds(encodeEach(name));
  if (encoded.length <= maxNameBytes) return encoded;
  const digest = createHash('sha256').update(encoded).digest('hex');
  return `${encoded.slice(0, keptBytesOfLongName)}%~${digest}`;
}

function encodeEach(name: string): string {
  let encoded = '';
  for (const character of name) {
    encoded += alwaysEncoded.test(character) ? percentEncode(character) : character;
  }
  return encoded;
}

function encodeEnds(encoded: string): string {
  const first = encoded.slice(0, 1);
  const isFirstEncoded =
    first === '.' || first === ' ' || reservedNames.has(encoded) || reservedByWindows.test(encoded);
  const start = isFirstEncoded ? percentEncode(first) + encoded.slice(1) : encoded;
  const last = start.slice(-1);
  return last === '.' || last === ' ' ? start.slice(0, -1) + percentEncode(last) : start;
}

// Lone surrogates get bytes of their own; Buffer would turn them all into one replacement character.
function percentEncode(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  const isLoneSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  const bytes = isLoneSurrogate
    ? [0xed, 0x80 | ((codePoint >> 6) & 0x3f), 0x80 | (codePoint & 0x3f)]
    : Buffer.from(character, 'utf8');
  let encoded = '';
  for (const byte of bytes) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return encoded;
}
