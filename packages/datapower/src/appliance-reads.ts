import type { Appliance, BackupMode, Certificate } from './appliance.ts';
import { type DatapowerCode, failed, good, type Reply } from './fault.ts';
import { type CallOptions, type Deadlines, problemOf, type Session } from './session.ts';
import type { Content } from './wire/read-answer.ts';
import { hasEnabledObject, readCertificate, readDomains, readField } from './wire/read-config.ts';
import { readFileListing } from './wire/read-filestore.ts';
import {
  type Firmware,
  readDateTimeRow,
  readDomainStatusRows,
  readFilesystemStatusRow,
  readFirmwareRow,
  readObjectStatusRows,
} from './wire/read-status.ts';
import { requests } from './wire/requests.ts';

// Lists grow with the appliance: a busy domain has thousands of objects, a store thousands of files.
const LIST_MAX_BYTES = 16 * 1024 * 1024;
const ENVELOPE_MAX_BYTES = 1024 * 1024;
const FIRMWARE_CLASSES = ['FirmwareVersion3', 'FirmwareVersion2', 'FirmwareVersion'] as const;

type Reads = Omit<
  Pick<Appliance, Extract<keyof Appliance, `read${string}` | `list${string}` | `find${string}`>>,
  'readFile'
>;
type Ask = <T>(
  build: () => string,
  parse: (content: Content | null) => T,
  maxBytes?: number,
) => Promise<Reply<T>>;

/** The operations that only look. */
export function applianceReads(session: Session, deadlines: Deadlines): Reads {
  const asking = (options: CallOptions | undefined): Ask => askFor(session, deadlines, options);
  const status = <T>(className: string, parse: (content: Content | null) => T, options?: CallOptions) =>
    asking(options)(() => requests.getStatus(className), parse, LIST_MAX_BYTES);
  return {
    readDomainStatus: (options) => status('DomainStatus', readDomainStatusRows, options),
    readFilesystemStatus: (options) => status('FilesystemStatus', readFilesystemStatusRow, options),
    readDateTime: (options) => status('DateTimeStatus', readDateTimeRow, options),
    readObjectStatus: (options) => status('ObjectStatus', readObjectStatusRows, options),
    readFirmware: (options) => readFirmware(asking(options)),
    readBackupMode: (options) => readBackupMode(asking(options)),
    listDomains: (options) =>
      asking(options)(() => requests.getConfig('Domain'), readDomains, LIST_MAX_BYTES),
    findCertificate: (name, options) => findCertificate(asking(options), name),
    findApiConnectGateway: (domain, options) => findApiConnectGateway(asking(options), domain),
    listFiles: (location, options) =>
      asking(options)(
        () => requests.getFilestore(location),
        (content) => readFileListing(content, location),
        LIST_MAX_BYTES,
      ),
  };
}

function askFor(session: Session, deadlines: Deadlines, options: CallOptions | undefined): Ask {
  return async (build, parse, maxBytes = ENVELOPE_MAX_BYTES) => {
    const reply = await session.ask({
      ...options,
      build,
      kind: 'read',
      usualDeadlineMs: deadlines.readMs,
      envelopeMaxBytes: maxBytes,
    });
    if (!reply.ok) {
      // Text in place of rows is how the appliance says that it cannot read them.
      if (reply.fault.code !== 'OPERATION_FAILED') return reply;
      return failed({ code: 'STATUS_UNAVAILABLE', detail: reply.fault.detail }, 'none');
    }
    try {
      return good(parse(reply.value.content));
    } catch (error) {
      return failed(problemOf(error), 'none');
    }
  };
}

// Newer classes say more, older firmware knows only older ones; which words it has for "unknown class" differs.
async function readFirmware(ask: Ask): Promise<Reply<Firmware>> {
  let last: Reply<Firmware | null> = good(null);
  for (const className of FIRMWARE_CLASSES) {
    last = await ask(
      () => requests.getStatus(className),
      (content) => readFirmwareRow(content, className),
    );
    if (last.ok && last.value !== null) return good(last.value);
    if (!last.ok && !saysUnknownClass(last.fault.code)) return last;
  }
  if (!last.ok) return last;
  return failed({ code: 'REPLY_UNEXPECTED', detail: 'The appliance gives no firmware version.' }, 'none');
}

async function readBackupMode(ask: Ask): Promise<Reply<BackupMode>> {
  const places = [
    { className: 'SystemSettings', field: 'BackupMode' },
    { className: 'SecureBackupMode', field: 'mode' },
  ] as const;
  for (const { className, field } of places) {
    const reply = await ask(
      () => requests.getConfig(className),
      (content) => readField(content, className, field),
    );
    if (!reply.ok && !saysUnknownClass(reply.fault.code)) return reply;
    if (!reply.ok || reply.value === null) continue;
    return good(reply.value === 'secure' || reply.value === 'normal' ? reply.value : 'unknown');
  }
  return good('unknown');
}

async function findCertificate(ask: Ask, name: string): Promise<Reply<Certificate | null>> {
  const config = await ask(
    () => requests.getConfig('CryptoCertificate', { name }),
    (content) => readCertificate(content, name),
  );
  if (!config.ok || config.value === null) return config;
  const status = await ask(() => requests.getStatus('ObjectStatus'), readObjectStatusRows, LIST_MAX_BYTES);
  if (!status.ok) return saysUnknownClass(status.fault.code) ? config : status;
  const row = status.value.find((object) => object.className === 'CryptoCertificate' && object.name === name);
  return good(row ? { ...config.value, opState: row.opState } : config.value);
}

// Firmware that does not know the class cannot hold an object of it.
async function findApiConnectGateway(ask: Ask, domain: string): Promise<Reply<boolean>> {
  const className = 'APIConnectGatewayService';
  const reply = await ask(
    () => requests.getConfig(className, { domain }),
    (content) => hasEnabledObject(content, className),
    LIST_MAX_BYTES,
  );
  return !reply.ok && reply.fault.code === 'REQUEST_REJECTED' ? good(false) : reply;
}

function saysUnknownClass(code: DatapowerCode): boolean {
  return code === 'REQUEST_REJECTED' || code === 'STATUS_UNAVAILABLE' || code === 'ACTION_REFUSED';
}
