import { createHash } from 'node:crypto';
import type { Reply } from '../fault.ts';
import { type IncomingKind, openIncoming } from '../incoming.ts';
import type { ReceivedFile } from '../incoming-file.ts';
import type { Manifest } from '../manifest.ts';
import { type PublishRequest, publishBackup } from '../publish-backup.ts';
import type { StoreRoot } from '../store-root.ts';
import { verifyExport } from '../verify-export.ts';
import { verifySecureBackup } from '../verify-secure-backup.ts';
import { buildExport } from './build-export.ts';
import { exportRequest, secureBackupRequest } from './receive-backup.ts';

/** A backup as an appliance sends it: its files by name. */
export interface SentBackup {
  readonly kind: IncomingKind;
  readonly files: Readonly<Record<string, Buffer>>;
}

const expectedSerialNumber = '0000001';

/** An export of domain A; its inner package is packed, so that it is unpacked on the disk to be verified. */
export async function sentExport(parts: readonly string[], content: string): Promise<SentBackup> {
  const files: Record<string, Buffer> = {};
  for (const part of parts) {
    files[part] = await buildExport([{ domain: 'A', files: { 'config/A.cfg': `${content} ${part}` } }]);
  }
  return { kind: 'export', files };
}

/** A secure backup of these files, with its list of them. */
export function sentSecureBackup(contents: Readonly<Record<string, Buffer>>): SentBackup {
  const listed = Object.entries(contents).map(([name, content]) => {
    const checksum = createHash('sha1').update(content).digest('hex');
    return `<file><filename>${name}</filename><checksum>${checksum}</checksum><filesize>${content.length}</filesize></file>`;
  });
  const list = `<SecureBackupManifest><backupmanifest><serialnumber>${expectedSerialNumber}</serialnumber><files>${listed.join('')}</files></backupmanifest></SecureBackupManifest>`;
  return { kind: 'secure-backup', files: { 'backupmanifest.xml': Buffer.from(list), ...contents } };
}

/** Receives and verifies a backup the way a mover does. */
export async function receiveAndVerify(
  root: StoreRoot,
  taskId: string,
  { kind, files }: SentBackup,
): Promise<Reply<ReceivedFile[]>> {
  const opened = await openIncoming(root, taskId, kind);
  if (!opened.ok) return opened;
  await using incoming = opened.value;
  const received: ReceivedFile[] = [];
  for (const [name, content] of Object.entries(files)) {
    const created = await incoming.createFile(name);
    if (!created.ok) return created;
    // A write that fails ends the transfer; the end of the file tells why.
    await Promise.resolve(created.value.write(content)).catch(() => undefined);
    const file = await created.value.finish();
    if (!file.ok) return file;
    received.push(file.value);
    const expected = { domains: ['A'], verifiesHashes: true, expectedSerialNumber };
    const verified = kind === 'export' ? await verifyExport(incoming.pathOf(name), expected) : undefined;
    if (verified?.ok === false) return verified;
  }
  const verified =
    kind === 'export' ? undefined : await verifySecureBackup(incoming.pathOf(), { expectedSerialNumber });
  return verified?.ok === false ? verified : { ok: true, value: received };
}

/** The order to publish what was received. */
export function requestFor(taskId: string, { kind }: SentBackup, received: ReceivedFile[]): PublishRequest {
  return kind === 'export' ? exportRequest(taskId, received) : secureBackupRequest(taskId, received);
}

/** Receives, verifies and publishes a backup. */
export async function takeBackup(
  root: StoreRoot,
  taskId: string,
  sent: SentBackup,
): Promise<Reply<Manifest>> {
  const received = await receiveAndVerify(root, taskId, sent);
  return received.ok ? publishBackup(root, requestFor(taskId, sent, received.value)) : received;
}
