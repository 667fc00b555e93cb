import { printable } from './printable.ts';
import type { Content } from './read-answer.ts';
import { WireProblem } from './wire-problem.ts';
import { textOf, type XmlElement } from './xml-element.ts';

/** How far a domain is on its way into or out of quiescence. */
export type QuiesceState = 'normal' | 'quiescing' | 'quiesced' | 'unquiescing' | 'error';

/** One row of the appliance's DomainStatus. */
export interface DomainStatus {
  readonly domain: string;
  readonly isSaveNeeded: boolean;
  /** The long-running command under way in the domain, or an empty string. */
  readonly currentCommand: string;
  readonly quiesceState: QuiesceState;
  /** The appliance's own words for the quiesce state. */
  readonly quiesceText: string;
}

/** Free and total space by storage area, in megabytes; null where the appliance does not say. */
export interface FilesystemStatus {
  readonly freeEncryptedMb: number | null;
  readonly totalEncryptedMb: number | null;
  readonly freeTemporaryMb: number | null;
  readonly totalTemporaryMb: number | null;
  readonly freeInternalMb: number | null;
  readonly totalInternalMb: number | null;
}

/** What the appliance runs and what it is. */
export interface Firmware {
  readonly serial: string;
  readonly version: string;
  readonly build: string;
  readonly machineType: string;
  readonly modelType: string;
  /** `LTS` or `CD`, where the firmware is new enough to say. */
  readonly deliveryType: string | null;
}

/** The appliance's clock, as it prints it. */
export interface DateTime {
  /** Time stamp of the answer, ISO 8601 with the appliance's offset; null where the answer had none. */
  readonly stampedAt: string | null;
  readonly timeText: string;
  readonly timezoneText: string;
}

/** One row of the appliance's ObjectStatus. */
export interface ObjectStatus {
  readonly className: string;
  readonly name: string;
  readonly opState: string;
  readonly adminState: string;
  readonly eventCode: string;
  readonly errorCode: string;
  readonly configState: string;
}

/** The rows of a status answer for one class; anything but a status of that class is a `WireProblem`. */
function statusRows(content: Content | null, className: string): readonly XmlElement[] {
  if (content?.name !== 'status') {
    throw new WireProblem('REPLY_UNEXPECTED', `The answer is not the status ${className}.`);
  }
  const foreign = content.element.children.find((row) => row.name !== className);
  if (foreign) {
    const detail = `The answer holds the status ${printable(foreign.name)} instead of ${className}.`;
    throw new WireProblem('REPLY_UNEXPECTED', detail);
  }
  return content.element.children;
}

export function readDomainStatusRows(content: Content | null): readonly DomainStatus[] {
  const rows = statusRows(content, 'DomainStatus');
  // Every appliance has at least its default domain.
  if (rows.length === 0) throw new WireProblem('REPLY_UNEXPECTED', 'The domain status names no domain.');
  return rows.map((row) => {
    const quiesceText = textOf(row, 'QuiesceState') ?? '';
    return {
      domain: required(row, 'Domain'),
      isSaveNeeded: toggle(row, 'SaveNeeded'),
      currentCommand: textOf(row, 'CurrentCommand') ?? '',
      quiesceState: quiesceStateOf(quiesceText),
      quiesceText,
    };
  });
}

/** Reads the appliance's words: whatever is neither normal, done nor an error is on its way. */
export function quiesceStateOf(text: string): QuiesceState {
  const words = text.trim().toLowerCase();
  if (words === '') return 'normal';
  if (words === 'quiesced') return 'quiesced';
  if (words.startsWith('error') || words.startsWith('unknown')) return 'error';
  return words.startsWith('un') ? 'unquiescing' : 'quiescing';
}

export function readFilesystemStatusRow(content: Content | null): FilesystemStatus {
  const row = onlyRow(content, 'FilesystemStatus');
  return {
    freeEncryptedMb: wholeNumber(row, 'FreeEncrypted'),
    totalEncryptedMb: wholeNumber(row, 'TotalEncrypted'),
    freeTemporaryMb: wholeNumber(row, 'FreeTemporary'),
    totalTemporaryMb: wholeNumber(row, 'TotalTemporary'),
    freeInternalMb: wholeNumber(row, 'FreeInternal'),
    totalInternalMb: wholeNumber(row, 'TotalInternal'),
  };
}

/** Null when the appliance has no row of this class. */
export function readFirmwareRow(content: Content | null, className: string): Firmware | null {
  const row = statusRows(content, className)[0];
  if (!row) return null;
  return {
    serial: required(row, 'Serial'),
    version: required(row, 'Version'),
    build: textOf(row, 'Build') ?? '',
    machineType: textOf(row, 'MachineType') ?? '',
    modelType: textOf(row, 'ModelType') ?? '',
    deliveryType: textOf(row, 'DeliveryType') || null,
  };
}

export function readDateTimeRow(content: Content | null): DateTime {
  const row = onlyRow(content, 'DateTimeStatus');
  return {
    stampedAt: content?.stampedAt ?? null,
    timeText: required(row, 'time'),
    timezoneText: textOf(row, 'timezone') ?? '',
  };
}

export function readObjectStatusRows(content: Content | null): readonly ObjectStatus[] {
  return statusRows(content, 'ObjectStatus').map((row) => ({
    className: required(row, 'Class'),
    name: required(row, 'Name'),
    opState: textOf(row, 'OpState') ?? '',
    adminState: textOf(row, 'AdminState') ?? '',
    eventCode: textOf(row, 'EventCode') ?? '',
    errorCode: textOf(row, 'ErrorCode') ?? '',
    configState: textOf(row, 'ConfigState') ?? '',
  }));
}

function onlyRow(content: Content | null, className: string): XmlElement {
  const rows = statusRows(content, className);
  const row = rows[0];
  if (row && rows.length === 1) return row;
  throw new WireProblem(
    'REPLY_UNEXPECTED',
    `The status ${className} has ${rows.length} rows instead of one.`,
  );
}

function required(row: XmlElement, name: string): string {
  const text = textOf(row, name);
  if (text) return text;
  throw new WireProblem('REPLY_UNEXPECTED', `A row of ${row.name} has no ${name}.`);
}

function toggle(row: XmlElement, name: string): boolean {
  const text = required(row, name);
  if (text === 'on' || text === 'off') return text === 'on';
  throw new WireProblem('REPLY_UNEXPECTED', `${name} of ${row.name} is "${printable(text)}", not on or off.`);
}

function wholeNumber(row: XmlElement, name: string): number | null {
  const text = textOf(row, name);
  if (text === undefined || text === '') return null;
  if (/^\d{1,15}$/u.test(text)) return Number(text);
  throw new WireProblem('REPLY_UNEXPECTED', `${name} of ${row.name} is "${printable(text)}", not a number.`);
}
