import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';

/** A file for an archive; stored entries keep their bytes as they are. */
export interface Member {
  readonly name: string;
  readonly content: Buffer | string;
  readonly isStored?: boolean;
  readonly mode?: number;
}

/** Packs an archive in memory. */
export async function buildZip(members: readonly Member[]): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, content, isStored = false, mode = 0o100644 } of members) {
    zip.addBuffer(Buffer.from(content), name, { compress: !isStored, mode, mtime: new Date(0) });
  }
  zip.end();
  return buffer(zip.outputStream);
}

/** What the package of one domain holds; `hash` stands for the true one in its list of files. */
export interface DomainContent {
  readonly domain: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly hash?: string;
  readonly configurationDomain?: string;
}

/** Packs the package of one domain the way an appliance does. */
export async function buildPackage(content: DomainContent): Promise<Buffer> {
  const files = content.files ?? { [`config/${content.domain}.cfg`]: `# ${content.domain}\n` };
  const listed = Object.entries(files).map(([src, text]) => {
    const hash = content.hash ?? createHash('sha1').update(text).digest('base64');
    return `<file name="config:///${src}" src="${src}" location="config" hash="${hash}"/>`;
  });
  const manifest = `<datapower-configuration version="3"><configuration domain="${
    content.configurationDomain ?? content.domain
  }"/><files><file name="webgui:///dp-aux/x" src="dp-aux/x" internal="true"/>${listed.join('')}</files></datapower-configuration>`;
  return buildZip([
    ...Object.entries(files).map(([name, text]) => ({ name, content: text })),
    { name: 'export.xml', content: manifest },
  ]);
}

/** The outer manifest of an export that names these domains. */
export function outerManifest(domains: readonly string[]): string {
  const names = domains.map((domain) => `<domain name="${domain}"/>`).join('');
  return `<?xml version="1.0" encoding="UTF-8"?>
<datapower-configuration version="3"><export-details><device-name>dp1</device-name><serial-number>0000001</serial-number>
<model>IBM DataPower Gateway</model><firmware-version>IDG.10.5.0.2</firmware-version><firmware-build>345566</firmware-build>
</export-details><configuration><Domain name="x"/></configuration><domains>${names}</domains></datapower-configuration>`;
}

/** Packs a whole export; nested packages are stored unpacked when asked for. */
export async function buildExport(
  contents: readonly DomainContent[],
  options: {
    readonly isStored?: boolean;
    readonly named?: readonly string[];
    readonly extra?: readonly Member[];
  } = {},
): Promise<Buffer> {
  const members: Member[] = [];
  for (const content of contents) {
    const isStored = options.isStored ?? false;
    members.push({ name: `${content.domain}.zip`, content: await buildPackage(content), isStored });
  }
  const named = options.named ?? contents.map((content) => content.domain);
  return buildZip([
    ...members,
    { name: 'dp-aux/management.xsl', content: '<xsl/>' },
    { name: 'export.xml', content: outerManifest(named) },
    ...(options.extra ?? []),
  ]);
}
