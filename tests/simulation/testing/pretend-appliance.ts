import type { Appliance, CallOptions, DatapowerCode, DomainStatus, Reply } from '@stillpoint/datapower';
import type { ExportContent, PretendDevice } from './pretend-device.ts';
import type { Wire, WireRequest } from './wire.ts';

const READ_MS = 60_000;
const ACTION_MS = 120_000;
const SECURE_BACKUP_MS = 20 * 60_000;
const TRANSFER_MS = 4 * 3_600_000;

/** The appliance interface over a pretend device: every operation that the programs and the movers use. */
export function pretendAppliance(wire: Wire): Appliance {
  return { ...reads(wire), ...actions(wire), ...transfers(wire), close: async () => {} };
}

type Perform<Value> = (device: PretendDevice) => Reply<Value>;

function reads(wire: Wire) {
  const read = <Value>(name: string, options: CallOptions | undefined, perform: Perform<Value>) =>
    wire.exchange({ ...options, name, kind: 'read', usualDeadlineMs: READ_MS, perform });
  return {
    readDomainStatus: (options?: CallOptions) =>
      read('readDomainStatus', options, (device) =>
        good(device.domainNames.map((name) => rowOf(device, name))),
      ),
    readFilesystemStatus: (options?: CallOptions) =>
      read('readFilesystemStatus', options, () => good({ ...noRoomSaid, freeTemporaryMb: 16_384 })),
    readFirmware: (options?: CallOptions) =>
      read('readFirmware', options, (device) => good({ ...firmware, serial: device.options.serial })),
    readDateTime: (options?: CallOptions) =>
      read('readDateTime', options, () => good({ stampedAt: null, timeText: 'now', timezoneText: '' })),
    readObjectStatus: (options?: CallOptions) => read('readObjectStatus', options, () => good([])),
    listDomains: (options?: CallOptions) =>
      read('listDomains', options, (device) =>
        good(device.domainNames.map((name) => ({ name, isEnabled: true }))),
      ),
    findCertificate: (name: string, options?: CallOptions) =>
      read('findCertificate', options, (device) =>
        good(name === device.options.certificate ? { ...certificate, name } : null),
      ),
    readBackupMode: (options?: CallOptions) =>
      read('readBackupMode', options, (device) =>
        good(device.options.isInBackupMode ? ('secure' as const) : ('normal' as const)),
      ),
    findApiConnectGateway: (domain: string, options?: CallOptions) =>
      read('findApiConnectGateway', options, (device) =>
        device.has(domain) ? good(false) : refused('ACTION_REFUSED', `Domain '${domain}' does not exist.`),
      ),
    listFiles: (location: string, options?: CallOptions) =>
      read('listFiles', options, (device) => good(listingOf(device, location))),
  };
}

function actions(wire: Wire) {
  const act = (
    name: string,
    options: CallOptions | undefined,
    perform: (device: PretendDevice) => boolean,
    usualDeadlineMs = ACTION_MS,
  ) =>
    wire.exchange<void>({
      ...options,
      name,
      kind: 'action',
      usualDeadlineMs,
      perform: (device) =>
        perform(device) ? good(undefined) : refused('ACTION_REFUSED', `${device.name} refuses ${name}.`),
    });
  return {
    createSecureBackup: (order: { destination: string; certificate: string }, options?: CallOptions) =>
      wire.exchange<void>({
        ...options,
        name: 'createSecureBackup',
        kind: 'action',
        usualDeadlineMs: SECURE_BACKUP_MS,
        perform: (device) =>
          device.writeSecureBackup(order.destination, order.certificate)
            ? good(undefined)
            : refused('OPERATION_FAILED', 'Error creating secure backup.'),
      }),
    createDirectory: (url: string, options?: CallOptions) =>
      act(`createDirectory ${url}`, options, (device) => device.makeDirectory(url)),
    removeDirectory: (url: string, options?: CallOptions) =>
      act(`removeDirectory ${url}`, options, (device) => device.removeDirectory(url)),
    deleteFile: (url: string, options?: CallOptions) => act(`deleteFile ${url}`, options, () => false),
    quiesceDomain: (order: { domain: string; timeoutSeconds: number }, options?: CallOptions) =>
      act(`quiesceDomain ${order.domain}`, options, (device) =>
        device.quiesce(order.domain, order.timeoutSeconds, 'us'),
      ),
    unquiesceDomain: (domain: string, options?: CallOptions) =>
      act(`unquiesceDomain ${domain}`, options, (device) => device.unquiesce(domain)),
    quiesceDevice: (order: { timeoutSeconds: number }, options?: CallOptions) =>
      act('quiesceDevice', options, (device) => device.quiesce(null, order.timeoutSeconds, 'us')),
    unquiesceDevice: (options?: CallOptions) =>
      act('unquiesceDevice', options, (device) => device.unquiesce(null)),
  };
}

