import type { Appliance } from '../appliance.ts';
import { element, field, type XmlTree } from '../xml/write-xml.ts';

interface ConfigObject {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly fields: readonly XmlTree[];
}

type ConfigClass = (appliance: Appliance, domain: string) => readonly ConfigObject[];

const enabled = (): XmlTree => field('mAdminState', 'enabled');
const inDefault = (objects: (appliance: Appliance) => readonly ConfigObject[]): ConfigClass => {
  return (appliance, domain) => (domain === 'default' ? objects(appliance) : []);
};

const CLASSES: Readonly<Record<string, ConfigClass>> = {
  APIConnectGatewayService: (appliance, domain) =>
    appliance.domain(domain)?.isApiConnect
      ? [{ name: 'default', fields: [enabled(), field('GatewayServerPort', 9443)] }]
      : [],
  CryptoCertificate: inDefault(({ description }) =>
    description.certificates.map(({ name }) => ({
      name,
      fields: [
        enabled(),
        field('Filename', `cert:///${name}.pem`),
        field('PasswordAlias', 'off'),
        field('IgnoreExpiration', 'off'),
      ],
    })),
  ),
  Domain: (appliance, domain) =>
    appliance.description.domains
      .filter(({ name }) => domain === 'default' || domain === name)
      .map(({ name }) => domainObject(name)),
  SecureBackupMode: inDefault((appliance) => [
    { name: 'SecureBackupMode', fields: [field('mode', appliance.settings.backupMode)] },
  ]),
  SystemSettings: inDefault(({ description, settings }) => [
    {
      name: 'System-Settings',
      fields: [
        enabled(),
        field('ProductOID', '1.3.6.1.4.1.14685.1.8'),
        field('SystemName', description.name),
        field('BackupMode', settings.backupMode),
      ],
    },
  ]),
};

/** The `dp:config` of one class or of all, narrowed by name; undefined when there is no such class. */
export function configOf(
  appliance: Appliance,
  domain: string,
  asked: { class?: string; name?: string },
): XmlTree | undefined {
  const known = Object.entries(CLASSES);
  const chosen = asked.class === undefined ? known : known.filter(([name]) => name === asked.class);
  if (chosen.length === 0) {
    return undefined;
  }
  const objects = chosen.flatMap(([className, list]) =>
    list(appliance, domain)
      .filter(({ name }) => asked.name === undefined || asked.name === name)
      .map(({ name, attributes = {}, fields }) =>
        element(
          className,
          { name, ...attributes, 'xmlns:env': 'http://www.w3.org/2003/05/soap-envelope' },
          ...fields,
        ),
      ),
  );
  return element('dp:config', {}, ...objects);
}

function domainObject(name: string): ConfigObject {
  const isDefault = name === 'default';
  const readOnly = isDefault ? { 'read-only': 'true' } : {};
  const locked = (tag: string, value: string): XmlTree =>
    element(tag, readOnly, ...(value === '' ? [] : [value]));
  const toggles = (tag: string, names: readonly string[]): XmlTree =>
    element(tag, readOnly, ...names.map((toggle) => field(toggle, 'on')));
  return {
    name,
    attributes: isDefault ? { intrinsic: 'true', 'read-only': 'true' } : {},
    fields: [
      locked('mAdminState', 'enabled'),
      ...(isDefault ? [locked('UserSummary', 'Default System Domain')] : []),
      element('NeighborDomain', { class: 'Domain', ...readOnly }, 'default'),
      toggles('FileMap', ['CopyFrom', 'CopyTo', 'Delete', 'Display', 'Exec', 'Subdir']),
      ...(isDefault ? [toggles('MonitoringMap', ['Audit', 'Log'])] : []),
      locked('ConfigMode', 'local'),
      locked('ImportFormat', 'ZIP'),
      locked('LocalIPRewrite', 'on'),
      locked('MaxChkpoints', '3'),
      locked('ConfigPermissionsMode', 'scope-domain'),
    ],
  };
}
