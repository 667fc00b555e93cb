import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BackupManifest,
  type BackupManifestFile,
  backupManifestName,
  maxBackupManifestBytes,
  parseBackupManifest,
} from './backup-manifest.ts';
import { attempt, errnoOf, FaultError, type Reply } from './fault.ts';
import { blocksOf, type FileRange, openFileRange } from './file-range.ts';
import { readSmallFile } from './read-small-file.ts';

/** Compares a received secure backup, file by file, with its own backupmanifest.xml; both must name the same files. */
export async function verifySecureBackup(
  folder: string,
  expectation: { readonly expectedSerialNumber: string | null },
): Promise<Reply<BackupManifest>> {
  return attempt('verifying the secure backup', async () => {
    const bytes = await readSmallFile(
      join(folder, backupManifestName),
      maxBackupManifestBytes,
      'BACKUP_MANIFEST_UNREADABLE',
    );
    if (bytes === undefined) {
      throw new FaultError('BACKUP_MANIFEST_MISSING', `The secure backup holds no ${backupManifestName}.`);
    }
    const manifest = parseBackupManifest(bytes);
    requireDevice(manifest, expectation.expectedSerialNumber);
    await requireNoOtherFile(folder, manifest);
    for (const file of manifest.files) await verifyFile(folder, file);
    return manifest;
  });
}

function requireDevice(manifest: BackupManifest, expected: string | null): void {
  if (expected === null || manifest.serialNumber === expected) return;
  throw new FaultError(
    'BACKUP_OF_ANOTHER_DEVICE',
    `${backupManifestName} names the serial number ${manifest.serialNumber ?? '(none)'}, not ${expected}.`,
  );
}

async function requireNoOtherFile(folder: string, manifest: BackupManifest): Promise<void> {
  const named = new Set([backupManifestName, ...manifest.files.map((file) => file.name)]);
  for (const name of await readdir(folder)) {
    if (named.has(name)) continue;
    throw new FaultError('BACKUP_EXTRA_FILE', `The secure backup holds ${JSON.stringify(name)}.`);
  }
}

async function verifyFile(folder: string, file: BackupManifestFile): Promise<void> {
  const range = await openNamed(folder, file.name);
  await using _closedAtEnd = range.handle;
  if (file.sizeBytes !== null && file.sizeBytes !== range.sizeBytes) {
    throw new FaultError(
      'BACKUP_SIZE_MISMATCH',
      `"${file.name}" has ${range.sizeBytes} bytes, not ${file.sizeBytes} as stated.`,
    );
  }
  const hash = createHash(file.algorithm);
  for await (const block of blocksOf(range)) hash.update(block);
  if (hash.digest('hex') !== file.checksum) {
    throw new FaultError(
      'BACKUP_HASH_MISMATCH',
      `"${file.name}" does not match its ${file.algorithm} checksum.`,
    );
  }
}

async function openNamed(folder: string, name: string): Promise<FileRange> {
  try {
    return await openFileRange(join(folder, name));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new FaultError('BACKUP_FILE_MISSING', `"${name}" was not received.`);
  }
}
