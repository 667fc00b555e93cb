import { SaxesParser } from 'saxes';

const maxDepth = 64;
const maxNameChars = 256;

/** What a reader tells of a document; `path` is the way from the root, joined by `/`, no name of it longer than 256. */
export interface XmlListener {
  opened?(path: string, attributes: Readonly<Record<string, string>>): void;
  /** Called with each piece of text; mixed content and entities come as several pieces. */
  text?(path: string, text: string): void;
  closed?(path: string): void;
}

/** A document that is not well-formed UTF-8 XML, or holds what no document here may hold. */
export class XmlError extends Error {}

/** Reads XML piece by piece: no DOCTYPE, no entities but the five of XML, at most 64 levels; throws XmlError. */
export class XmlReader {
  readonly #parser = new SaxesParser({ xmlns: false });
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #paths: string[] = [];
  #hasRoot = false;

  constructor(listener: XmlListener) {
    this.#parser.on('error', (error) => {
      throw new XmlError(`it is not well-formed (${error.message.slice(0, 200)})`);
    });
    this.#parser.on('doctype', () => {
      throw new XmlError('it holds a DOCTYPE');
    });
    this.#parser.on('opentag', (tag) => {
      if (this.#paths.length >= maxDepth) throw new XmlError(`it is nested deeper than ${maxDepth} levels`);
      if (tag.name.length > maxNameChars) throw new XmlError(`it holds a name longer than ${maxNameChars}`);
      const parent = this.#paths.at(-1);
      const path = parent === undefined ? tag.name : `${parent}/${tag.name}`;
      this.#paths.push(path);
      this.#hasRoot = true;
      listener.opened?.(path, tag.attributes);
    });
    this.#parser.on('closetag', () => {
      const path = this.#paths.pop();
      if (path !== undefined) listener.closed?.(path);
    });
    if (listener.text !== undefined) {
      const tell = (text: string): void => {
        const path = this.#paths.at(-1);
        if (path !== undefined) listener.text?.(path, text);
      };
      this.#parser.on('text', tell);
      this.#parser.on('cdata', tell);
    }
  }

  /** Takes the next bytes of the document. */
  write(bytes: Uint8Array): void {
    this.#parser.write(this.#decode(bytes, true));
  }

  /** Says that the document ends here. */
  end(): void {
    this.#parser.write(this.#decode(new Uint8Array(), false));
    this.#parser.close();
    if (!this.#hasRoot) throw new XmlError('it is empty');
  }

  #decode(bytes: Uint8Array, stream: boolean): string {
    try {
      return this.#decoder.decode(bytes, { stream });
    } catch {
      throw new XmlError('it is not UTF-8');
    }
  }
}
