import { describe, expect, test } from 'vitest';
import { childOf, childText, readXml } from './read-xml.ts';
import { element, field, writeXmlLines, writeXmlText } from './write-xml.ts';

async function* inPieces(text: string, size: number): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) {
    yield bytes.subarray(start, start + size);
  }
}

describe('reading', () => {
  test('names lose their prefixes, texts and attributes keep their characters', async () => {
    const text = '<x:a xmlns:x="urn:1" k="1 &lt; 2"><b>Größe &amp; <![CDATA[<c>]]></b></x:a>';
    const root = await readXml(inPieces(text, 1));
    expect(root?.name).toBe('a');
    expect([...(root?.attributes ?? [])]).toEqual([['k', '1 < 2']]);
    expect(root && childText(root, 'b')).toBe('Größe & <c>');
    expect(root && childOf(root, 'c')).toBeUndefined();
  });

  test.each([
    ['an element that is not closed', '<a><b></a>'],
    ['nothing at all', ''],
    ['an undeclared prefix', '<x:a/>'],
    ['a DOCTYPE', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ['two roots', '<a/><b/>'],
    ['elements without end', `${'<a>'.repeat(200)}${'</a>'.repeat(200)}`],
  ])('%s is no document', async (_what, text) => {
    expect(await readXml(inPieces(text, 7))).toBeUndefined();
  });

  test('bytes that are not UTF-8 are no document', async () => {
    const bytes = (async function* () {
      yield Buffer.from([0x3c, 0x61, 0x3e, 0xe9, 0x3c, 0x2f, 0x61, 0x3e]);
    })();
    expect(await readXml(bytes)).toBeUndefined();
  });
});

describe('writing', () => {
  test('what could be markup is escaped in texts and attributes', async () => {
    const nasty = `<a href="x">&'\r\n]]>`;
    const text = writeXmlText(element('a', { k: nasty.replace('\n', '') }, nasty));
    const read = await readXml(inPieces(text, 5));
    expect(read?.text).toBe(nasty);
    expect(read?.attributes.get('k')).toBe(nasty.replace('\n', ''));
  });

  test('several lines break between elements and nowhere else', () => {
    const tree = element('a', {}, element('b', {}, 'text', field('c', 1)), field('d', ''));
    expect(writeXmlLines(tree, '\r\n')).toBe('<a>\r\n <b>text<c>1</c></b>\r\n <d/>\r\n</a>\r\n');
  });
});
