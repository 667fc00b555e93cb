/** One element of an answer: local name, namespace, attributes by local name, child elements, and its own text. */
export interface XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** The first child with this local name, whatever its namespace: firmware versions disagree on prefixes. */
export function childNamed(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

/** The trimmed text of the first child with this local name, or undefined when there is none. */
export function textOf(element: XmlElement, name: string): string | undefined {
  return childNamed(element, name)?.text.trim();
}
