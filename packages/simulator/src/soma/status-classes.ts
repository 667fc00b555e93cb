import type { Appliance } from '../appliance.ts';
import { uptimeText } from '../device-clock.ts';
import { currentCommand, type DomainState, isSaveNeeded, quiescePhase } from '../device-state.ts';
import { element, field, type XmlNode, type XmlTree } from '../xml/write-xml.ts';

/** One row of a status: its fields in the order of the schema. */
type Row = readonly (readonly [name: string, value: string | number] | XmlTree)[];

interface StatusClass {
  /** First major firmware number that knows the class. */
  readonly since: number;
  /** Device-wide classes have rows in the default domain only. */
  readonly isDeviceWide: boolean;
  rows(appliance: Appliance, domain: string): readonly Row[];
}

const onOff = (isOn: boolean): string => (isOn ? 'on' : 'off');
const deviceWide = (rows: StatusClass['rows'], since = 0): StatusClass => ({
  since,
  isDeviceWide: true,
  rows,
});
const perDomain = (rows: StatusClass['rows'], since = 0): StatusClass => ({
  since,
  isDeviceWide: false,
  rows,
});

const firmwareRow = (
  { description: { firmware }, firmwareMajor }: Appliance,
  more: { hasDeliveryType: boolean; accelerator: string },
): Row => [
  ['Serial', firmware.serial],
  ['Version', firmware.version],
  ['Build', firmware.build],
  ['BuildDate', firmware.buildDate],
  ...(more.hasDeliveryType ? ([['DeliveryType', firmware.deliveryType]] as const) : []),
  ['WatchdogBuild', ''],
  ['InstalledDPOS', ''],
  ['RunningDPOS', ''],
  ['XMLAccelerator', more.accelerator],
  ['MachineType', firmware.machineType],
  ['ModelType', firmware.modelType],
  ...(firmwareMajor >= 7 ? ([['Tenant', '']] as const) : []),
];

const virtualRow = (hasPlatform: boolean, hasCores: boolean): Row => [
  ['Edition', 'nonproduction'],
  ['Hypervisor', 'none'],
  ['VirtualCPUs', 4],
  ['Memory', 8192],
  ['UUID', '00000000-0000-0000-0000-000000000000'],
  ...(hasPlatform ? ([['Platform', 'linux'] as const, ['OSDistro', ''] as const] as const) : []),
  ...(hasCores ? ([['Cores', 4]] as const) : []),
];

const domainReference = (name: string): XmlTree => element('Domain', { class: 'Domain' }, name);

const CLASSES: Readonly<Record<string, StatusClass>> = {
  ActiveUsers: deviceWide(({ description }) => [
    [
      ['session', 1],
      ['name', description.username],
      ['connection', 'saml-artifact'],
      ['address', '127.0.0.1'],
      ['login', '0 days 00:00:01'],
      ['domain', 'default'],
    ],
  ]),
  Battery: deviceWide(() => []),
  DateTimeStatus: deviceWide((appliance) => [timeRow(appliance, 'uptime2', 'bootuptime2')]),
  DateTimeStatus2: deviceWide((appliance) => [timeRow(appliance, 'uptime3', 'bootuptime3')], 7),
  DomainCheckpointStatus: perDomain(() => []),
  DomainStatus: perDomain(domainStatusRows),
  DomainSummary: perDomain((appliance, domain) =>
    visibleDomains(appliance, domain).map((one) => [
      domainReference(one.name),
      ['Quiesce', phaseText(appliance, one)],
    ]),
  ),
  FilesystemStatus: deviceWide((appliance) => [
    [
      ['FreeEncrypted', appliance.description.freeEncryptedMb],
      ['TotalEncrypted', appliance.description.totalEncryptedMb],
      ['FreeTemporary', Math.floor(appliance.freeTemporaryBytes() / (1024 * 1024))],
      ['TotalTemporary', appliance.description.totalTemporaryMb],
      ['FreeInternal', 4096],
      ['TotalInternal', 8192],
    ],
  ]),
  FirmwareStatus: deviceWide((appliance) => [firmwareStatusRow(appliance, false)]),
  FirmwareStatus2: deviceWide((appliance) => [firmwareStatusRow(appliance, true)], 7),
  FirmwareVersion: deviceWide((appliance) => [
    firmwareRow(appliance, { hasDeliveryType: false, accelerator: 'xg4' }),
  ]),
  FirmwareVersion2: deviceWide(
    (appliance) => [firmwareRow(appliance, { hasDeliveryType: false, accelerator: 'embedded' })],
    7,
  ),
  FirmwareVersion3: deviceWide(
    (appliance) => [firmwareRow(appliance, { hasDeliveryType: true, accelerator: 'embedded' })],
    7,
  ),
  LicenseStatus: deviceWide(() =>
    ['MQ', 'TAM', 'Tibco-EMS'].map((feature) => [
      ['Feature', feature],
      ['Enabled', 'yes'],
      ['Available', 'yes'],
    ]),
  ),
  ObjectStatus: perDomain(objectStatusRows),
  ServicesStatus: perDomain(() => []),
  VirtualPlatform: deviceWide(() => [virtualRow(false, false)], 6),
  VirtualPlatform2: deviceWide(() => [virtualRow(true, false)], 7),
  VirtualPlatform3: deviceWide(() => [virtualRow(true, true)], 7),
};

