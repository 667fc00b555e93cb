import type { Content } from './content.ts';

/** A way in which a base64 text can be wrong. */
export type Base64Damage = 'alphabet' | 'padding' | 'length';

/** How bytes are put into a document: `lineWidth` 0 is one line. */
export interface Base64Style {
  readonly lineWidth: 0 | 76;
  readonly damage?: Base64Damage;
}

const BYTES_PER_LINE = 57;

/** The base64 text of a content: the one that was kept, if it is in this style, otherwise made now. */
export function base64Of(content: Content, style: Base64Style): AsyncIterable<string | Buffer> {
  const { encoded } = content;
  return encoded?.lineWidth === style.lineWidth && style.damage === undefined
    ? encoded.text.read()
    : encodeBase64(content, style);
}

/** Encodes a content piece by piece; only a few pieces are in memory at any time. */
export async function* encodeBase64(content: Content, style: Base64Style): AsyncIterable<string> {
  const unit = style.lineWidth === 0 ? 3 : BYTES_PER_LINE;
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  for await (const piece of content.read()) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % unit);
    rest = bytes.subarray(whole);
    if (whole > 0) {
      const text = wrap(bytes.subarray(0, whole).toString('base64'), style.lineWidth);
      yield isFirst ? damageStart(text, style.damage) : text;
      isFirst = false;
    }
  }
  const end = isFirst ? damageStart(rest.toString('base64'), style.damage) : rest.toString('base64');
  yield style.damage === 'length' ? `${end}A` : end;
}

function wrap(text: string, lineWidth: 0 | 76): string {
  return lineWidth === 0 ? text : text.replace(/.{76}/g, '$&\n');
}

function damageStart(text: string, damage: Base64Damage | undefined): string {
  if (damage === 'alphabet') {
    return `${text.slice(0, 8)}*#~!${text.slice(12)}`;
  }
  if (damage === 'padding') {
    return `${text.slice(0, 8)}====${text.slice(12)}`;
  }
  return text;
}
