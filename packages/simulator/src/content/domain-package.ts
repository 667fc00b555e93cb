import type { Appliance } from '../appliance.ts';
import { element, field, writeXmlText, type XmlTree } from '../xml/write-xml.ts';
import { bufferContent, type Content, digestOf } from './content.ts';
import { exportDetails } from './export-details.ts';
import { filesUnder } from './file-store.ts';
import { writeZip, type ZipEntry } from './write-zip.ts';

/** Which configuration of a domain a package holds. */
export interface DomainPackageOrder {
  readonly domain: string;
  readonly isPersisted: boolean;
  /** One listed hash is not the hash of its file. */
  readonly hasWrongHash: boolean;
}

/** Builds the package of one domain: configuration, files of local:, auxiliary files, and the list with hashes. */
export async function buildDomainPackage(appliance: Appliance, order: DomainPackageOrder): Promise<Content> {
  const revision = revisionOf(appliance, order);
  const files = [...configFiles(appliance, order.domain, revision), ...localFiles(appliance, order.domain)];
  const auxiliary = bufferContent(Buffer.from('<xsl:stylesheet version="1.0"/>\n'));
  const listed = await Promise.all(
    files.map(async ({ path, content }, at) => {
      const slash = path.indexOf('/');
      const location = path.slice(0, slash);
      const hashed = order.hasWrongHash && at === 0 ? auxiliary : content;
      const hash = await digestOf(hashed, 'sha1', 'base64');
      const name = `${location}:///${path.slice(slash + 1)}`;
      return element('file', { name, src: path, location, hash });
    }),
  );
  const internal = element('file', {
    name: 'webgui:///SchemaUtil.xsl',
    src: 'dp-aux/SchemaUtil.xsl',
    location: 'dp-aux',
    hash: await digestOf(auxiliary, 'sha1', 'base64'),
    internal: 'true',
  });
  const document = element(
    'datapower-configuration',
    { version: '3' },
    exportDetails(appliance, { domain: order.domain, comment: '' }),
    interfaceData(),
    element('configuration', { domain: order.domain }, ...domainObjects(appliance, order.domain, revision)),
    element('files', {}, ...listed, internal),
  );
  const entries: ZipEntry[] = [
    ...files,
    { path: 'dp-aux/SchemaUtil.xsl', content: auxiliary },
    { path: 'export.xml', content: bufferContent(Buffer.from(writeXmlText(document))) },
  ];
  return appliance.spool.keep(writeZip(entries));
}

/** The configuration objects of a domain at a revision; each revision changes the first and adds one. */
export function domainObjects(appliance: Appliance, domain: string, revision: number): XmlTree[] {
  const count = appliance.domain(domain)?.objects ?? 0;
  const names = Array.from({ length: count }, (_, at) => `xml-manager-${at + 1}`);
  const added = Array.from({ length: revision }, (_, at) => `changed-later-${at + 1}`);
  return [...names, ...added].map((name, at) =>
    element(
      'XMLManager',
      { name },
      field('mAdminState', 'enabled'),
      field('UserSummary', at === 0 ? `Revision ${revision}` : `Object of ${domain}`),
      field('CacheSize', 256),
    ),
  );
}

/** Which revision a persisted or running configuration is of. */
export function revisionOf(
  appliance: Appliance,
  order: { readonly domain: string; readonly isPersisted: boolean },
): number {
  const state = appliance.state.domains.find((domain) => domain.name === order.domain);
  return (order.isPersisted ? state?.savedRevision : state?.runningRevision) ?? 0;
}

/** The network interfaces as every export lists them. */
export function interfaceData(): XmlTree {
  const ethernet = { name: 'eth0', type: 'Ethernet', vers: 'ipv4', 'ip-addr': '127.0.0.1' };
  return element('interface-data', {}, element('interface', ethernet));
}

function configFiles(appliance: Appliance, domain: string, revision: number): ZipEntry[] {
  const lines = domainObjects(appliance, domain, revision).map(
    ({ attributes }) => `xmlmgr "${attributes.name}"`,
  );
  const text = ['top; configure terminal;', `# revision ${revision}`, ...lines, 'exit', ''].join('\n');
  const main = domain === 'default' ? defaultConfigName(appliance) : `${domain}.cfg`;
  const files = [
    {
      path: `config/${main.replaceAll('/', '%2F').replaceAll('\\', '%5C')}`,
      content: bufferContent(Buffer.from(text)),
    },
  ];
  if (domain === 'default') {
    const users = bufferContent(Buffer.from('top; configure terminal;\nuser admin\nexit\n'));
    files.push({ path: 'config/auto-user.cfg', content: users });
  }
  return files;
}

function defaultConfigName(appliance: Appliance): string {
  return appliance.firmwareMajor >= 10 ? 'auto-startup.cfg' : 'autoconfig.cfg';
}

function localFiles(appliance: Appliance, domain: string): ZipEntry[] {
  return filesUnder(appliance.files(domain).root('local:')).map(({ path, content }) => ({
    path: `local/${path}`,
    content,
  }));
}
