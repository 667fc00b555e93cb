import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ExportManifest, ExportManifestReader, type WritingDevice } from './export-manifest.ts';
import { attempt, FaultError, type Reply } from './fault.ts';
import { type FileRange, openFileRange } from './file-range.ts';
import { RangeCrc32 } from './range-crc32.ts';
import { XmlError } from './xml-reader.ts';
import { ZipArchive, type ZipEntry } from './zip-archive.ts';

/** How much an export may unpack to; past `ratioCountsFromBytes` it may be at most `maxRatio` times its own size. */
export interface ExportLimits {
  readonly maxEntries: number;
  readonly maxManifestBytes: number;
  readonly maxUnpackedBytes: number;
  readonly maxRatio: number;
  readonly ratioCountsFromBytes: number;
}

/** Wide for any appliance: its configuration packs about 10 to 1, and its disk holds less than 64 GiB. */
export const defaultExportLimits: ExportLimits = {
  maxEntries: 200_000,
  maxManifestBytes: 128 * 1024 * 1024,
  maxUnpackedBytes: 64 * 1024 ** 3,
  maxRatio: 200,
  ratioCountsFromBytes: 256 * 1024 * 1024,
};

/** What was asked of the appliance, hence what the export must hold. */
export interface ExportExpectation {
  /** The names asked for; for all domains, those seen on the device right before, or null when they are not known. */
  readonly domains: readonly string[] | { readonly allDomains: readonly string[] | null };
  /** Whether the hashes of the inner manifests are compared (parameter verify.exportHashes). */
  readonly verifiesHashes: boolean;
  /** The serial number of the device asked; null skips the comparison. */
  readonly expectedSerialNumber: string | null;
  readonly limits?: ExportLimits;
}

/** An export that holds what it must. */
export interface VerifiedExport {
  readonly domains: readonly string[];
  readonly writtenBy: WritingDevice;
  readonly checkedHashes: number;
  readonly unpackedBytes: number;
}

const manifestName = 'export.xml';

/** Reads an export from its first to its last byte and checks everything that it says of itself. */
export async function verifyExport(
  path: string,
  expectation: ExportExpectation,
): Promise<Reply<VerifiedExport>> {
  return attempt('verifying the export', async () => {
    const range = await openFileRange(path);
    await using _closedAtEnd = range.handle;
    return await new ExportVerifier(range, expectation, dirname(path)).verify();
  });
}

class ExportVerifier {
  readonly #range: FileRange;
  readonly #expectation: ExportExpectation;
  readonly #limits: ExportLimits;
  readonly #scratchFolder: string;
  #unpackedBytes = 0;
  #checkedHashes = 0;

  constructor(range: FileRange, expectation: ExportExpectation, scratchFolder: string) {
    this.#range = range;
    this.#expectation = expectation;
    this.#limits = expectation.limits ?? defaultExportLimits;
    this.#scratchFolder = scratchFolder;
  }

  async verify(): Promise<VerifiedExport> {
    const archive = await this.#openArchive('the export', this.#range);
    const manifest = await this.#readManifest(archive);
    const domains = [...new Set(manifest.domains)];
    this.#requireDomains(domains);
    this.#requireDevice(manifest.writtenBy);
    const packages = new Map(domains.map((domain) => [requirePackage(archive, domain), domain]));
    for (const entry of inFileOrder(archive.entries)) {
      const domain = packages.get(entry);
      if (domain === undefined) await archive.read(entry, ignoreBlock);
      else await this.#verifyPackage(archive, entry, domain);
    }
    return {
      domains,
      writtenBy: manifest.writtenBy,
      checkedHashes: this.#checkedHashes,
      unpackedBytes: this.#unpackedBytes,
    };
  }

  // The sizes that entries state are what they unpack to, for reading one stops at the byte too many.
  async #openArchive(label: string, range: FileRange): Promise<ZipArchive> {
    const archive = await ZipArchive.open(label, range, this.#limits.maxEntries);
    for (const entry of archive.entries) this.#unpackedBytes += entry.sizeBytes;
    const { maxUnpackedBytes, maxRatio, ratioCountsFromBytes } = this.#limits;
    const isOverRatio =
      this.#unpackedBytes > ratioCountsFromBytes && this.#unpackedBytes > maxRatio * this.#range.sizeBytes;
    if (this.#unpackedBytes > maxUnpackedBytes || isOverRatio) {
      throw new FaultError(
        'EXPORT_TOO_LARGE',
        `${label} would unpack to ${this.#unpackedBytes} bytes from ${this.#range.sizeBytes}.`,
      );
    }
    return archive;
  }

