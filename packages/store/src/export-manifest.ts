import { XmlError, XmlReader } from './xml-reader.ts';

/** What an export says of the appliance that wrote it; each is null when it does not say so. */
export interface WritingDevice {
  readonly deviceName: string | null;
  readonly serialNumber: string | null;
  readonly model: string | null;
  readonly firmwareVersion: string | null;
  readonly firmwareBuild: string | null;
}

/** What an `export.xml` says that can be checked. */
export interface ExportManifest {
  readonly writtenBy: WritingDevice;
  /** Names of the `domains` list, in order; only the outer manifest of a backup has one. */
  readonly domains: readonly string[];
  /** The `domain` of `configuration`; only an inner manifest has one. */
  readonly configurationDomain: string | null;
  /** Path in the archive to the BASE64 of the SHA-1 of that file. */
  readonly hashes: ReadonlyMap<string, string>;
}

const rootPath = 'datapower-configuration';
const maxListedNames = 200_000;
const maxDetailChars = 1000;

const detailPaths: Readonly<Record<string, keyof WritingDevice>> = {
  [`${rootPath}/export-details/device-name`]: 'deviceName',
  [`${rootPath}/export-details/serial-number`]: 'serialNumber',
  [`${rootPath}/export-details/model`]: 'model',
  [`${rootPath}/export-details/firmware-version`]: 'firmwareVersion',
  [`${rootPath}/export-details/firmware-build`]: 'firmwareBuild',
};

/** Reads an `export.xml` piece by piece in bounded memory; throws XmlError for a document that is not one. */
export class ExportManifestReader {
  readonly #xml: XmlReader;
  readonly #details = new Map<keyof WritingDevice, string>();
  readonly #domains: string[] = [];
  readonly #hashes = new Map<string, string>();
  #configurationDomain: string | null = null;

  constructor() {
    this.#xml = new XmlReader({
      opened: (path, attributes) => this.#opened(path, attributes),
      text: (path, text) => this.#text(path, text),
    });
  }

  write(bytes: Uint8Array): void {
    this.#xml.write(bytes);
  }

  end(): ExportManifest {
    this.#xml.end();
    const detail = (name: keyof WritingDevice): string | null => this.#details.get(name)?.trim() || null;
    return {
      writtenBy: {
        deviceName: detail('deviceName'),
        serialNumber: detail('serialNumber'),
        model: detail('model'),
        firmwareVersion: detail('firmwareVersion'),
        firmwareBuild: detail('firmwareBuild'),
      },
      domains: this.#domains,
      configurationDomain: this.#configurationDomain,
      hashes: this.#hashes,
    };
  }

  #opened(path: string, attributes: Readonly<Record<string, string>>): void {
    if (!path.includes('/') && path !== rootPath) throw new XmlError(`its root element is "${path}"`);
    if (path === `${rootPath}/configuration`) this.#configurationDomain ??= attributes.domain ?? null;
    if (path === `${rootPath}/domains/domain` && attributes.name) this.#domains.push(attributes.name);
    if (path === `${rootPath}/files/file` && attributes.hash) this.#addHash(attributes.src, attributes.hash);
    if (this.#domains.length + this.#hashes.size > maxListedNames) {
      throw new XmlError(`it lists more than ${maxListedNames} names`);
    }
  }

  #addHash(src: string | undefined, hash: string): void {
    if (!src) throw new XmlError('it lists a hash without the file it belongs to');
    const known = this.#hashes.get(src);
    if (known !== undefined && known !== hash) throw new XmlError(`it lists two hashes for "${src}"`);
    this.#hashes.set(src, hash);
  }

  #text(path: string, text: string): void {
    const name = detailPaths[path];
    if (name === undefined) return;
    const whole = (this.#details.get(name) ?? '') + text;
    if (whole.length > maxDetailChars) throw new XmlError(`its "${name}" is longer than ${maxDetailChars}`);
    this.#details.set(name, whole);
  }
}
