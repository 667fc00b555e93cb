import type { Appliance } from '@stillpoint/datapower';
import {
  type BackupManifestFile,
  backupManifestName,
  type Incoming,
  maxBackupManifestBytes,
  openIncoming,
  type ReceivedFile,
  readBackupManifest,
  type StoreRoot,
  verifySecureBackup,
} from '@stillpoint/store';
import { mayNotAct } from './may-not-act.ts';
import type { MoverFault, MoverOrder, MoverProgress, MoverReply } from './mover-orders.ts';
import type { Permission } from './permission.ts';

type Fetched<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: MoverFault };

/** Fetches a secure backup from a directory of the appliance: its manifest first, then every file that it names. */
export async function fetchSecureBackup(
  appliance: Pick<Appliance, 'readFile'>,
  root: StoreRoot,
  order: MoverOrder<'fetchSecureBackup'>,
  tell: (progress: MoverProgress) => void,
  permission: Permission,
): Promise<MoverReply<'fetchSecureBackup'>> {
  const opened = await openIncoming(root, order.taskId, 'secure-backup');
  if (!opened.ok) return opened;
  await using incoming = opened.value;
  const download = new Download(appliance, incoming, order.directoryUrl, tell, permission);
  const listed = await download.fetchManifest();
  if (!listed.ok) return listed;
  const manifest = readBackupManifest(listed.value);
  if (!manifest.ok) return manifest;
  for (const file of manifest.value.files) {
    const fetched = await download.fetchListed(file);
    if (!fetched.ok) return fetched;
  }
  const verified = await verifySecureBackup(incoming.pathOf(), order.source);
  if (!verified.ok) return verified;
  return { ok: true, value: { files: download.received, manifest: verified.value } };
}

class Download {
  readonly received: ReceivedFile[] = [];
  readonly #appliance: Pick<Appliance, 'readFile'>;
  readonly #incoming: Incoming;
  readonly #directoryUrl: string;
  readonly #tell: (progress: MoverProgress) => void;
  readonly #permission: Permission;
  #bytes = 0;

  constructor(
    appliance: Pick<Appliance, 'readFile'>,
    incoming: Incoming,
    directoryUrl: string,
    tell: (progress: MoverProgress) => void,
    permission: Permission,
  ) {
    this.#appliance = appliance;
    this.#incoming = incoming;
    this.#directoryUrl = directoryUrl.replace(/\/+$/, '');
    this.#tell = tell;
    this.#permission = permission;
  }

  async fetchManifest(): Promise<Fetched<Uint8Array>> {
    const chunks: Buffer[] = [];
    const fetched = await this.#fetch(backupManifestName, maxBackupManifestBytes, (chunk) => {
      chunks.push(Buffer.from(chunk));
    });
    if (fetched.ok) return { ok: true, value: Buffer.concat(chunks) };
    const isMissing = fetched.fault.code === 'FILE_NOT_READABLE' || fetched.fault.code === 'EMPTY_FILE';
    return isMissing ? renamed(fetched.fault, 'BACKUP_MANIFEST_MISSING') : fetched;
  }

  async fetchListed(file: BackupManifestFile): Promise<Fetched<ReceivedFile>> {
    const fetched = await this.#fetch(file.name, file.sizeBytes ?? Number.POSITIVE_INFINITY);
    if (fetched.ok || fetched.fault.code !== 'FILE_NOT_READABLE') return fetched;
    return renamed(fetched.fault, 'BACKUP_FILE_MISSING');
  }

  async #fetch(
    name: string,
    maxBytes: number,
    look?: (chunk: Uint8Array) => void,
  ): Promise<Fetched<ReceivedFile>> {
    // A new file takes the place of one that whoever holds the task now may have received already.
    if (!this.#permission.holds())
      return mayNotAct(`"${name}" was not fetched, because the server had said nothing for too long.`);
    const created = await this.#incoming.createFile(name);
    if (!created.ok) return created;
    const sink = created.value;
    let isTooLong = false;
    const write = (chunk: Uint8Array): void | Promise<void> => {
      isTooLong ||= sink.sizeBytes + chunk.length > maxBytes;
      if (isTooLong) throw new Error(`"${name}" is longer than ${maxBytes} bytes`);
      look?.(chunk);
      this.#tell({ files: this.received.length, bytes: this.#bytes + sink.sizeBytes });
      return sink.write(chunk);
    };
    const sent = await this.#appliance.readFile(
      `${this.#directoryUrl}/${name}`,
      { write },
      { signal: this.#permission.signal },
    );
    const file = await sink.finish();
    if (!file.ok) return file;
    if (isTooLong) return tooLong(name, maxBytes);
    // A file of the backup may be empty, when the manifest says so.
    const isMeantEmpty = maxBytes === 0 && !sent.ok && sent.fault.code === 'EMPTY_FILE';
    if (!sent.ok && !isMeantEmpty) return sent;
    this.received.push(file.value);
    this.#bytes += file.value.sizeBytes;
    this.#tell({ files: this.received.length, bytes: this.#bytes });
    return file;
  }
}

function renamed(fault: MoverFault, code: MoverFault['code']): Fetched<never> {
  return { ok: false, fault: { ...fault, code } };
}

function tooLong(name: string, maxBytes: number): Fetched<never> {
  const code = name === backupManifestName ? 'BACKUP_MANIFEST_UNREADABLE' : 'BACKUP_SIZE_MISMATCH';
  const detail = `"${name}" is longer than the ${maxBytes} bytes it may have.`;
  return { ok: false, fault: { code, effect: 'none', retryable: true, detail } };
}
