import { SaxesParser, type SaxesTagNS } from 'saxes';
import { Base64Decoder } from './base64-decoder.ts';
import { printable } from './printable.ts';
import { WireProblem } from './wire-problem.ts';
import type { XmlElement } from './xml-element.ts';

const MAX_DEPTH = 64;
const TAG_END = 0x3e;
const TAG_START = 0x3c;
const FILE_PATH = ['Envelope', 'Body', 'response', 'file'] as const;
const ENCODINGS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

type Parser = SaxesParser<{ xmlns: true; position: false }>;

export interface EnvelopeReaderOptions {
  /** Cap on the bytes of the answer, the streamed file not counted. */
  readonly envelopeMaxBytes: number;
  /** Takes the decoded bytes of the answer's file; without it a file is ordinary text under the cap. */
  readonly onFileBytes?: (block: Uint8Array) => void;
}

/** A whole answer: its root element, and the size of the file that was streamed out of it (0 when there was none). */
export interface ReadEnvelope {
  readonly root: XmlElement;
  readonly fileSizeBytes: number;
}

/**
 * Reads one SOAP answer from chunks of bytes into a small tree, while the one huge base64 node goes around the XML
 * parser, straight to the decoder. Every defect of the answer is thrown as a `WireProblem`.
 */
export class EnvelopeReader {
  readonly #options: EnvelopeReaderOptions;
  readonly #parser: Parser;
  readonly #text = new TextDecoder('utf-8', { fatal: true });
  readonly #open: XmlElement[] = [];
  #root: XmlElement | null = null;
  #isComplete = false;
  #envelopeBytes = 0;
  #hasTag = false;
  #file: Base64Decoder | null = null;
  #hasFile = false;
  #fileSizeBytes = 0;

  constructor(options: EnvelopeReaderOptions) {
    this.#options = options;
    this.#parser = this.#buildParser();
  }

  /** Takes the next bytes of the answer. */
  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#file !== null) {
        rest = this.#writeFile(this.#file, rest);
        continue;
      }
      // The parser is given no byte beyond a tag that may turn out to open the file.
      const tagEnd = this.#options.onFileBytes && !this.#hasFile ? rest.indexOf(TAG_END) : -1;
      const part = tagEnd === -1 ? rest : rest.subarray(0, tagEnd + 1);
      this.#writeEnvelope(part);
      rest = rest.subarray(part.length);
    }
  }

  /** Ends the answer; it must have been one complete document. */
  finish(): ReadEnvelope {
    if (!this.#hasTag) throw new WireProblem('REPLY_EMPTY', 'The answer has no content.');
    this.#decodeText(Buffer.alloc(0), true);
    if (this.#root === null || !this.#isComplete) {
      throw new WireProblem('REPLY_TRUNCATED', 'The answer ends in the middle of its XML.');
    }
    this.#parse(() => this.#parser.close());
    return { root: this.#root, fileSizeBytes: this.#fileSizeBytes };
  }

  #writeFile(file: Base64Decoder, chunk: Buffer): Buffer {
    const end = chunk.indexOf(TAG_START);
    if (end === -1) {
      file.write(chunk);
      return Buffer.alloc(0);
    }
    file.write(chunk.subarray(0, end));
    this.#fileSizeBytes = file.finish().sizeBytes;
    this.#file = null;
    return chunk.subarray(end);
  }

  #writeEnvelope(part: Buffer): void {
    this.#envelopeBytes += part.length;
    if (this.#envelopeBytes > this.#options.envelopeMaxBytes) {
      const limit = this.#options.envelopeMaxBytes;
      throw new WireProblem('REPLY_TOO_LARGE', `The answer is larger than ${limit} bytes.`);
    }
    const text = this.#decodeText(part, false);
    if (text.includes('\0')) throw new WireProblem('REPLY_HAS_NUL', 'The answer holds a NUL byte.');
    this.#hasTag ||= text.includes('<');
    this.#parse(() => this.#parser.write(text));
  }

  #decodeText(part: Buffer, isEnd: boolean): string {
    try {
      return this.#text.decode(part, { stream: !isEnd });
    } catch {
      throw new WireProblem('REPLY_CHARSET', 'The answer holds bytes that are not UTF-8.');
    }
  }

  #parse(step: () => unknown): void {
    try {
      step();
    } catch (error) {
      if (error instanceof WireProblem) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new WireProblem('REPLY_NOT_XML', `The answer is not well-formed XML: ${printable(reason)}`);
    }
  }

  #buildParser(): Parser {
    const parser: Parser = new SaxesParser({ xmlns: true, position: false });
    parser.on('xmldecl', (declaration) => {
      const encoding = declaration.encoding ?? 'UTF-8';
      if (ENCODINGS.has(encoding.toLowerCase())) return;
      throw new WireProblem('REPLY_CHARSET', `The answer declares the encoding ${printable(encoding)}.`);
    });
    parser.on('doctype', () => {
      throw new WireProblem('REPLY_HAS_DOCTYPE', 'The answer declares a document type.');
    });
    parser.on('opentag', (tag) => this.#openElement(tag));
    parser.on('closetag', () => this.#closeElement());
    parser.on('text', (text) => this.#addText(text));
    parser.on('cdata', (text) => this.#addText(text));
    parser.on('error', (error) => {
      throw this.#isComplete ? this.#afterTheEnd(error) : error;
    });
    return parser;
  }

  // What follows a complete envelope is a second one when a batch was answered, and rubbish otherwise.
  #afterTheEnd(error: Error): Error {
    if (!/only one root|XML declaration/u.test(error.message)) return error;
    return new WireProblem('REPLY_REPEATED', 'The answer holds more than one envelope.');
  }

  #openElement(tag: SaxesTagNS): void {
    if (this.#open.length >= MAX_DEPTH) {
      throw new WireProblem('REPLY_TOO_DEEP', `The answer nests elements deeper than ${MAX_DEPTH} levels.`);
    }
    const attributes = new Map<string, string>();
    for (const attribute of Object.values(tag.attributes)) attributes.set(attribute.local, attribute.value);
    const element: XmlElement = { name: tag.local, namespace: tag.uri, attributes, children: [], text: '' };
    const parent = this.#open.at(-1);
    if (parent) parent.children.push(element);
    else this.#root = element;
    this.#open.push(element);
    this.#startFile(tag.isSelfClosing);
  }

  #startFile(isSelfClosing: boolean): void {
    const { onFileBytes } = this.#options;
    if (!onFileBytes || this.#hasFile || !this.#isAtFile()) return;
    this.#hasFile = true;
    if (!isSelfClosing) this.#file = new Base64Decoder(onFileBytes);
  }

  #isAtFile(): boolean {
    return (
      this.#open.length === FILE_PATH.length &&
      this.#open.every((element, i) => element.name === FILE_PATH[i])
    );
  }

  #closeElement(): void {
    const element = this.#open.pop();
    if (this.#open.length === 0) this.#isComplete = true;
    const isFile = element?.name === 'file' && this.#open.length === FILE_PATH.length - 1;
    if (this.#options.onFileBytes && isFile && (element.text !== '' || element.children.length > 0)) {
      throw new WireProblem('BASE64_INVALID', 'The file in the answer is interrupted by markup.');
    }
  }

  #addText(text: string): void {
    const element = this.#open.at(-1);
    if (element) element.text += text;
  }
}