  async #readManifest(archive: ZipArchive): Promise<ExportManifest> {
    const entry = uniqueEntry(archive, manifestName);
    if (entry === undefined)
      throw new FaultError('EXPORT_WITHOUT_MANIFEST', `${archive.label} has no ${manifestName}.`);
    if (entry.sizeBytes > this.#limits.maxManifestBytes) {
      throw new FaultError(
        'EXPORT_TOO_LARGE',
        `The ${manifestName} of ${archive.label} has ${entry.sizeBytes} bytes.`,
      );
    }
    const reader = new ExportManifestReader();
    try {
      await archive.read(entry, (block) => reader.write(block));
      return reader.end();
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      throw new FaultError(
        'EXPORT_MANIFEST_UNREADABLE',
        `The ${manifestName} of ${archive.label} cannot be used: ${error.message}.`,
      );
    }
  }

  #requireDomains(named: readonly string[]): void {
    const asked = this.#expectation.domains;
    const expected = 'allDomains' in asked ? asked.allDomains : asked;
    const isAsExpected = expected === null || isSameSet(new Set(expected), new Set(named));
    if (isAsExpected && named.length > 0) return;
    const wanted = expected === null ? 'at least one domain' : listed(expected);
    throw new FaultError(
      'EXPORT_WRONG_DOMAINS',
      `The export names ${listed(named)} where ${wanted} was asked for.`,
    );
  }

  #requireDevice(writtenBy: WritingDevice): void {
    const expected = this.#expectation.expectedSerialNumber;
    if (expected === null || writtenBy.serialNumber === expected) return;
    throw new FaultError(
      'EXPORT_OF_ANOTHER_DEVICE',
      `The export names the serial number ${writtenBy.serialNumber ?? '(none)'}, not ${expected}.`,
    );
  }

  async #verifyPackage(outer: ZipArchive, entry: ZipEntry, domain: string): Promise<void> {
    if (entry.isStored) return await this.#verifyStoredPackage(outer, entry, domain);
    const scratchPath = join(
      this.#scratchFolder,
      `.nested-${process.pid}-${entry.raw.relativeOffsetOfLocalHeader}`,
    );
    // An earlier try may have been unable to remove it.
    await rm(scratchPath, { force: true });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    await using scratch = await open(scratchPath, flags, 0o600);
    try {
      await outer.read(entry, async (block) => {
        await scratch.writeFile(block);
      });
      await this.#verifyInner({ handle: scratch, start: 0, sizeBytes: entry.sizeBytes }, domain);
    } finally {
      await rm(scratchPath, { force: true });
    }
  }

  // The files of the package are read anyway; its own CRC is put together from theirs, and only when that does not come
  // out right is the package read for it. A package that is damaged is told as such, whatever it led to inside.
  async #verifyStoredPackage(outer: ZipArchive, entry: ZipEntry, domain: string): Promise<void> {
    const range = await outer.rangeOf(entry);
    const crc = new RangeCrc32(range);
    try {
      await this.#verifyInner(range, domain, crc);
    } catch (error) {
      await outer.read(entry, ignoreBlock);
      throw error;
    }
    const isWhole = entry.sizeBytes === range.sizeBytes && (await crc.finish()) === entry.crc32;
    if (!isWhole) await outer.read(entry, ignoreBlock);
  }

  async #verifyInner(range: FileRange, domain: string, crc?: RangeCrc32): Promise<void> {
    const archive = await this.#openArchive(`the package of domain "${domain}"`, range);
    const manifest = await this.#readManifest(archive);
    if (manifest.configurationDomain !== null && manifest.configurationDomain !== domain) {
      throw new FaultError(
        'EXPORT_WRONG_DOMAINS',
        `The package of domain "${domain}" holds the configuration of "${manifest.configurationDomain}".`,
      );
    }
    const hashes = this.#expectation.verifiesHashes ? manifest.hashes : new Map<string, string>();
    const wanted = new Map([...hashes].map(([src, hash]) => [requireListed(archive, src), { src, hash }]));
    for (const entry of inFileOrder(archive.entries)) {
      const listedHash = wanted.get(entry);
      const sha1 = listedHash === undefined ? undefined : createHash('sha1');
      const packed = await archive.read(entry, sha1 === undefined ? ignoreBlock : hashBlock(sha1));
      await crc?.addPart(packed.range, packed.crc32);
      if (sha1 !== undefined && sha1.digest('base64') !== listedHash?.hash) {
        throw new FaultError(
          'EXPORT_HASH_MISMATCH',
          `"${entry.name}" in ${archive.label} does not match its hash.`,
        );
      }
    }
    this.#checkedHashes += wanted.size;
  }
}

function uniqueEntry(archive: ZipArchive, name: string): ZipEntry | undefined {
  const found = archive.entriesNamed(name);
  if (found.length > 1) {
    throw new FaultError('EXPORT_DAMAGED', `${archive.label} holds "${name}" ${found.length} times.`);
  }
  return found[0];
}

function requirePackage(archive: ZipArchive, domain: string): ZipEntry {
  const entry = uniqueEntry(archive, `${domain}.zip`);
  if (entry !== undefined) return entry;
  throw new FaultError(
    'EXPORT_DOMAIN_MISSING',
    `The export names domain "${domain}", but holds no "${domain}.zip".`,
  );
}

function requireListed(archive: ZipArchive, src: string): ZipEntry {
  const entry = uniqueEntry(archive, src);
  if (entry !== undefined) return entry;
  throw new FaultError('EXPORT_FILE_MISSING', `${archive.label} lists "${src}", but does not hold it.`);
}

function inFileOrder(entries: readonly ZipEntry[]): ZipEntry[] {
  return entries.toSorted((a, b) => a.raw.relativeOffsetOfLocalHeader - b.raw.relativeOffsetOfLocalHeader);
}

function isSameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}

function listed(domains: readonly string[]): string {
  if (domains.length === 0) return 'no domain';
  const shown = domains.slice(0, 10).map((domain) => `"${domain}"`);
  return domains.length > 10 ? `${shown.join(', ')} and ${domains.length - 10} more` : shown.join(', ');
}

function hashBlock(hash: Hash): (block: Buffer) => void {
  return (block) => {
    hash.update(block);
  };
}

function ignoreBlock(): void {}
