import type { Content } from '../content/content.ts';

/** Bytes that are written into the document as base64 while it is being sent. */
export interface Base64Node {
  readonly base64: Content;
}

/** Something that can stand inside an element: text (escaped when written), an element, or bytes. */
export type XmlNode = string | XmlTree | Base64Node;

/** An element to be written. */
export interface XmlTree {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
}

/** A piece of a finished document: text as it goes on the wire, or bytes still to be encoded. */
export type XmlSegment = string | Base64Node;

/** An element with children; attribute and text values are given raw and escaped when written. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly XmlNode[]
): XmlTree {
  return { name, attributes, children };
}

/** An element that holds nothing but text. */
export function field(name: string, value: string | number): XmlTree {
  const text = String(value);
  return { name, attributes: {}, children: text === '' ? [] : [text] };
}

/** Writes an element as a list of segments: neighbouring text is one string, bytes stay apart. */
export function writeXml(node: XmlNode): XmlSegment[] {
  const segments: XmlSegment[] = [];
  let text = '';
  const walk = (one: XmlNode): void => {
    if (typeof one === 'string') {
      text += escapeXml(one);
    } else if ('base64' in one) {
      segments.push(text, one);
      text = '';
    } else {
      const attributes = Object.entries(one.attributes).map(
        ([name, value]) => ` ${name}="${escapeXml(value)}"`,
      );
      const start = `<${one.name}${attributes.join('')}`;
      if (one.children.length === 0) {
        text += `${start}/>`;
        return;
      }
      text += `${start}>`;
      one.children.forEach(walk);
      text += `</${one.name}>`;
    }
  };
  walk(node);
  segments.push(text);
  return segments;
}

/** Writes an element that holds no bytes as one string. */
export function writeXmlText(node: XmlNode): string {
  return writeXml(node)
    .map((segment) => {
      if (typeof segment !== 'string') {
        throw new Error('bytes cannot be written into a text document');
      }
      return segment;
    })
    .join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
};

function escapeXml(value: string): string {
  return value.replace(/[&<>"'\r]/g, (character) => ENTITIES[character] ?? character);
}

/** Writes an element that holds no bytes over several lines, with the given line end and no declaration. */
export function writeXmlLines(tree: XmlTree, lineEnd: string, indent = ''): string {
  const hasOnlyElements =
    tree.children.length > 0 && tree.children.every((child) => typeof child === 'object' && 'name' in child);
  if (!hasOnlyElements) {
    return `${indent}${writeXmlText(tree)}${lineEnd}`;
  }
  const inside = tree.children.map((child) => writeXmlLines(child as XmlTree, lineEnd, `${indent} `));
  return `${indent}<${tree.name}>${lineEnd}${inside.join('')}${indent}</${tree.name}>${lineEnd}`;
}