/** The `dp:status` of one class, or of all classes when none is named; undefined when this firmware knows no such class. */
export function statusOf(
  appliance: Appliance,
  domain: string,
  asked: { class?: string; objectClass?: string; objectName?: string },
): XmlTree | undefined {
  const known = Object.entries(CLASSES).filter(([, { since }]) => since <= appliance.firmwareMajor);
  const chosen = asked.class === undefined ? known : known.filter(([name]) => name === asked.class);
  if (chosen.length === 0) {
    return undefined;
  }
  const rows = chosen.flatMap(([name, status]) =>
    status.isDeviceWide && domain !== 'default'
      ? []
      : status
          .rows(appliance, domain)
          .map((row) => statusElement(name, row))
          .filter((row) => isAskedFor(row, asked)),
  );
  return element('dp:status', {}, ...rows);
}

function statusElement(name: string, row: Row): XmlTree {
  const fields = row.map((one): XmlNode => ('children' in one ? one : field(one[0], one[1])));
  return element(name, { 'xmlns:env': 'http://www.w3.org/2003/05/soap-envelope' }, ...fields);
}

function isAskedFor(row: XmlTree, asked: { objectClass?: string; objectName?: string }): boolean {
  const has = (name: string, value: string | undefined): boolean =>
    value === undefined ||
    row.children.some(
      (child) =>
        typeof child === 'object' && 'name' in child && child.name === name && child.children[0] === value,
    );
  return row.name !== 'ObjectStatus' || (has('Class', asked.objectClass) && has('Name', asked.objectName));
}

function domainStatusRows(appliance: Appliance, domain: string): readonly Row[] {
  return visibleDomains(appliance, domain).map((one) => [
    ['Domain', one.name],
    ['SaveNeeded', onOff(isSaveNeeded(one))],
    ['TraceEnabled', 'off'],
    ['DebugEnabled', 'off'],
    ['ProbeEnabled', 'off'],
    ['DiagEnabled', 'off'],
    ['CurrentCommand', currentCommand(appliance.state, one.name, appliance.now())],
    ['QuiesceState', phaseText(appliance, one)],
    ...(appliance.firmwareMajor >= 7
      ? ([
          ['InterfaceState', 'ok'],
          ['FailsafeMode', 'none'],
        ] as const)
      : []),
  ]);
}

function objectStatusRows(appliance: Appliance, domain: string): readonly Row[] {
  const row = (className: string, name: string, isUp: boolean): Row => [
    ['Class', className],
    ['OpState', isUp ? 'up' : 'down'],
    ['AdminState', 'enabled'],
    ['Name', name],
    ['EventCode', isUp ? '0x00000000' : '0x00b30002'],
    ['ErrorCode', ''],
    ['ConfigState', 'saved'],
  ];
  const domains = visibleDomains(appliance, domain).map((one) =>
    row('Domain', one.name, quiescePhase(one, appliance.now()) === 'normal'),
  );
  const certificates = domain === 'default' ? appliance.description.certificates : [];
  const gateway = appliance.domain(domain)?.isApiConnect
    ? [row('APIConnectGatewayService', 'default', true)]
    : [];
  return [
    ...domains,
    ...certificates.map(({ name, opState }) => row('CryptoCertificate', name, opState === 'up')),
    ...gateway,
  ];
}

function timeRow(appliance: Appliance, uptime: string, bootUptime: string): Row {
  const elapsed = uptimeText(appliance.now() - appliance.state.bootedAt);
  const time = appliance.time();
  return [
    ['time', time.longText],
    ['timezone', time.zoneName],
    ['tzspec', appliance.description.timezone],
    [uptime, elapsed],
    [bootUptime, elapsed],
  ];
}

function firmwareStatusRow({ description: { firmware } }: Appliance, hasDeliveryType: boolean): Row {
  return [
    ['Type', 'primary'],
    ['Version', firmware.version],
    ['Build', firmware.build],
    ['BuildDate', firmware.buildDate],
    ...(hasDeliveryType ? ([['DeliveryType', firmware.deliveryType]] as const) : []),
    ['InstallDate', firmware.buildDate],
    ['BootCount', 1],
  ];
}

function visibleDomains(appliance: Appliance, domain: string): readonly DomainState[] {
  const { domains } = appliance.state;
  return domain === 'default' ? domains : domains.filter((one) => one.name === domain);
}

function phaseText(appliance: Appliance, domain: DomainState): string {
  const phase = quiescePhase(domain, appliance.now());
  return phase === 'normal' ? '' : phase;
}
