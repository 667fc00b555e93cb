import { WireProblem } from './wire-problem.ts';

const REPLACED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Text made safe for element content and attribute values; refuses what XML 1.0 cannot say (code `REQUEST_INVALID`). */
export function escapeXml(text: string): string {
  for (const character of text) {
    if (!isXmlCharacter(character.codePointAt(0) ?? 0)) {
      throw new WireProblem('REQUEST_INVALID', 'A name holds a character that XML cannot carry.');
    }
  }
  return text.replace(/[&<>"'\t\n\r]/gu, (character) => REPLACED[character] ?? '');
}

function isXmlCharacter(codePoint: number): boolean {
  if (codePoint < 0x20) return codePoint === 0x9 || codePoint === 0xa || codePoint === 0xd;
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return false;
  return codePoint !== 0xfffe && codePoint !== 0xffff;
}