function transfers(wire: Wire): Pick<Appliance, 'backUpDomains' | 'readFile'> {
  const fetch = async <Content>(
    request: Pick<WireRequest<Content>, 'name' | 'perform'>,
    sink: { write(chunk: Uint8Array): void | Promise<void> },
    options: CallOptions | undefined,
  ): Promise<Reply<{ sizeBytes: number }>> => {
    const reply = await wire.exchange({ ...options, ...request, kind: 'read', usualDeadlineMs: TRANSFER_MS });
    if (!reply.ok) return reply;
    const bytes = Buffer.from(JSON.stringify(reply.value));
    await sink.write(bytes);
    return good({ sizeBytes: bytes.length });
  };
  return {
    backUpDomains: ({ domains, isPersisted }, sink, options) => {
      const asked = domains === 'all-domains' ? null : domains;
      const perform = (device: PretendDevice): Reply<ExportContent> => exportOf(device, asked, isPersisted);
      return fetch({ name: `backUpDomains ${asked?.join() ?? 'all'}`, perform }, sink, options);
    },
    readFile: (url, sink, options) => {
      const perform = (device: PretendDevice): Reply<object> => {
        const name = url.slice(url.lastIndexOf('/') + 1);
        const isThere = device.filesIn(url.slice(0, url.lastIndexOf('/'))).includes(name);
        const { serial } = device.options;
        if (isThere) return good({ device: device.name, serial, url });
        return refused('FILE_NOT_READABLE', `${url} is not there.`);
      };
      return fetch({ name: `readFile ${url}`, perform }, sink, options);
    },
  };
}

function exportOf(
  device: PretendDevice,
  asked: readonly string[] | null,
  isPersisted: boolean,
): Reply<ExportContent> {
  const unknown = asked?.find((name) => !device.has(name));
  if (unknown !== undefined) return refused('ACTION_REFUSED', `Domain '${unknown}' does not exist.`);
  return good(device.export(asked ?? device.domainNames, isPersisted));
}

function rowOf(device: PretendDevice, domain: string): DomainStatus {
  const phase = device.phaseOf(domain);
  return {
    domain,
    isSaveNeeded: device.isSaveNeeded(domain),
    currentCommand: device.commandOf(domain),
    quiesceState: phase,
    quiesceText: phase === 'normal' ? '' : phase,
  };
}

function listingOf(device: PretendDevice, location: string) {
  const urls = [...device.directories.keys()].filter((url) => url.startsWith(location));
  const files = urls.flatMap((url) =>
    device.filesIn(url).map((name) => ({ path: `${url}/${name}`, sizeBytes: 8, modifiedText: null })),
  );
  return { files, directories: urls };
}

function good<Value>(value: Value): Reply<Value> {
  return { ok: true, value };
}

function refused(code: DatapowerCode, detail: string): Reply<never> {
  return { ok: false, fault: { code, effect: 'none', retryable: false, detail } };
}

const firmware = {
  version: 'IDG.10.5.0.2',
  build: '345566',
  machineType: '5725',
  modelType: 'T09',
  deliveryType: null,
};

const noRoomSaid = {
  freeEncryptedMb: null,
  totalEncryptedMb: null,
  totalTemporaryMb: null,
  freeInternalMb: null,
  totalInternalMb: null,
};

const certificate = { isEnabled: true, filename: 'cert:///dr.pem', opState: 'up' };
