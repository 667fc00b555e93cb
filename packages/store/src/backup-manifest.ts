import { FaultError } from './fault.ts';
import { XmlError, XmlReader } from './xml-reader.ts';

/** The name under which an appliance writes the list of files of a secure backup. */
export const backupManifestName = 'backupmanifest.xml';

/** Larger lists are refused; a real one has 5 KB. */
export const maxBackupManifestBytes = 4 * 1024 * 1024;

/** One file of a secure backup; `sizeBytes` is null where the appliance does not state it. */
export interface BackupManifestFile {
  readonly name: string;
  readonly sizeBytes: number | null;
  readonly algorithm: 'sha1' | 'sha512';
  /** Lower-case hex. */
  readonly checksum: string;
}

/** What backupmanifest.xml says; texts are null where it does not say so. */
export interface BackupManifest {
  readonly firmwareVersion: string | null;
  readonly firmwareBuild: string | null;
  readonly serialNumber: string | null;
  readonly machineType: string | null;
  readonly writtenAt: string | null;
  /** The files beside the manifest itself, at least one. */
  readonly files: readonly BackupManifestFile[];
}

interface RawFile {
  filename: string;
  checksum: string;
  filesize: string;
}

const textsPath = 'SecureBackupManifest/backupmanifest';
const filePath = `${textsPath}/files/file`;
const maxFiles = 10_000;

/** Reads the list of a secure backup; throws FaultError with a BACKUP_ code for one that cannot be relied on. */
export function parseBackupManifest(bytes: Uint8Array): BackupManifest {
  const { texts, files } = readDocument(bytes);
  const named = files.map((raw) => ({ ...raw, filename: requireSafeName(raw.filename.trim()) }));
  const names = named.map((raw) => raw.filename);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new FaultError('BACKUP_MANIFEST_UNREADABLE', `${backupManifestName} names "${repeated}" twice.`);
  }
  // The manifest ends its list with itself, without a checksum that it could not know.
  const others = named.filter((raw) => raw.filename !== backupManifestName).map(readFile);
  if (others.length === 0)
    throw new FaultError('BACKUP_MANIFEST_EMPTY', `${backupManifestName} names no file.`);
  const text = (name: string): string | null => texts.get(`${textsPath}/${name}`)?.trim() || null;
  return {
    firmwareVersion: text('version'),
    firmwareBuild: text('build'),
    serialNumber: text('serialnumber'),
    machineType: text('mtm'),
    writtenAt: text('time'),
    files: others,
  };
}

function readDocument(bytes: Uint8Array): { texts: Map<string, string>; files: RawFile[] } {
  const texts = new Map<string, string>();
  const files: RawFile[] = [];
  const reader = new XmlReader({
    opened(path) {
      if (!path.includes('/') && path !== 'SecureBackupManifest')
        throw new XmlError(`its root element is "${path}"`);
      if (path === filePath) files.push({ filename: '', checksum: '', filesize: '' });
      if (files.length > maxFiles) throw new XmlError(`it names more than ${maxFiles} files`);
    },
    text(path, text) {
      const file = files.at(-1);
      if (file !== undefined && path.startsWith(`${filePath}/`)) {
        const name = path.slice(filePath.length + 1);
        if (name === 'filename' || name === 'checksum' || name === 'filesize') file[name] += text;
      } else {
        texts.set(path, (texts.get(path) ?? '') + text);
      }
    },
  });
  try {
    if (bytes.length > maxBackupManifestBytes) throw new XmlError(`it has ${bytes.length} bytes`);
    reader.write(bytes);
    reader.end();
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new FaultError(
      'BACKUP_MANIFEST_UNREADABLE',
      `${backupManifestName} cannot be used: ${error.message}.`,
    );
  }
  return { texts, files };
}

function requireSafeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(name)) return name;
  const shown = JSON.stringify(name.slice(0, 100));
  throw new FaultError('BACKUP_UNSAFE_NAME', `${backupManifestName} names a file ${shown}.`);
}

function readFile(raw: RawFile): BackupManifestFile {
  const checksum = raw.checksum.trim().toLowerCase();
  const isHex = /^[0-9a-f]+$/.test(checksum);
  if (!isHex || (checksum.length !== 40 && checksum.length !== 128)) {
    throw new FaultError(
      'BACKUP_UNKNOWN_ALGORITHM',
      `"${raw.filename}" has a checksum of ${checksum.length} characters; SHA-1 has 40 and SHA-512 has 128.`,
    );
  }
  const size = raw.filesize.trim();
  if (size !== '' && !/^\d{1,15}$/.test(size)) {
    throw new FaultError('BACKUP_MANIFEST_UNREADABLE', `The size of "${raw.filename}" is not a number.`);
  }
  return {
    name: raw.filename,
    sizeBytes: size === '' ? null : Number(size),
    algorithm: checksum.length === 40 ? 'sha1' : 'sha512',
    checksum,
  };
}
