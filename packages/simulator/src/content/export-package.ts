import type { Appliance } from '../appliance.ts';
import { element, field, writeXmlText, type XmlTree } from '../xml/write-xml.ts';
import { bufferContent, bytesOf, type Content, flippedContent, truncatedContent } from './content.ts';
import { buildDomainPackage, domainObjects, interfaceData, revisionOf } from './domain-package.ts';
import { encodeBase64 } from './encode-base64.ts';
import { exportDetails } from './export-details.ts';
import { writeZip, type ZipEntry } from './write-zip.ts';

/** A way in which an export can be wrong although its answer is well-formed. */
export type PackageDamage = 'truncated-zip' | 'bad-crc' | 'no-export-xml' | 'wrong-inner-hash';

/** What a `do-backup` asks for, with names resolved. */
export interface ExportOrder {
  readonly domains: readonly string[];
  readonly isPersisted: boolean;
  readonly comment: string;
  readonly format: 'ZIP' | 'XML';
  readonly damage: PackageDamage | undefined;
}

const LARGEST_BUILT_ANEW_BYTES = 1024 * 1024;
const AUXILIARY_FILES = ['SchemaUtil.xsl', 'basetypes.xml', 'clixform.xsl', 'management.xsl', 'map-dmz.xsl'];

/** Builds the package that answers a `do-backup`; a large one is built once and served again while nothing changed. */
export function buildExportPackage(appliance: Appliance, order: ExportOrder): Promise<Content> {
  if (order.format === 'XML') {
    return Promise.resolve(bufferContent(Buffer.from(outerDocument(appliance, order))));
  }
  if (!isLargeExport(appliance, order.domains)) {
    return buildZip(appliance, order);
  }
  const revisions = order.domains.map((domain) => [
    domain,
    revisionOf(appliance, { domain, isPersisted: order.isPersisted }),
    appliance.files(domain).revision,
  ]);
  return keepLarge(appliance, JSON.stringify([revisions, order.damage]), async () =>
    withEncodedText(appliance, await buildZip(appliance, order)),
  );
}

/** Whether an export of these domains is large enough to be built once and kept. */
export function isLargeExport(appliance: Appliance, domains: readonly string[]): boolean {
  const sizeBytes = domains.reduce((sum, name) => sum + (appliance.domain(name)?.sizeBytes ?? 0), 0);
  return sizeBytes > LARGEST_BUILT_ANEW_BYTES;
}

async function buildZip(appliance: Appliance, order: ExportOrder): Promise<Content> {
  const entries: ZipEntry[] = [];
  for (const domain of order.domains) {
    const hasWrongHash = order.damage === 'wrong-inner-hash';
    const inner = { domain, isPersisted: order.isPersisted, hasWrongHash };
    entries.push({ path: `${fileNameOf(domain)}.zip`, content: await buildDomainPackage(appliance, inner) });
  }
  for (const name of AUXILIARY_FILES) {
    entries.push({ path: `dp-aux/${name}`, content: bufferContent(Buffer.from(`<!-- ${name} -->\n`)) });
  }
  if (order.damage !== 'no-export-xml') {
    const document = bufferContent(Buffer.from(outerDocument(appliance, order)));
    entries.push({ path: 'export.xml', content: document });
  }
  const zip = await appliance.spool.keep(writeZip(entries));
  await Promise.all(entries.map(({ content }) => appliance.spool.discard(content)));
  return damageZip(zip, order.damage);
}

// A name that is no file name cannot be on a real appliance, but somebody may want to see what a client makes of it.
function fileNameOf(domain: string): string {
  return domain.replaceAll('/', '%2F').replaceAll('\\', '%5C');
}

function outerDocument(appliance: Appliance, order: ExportOrder): string {
  const configuration = (domain: string): XmlTree =>
    element(
      'configuration',
      { domain },
      ...domainObjects(appliance, domain, revisionOf(appliance, { domain, isPersisted: order.isPersisted })),
    );
  const domainObject = (name: string): XmlTree =>
    element('Domain', { name }, field('mAdminState', 'enabled'), field('ConfigMode', 'local'));
  const document = element(
    'datapower-configuration',
    { version: '3' },
    exportDetails(appliance, { domain: 'default', comment: order.comment }),
    interfaceData(),
    ...(order.format === 'XML'
      ? order.domains.map(configuration)
      : [element('configuration', {}, ...order.domains.map(domainObject))]),
    element('domains', {}, ...order.domains.map((name) => element('domain', { name }))),
  );
  return writeXmlText(document);
}

// Encoding costs as much as encrypting, and hashing more: what is served again and again is encoded and hashed once.
async function withEncodedText(appliance: Appliance, content: Content): Promise<Content> {
  const { lineWidth } = appliance.description.base64;
  const pieces = (async function* (): AsyncIterable<Buffer> {
    for await (const piece of encodeBase64(content, { lineWidth })) {
      yield Buffer.from(piece, 'latin1');
    }
  })();
  await content.sha256();
  return { ...content, encoded: { lineWidth, text: await appliance.spool.keep(pieces) } };
}

function keepLarge(appliance: Appliance, key: string, build: () => Promise<Content>): Promise<Content> {
  let content = appliance.largePackages.get(key);
  if (content === undefined) {
    content = build();
    appliance.largePackages.set(key, content);
    // A build that failed must not be served for ever.
    content.catch(() => appliance.largePackages.delete(key));
  }
  return content;
}

async function damageZip(zip: Content, damage: PackageDamage | undefined): Promise<Content> {
  if (damage === 'truncated-zip') {
    return truncatedContent(zip, Math.floor(zip.sizeBytes / 2));
  }
  if (damage === 'bad-crc') {
    return flippedContent(zip, await firstCrcOffset(zip));
  }
  return zip;
}

const END_RECORD_BYTES = 22;
const ZIP64_END_RECORDS_BYTES = 76;

// The CRC that counts is the one in the central directory; its place follows from the record at the very end.
async function firstCrcOffset(zip: Content): Promise<number> {
  const endRecord = await bytesOf(zip, zip.sizeBytes - END_RECORD_BYTES);
  const directoryBytes = endRecord.readUInt32LE(12);
  const isZip64 = endRecord.readUInt32LE(16) === 0xffffffff;
  const afterDirectory = END_RECORD_BYTES + (isZip64 ? ZIP64_END_RECORDS_BYTES : 0);
  return zip.sizeBytes - afterDirectory - directoryBytes + 16;
}
