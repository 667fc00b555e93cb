import { SaxesParser } from 'saxes';

/** One element of a request; names are local names, because clients choose prefixes and namespaces freely. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The element's own character data, untrimmed. */
  readonly text: string;
}

interface OpenElement {
  name: string;
  attributes: Map<string, string>;
  children: XmlElement[];
  texts: string[];
}

const DEEPEST_ELEMENT = 100;

/** Reads an XML document chunk by chunk; returns undefined when it is not well-formed or carries a DOCTYPE. */
export async function readXml(chunks: AsyncIterable<Uint8Array>): Promise<XmlElement | undefined> {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  let isBroken = false;

  parser.on('error', () => {
    isBroken = true;
  });
  parser.on('doctype', () => {
    isBroken = true;
  });
  parser.on('opentag', (tag) => {
    const attributes = new Map(
      Object.values(tag.attributes)
        .filter(({ prefix, local }) => prefix !== 'xmlns' && local !== 'xmlns')
        .map(({ local, value }) => [local, value]),
    );
    open.push({ name: tag.local, attributes, children: [], texts: [] });
    isBroken ||= open.length > DEEPEST_ELEMENT;
  });
  parser.on('text', (text) => open.at(-1)?.texts.push(text));
  parser.on('cdata', (text) => open.at(-1)?.texts.push(text));
  parser.on('closetag', () => {
    const closed = open.pop();
    if (closed === undefined) {
      return;
    }
    const { name, attributes, children, texts } = closed;
    const element = { name, attributes, children, text: texts.join('') };
    const parent = open.at(-1);
    if (parent === undefined) {
      root = element;
    } else {
      parent.children.push(element);
    }
  });

  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of chunks) {
      // A broken document is still read to its end, so that the sender gets an answer and not a reset.
      if (!isBroken) {
        parser.write(decoder.decode(chunk, { stream: true }));
      }
    }
    if (!isBroken) {
      parser.write(decoder.decode()).close();
    }
  } catch (error) {
    if (error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
  return isBroken ? undefined : root;
}

/** The first child with this local name. */
export function childOf(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The trimmed text of the first child with this local name, or undefined when there is no such child. */
export function childText(element: XmlElement, name: string): string | undefined {
  return childOf(element, name)?.text.trim();
}
