/** A piece of an answer's body. */
export type BodyPiece = string | Buffer;

/** A way in which the document of an answer can be broken or hostile. */
export type DocumentDamage =
  | { kind: 'truncated-xml' | 'nul-bytes' | 'wrong-charset' | 'doctype' }
  | { kind: 'deep-xml'; depth: number };

const LATIN_1_E_ACUTE = Buffer.from([0xe9]);
const DOCTYPE = '<!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>\n';

/** Breaks a document while it is being sent; everything around the damage is the true answer. */
export function damageDocument(
  body: AsyncIterable<BodyPiece>,
  damage: DocumentDamage,
): AsyncIterable<BodyPiece> {
  return damage.kind === 'truncated-xml' ? withoutEnd(body) : withIntruder(body, damage);
}

// The last piece is always text: half of it is enough to leave every element open.
async function* withoutEnd(body: AsyncIterable<BodyPiece>): AsyncIterable<BodyPiece> {
  let last: BodyPiece = '';
  for await (const piece of body) {
    yield last;
    last = piece;
  }
  yield last.slice(0, Math.floor(last.length / 2));
}

async function* withIntruder(
  body: AsyncIterable<BodyPiece>,
  damage: DocumentDamage,
): AsyncIterable<BodyPiece> {
  let isFirst = true;
  for await (const piece of body) {
    if (!isFirst || typeof piece !== 'string') {
      yield piece;
      continue;
    }
    isFirst = false;
    const place = piece.indexOf('>', piece.indexOf('<env:Body>') + '<env:Body>'.length) + 1;
    if (damage.kind === 'doctype') {
      yield DOCTYPE;
    }
    yield piece.slice(0, place);
    yield* intruderOf(damage);
    yield piece.slice(place);
  }
}

function* intruderOf(damage: DocumentDamage): Iterable<BodyPiece> {
  switch (damage.kind) {
    case 'nul-bytes':
      yield '\0\0\0';
      return;
    case 'wrong-charset':
      yield LATIN_1_E_ACUTE;
      return;
    case 'doctype':
      yield '&b;';
      return;
    case 'deep-xml':
      yield '<a>'.repeat(damage.depth);
      yield '</a>'.repeat(damage.depth);
      return;
    case 'truncated-xml':
      return;
  }
}
