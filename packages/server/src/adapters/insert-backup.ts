import { randomUUID } from 'node:crypto';
import type { Action, DeviceIdentity, PublishedFile } from '@stillpoint/core';
import type { Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** A published backup as the catalogue keeps it; `takenAt` in milliseconds since the epoch. */
export type CatalogueEntry = {
  readonly taskId: string;
  readonly action: Action;
  readonly device: string;
  /** Null for a secure backup. */
  readonly domain: string | null;
  readonly identity: DeviceIdentity;
  readonly takenAt: number;
  readonly files: readonly PublishedFile[];
  /** Null when the backup was found again on the disk. */
  readonly planName: string | null;
  readonly runId: string | null;
};

/**
 * Enters a published backup into the catalogue: a row for each of its parts, persisted and not. It takes the place of
 * what a rescan has entered for the task meanwhile.
 */
export async function insertBackup(trx: Transaction<Tables>, entry: CatalogueEntry): Promise<void> {
  await trx.deleteFrom('backup').where('task_id', '=', entry.taskId).execute();
  const parts = Map.groupBy(entry.files, ({ isPersisted }) => isPersisted);
  for (const [isPersisted, files] of parts) {
    const id = randomUUID();
    await trx
      .insertInto('backup')
      .values({
        id,
        task_id: entry.taskId,
        is_persisted: isPersisted,
        action: entry.action,
        device: entry.device,
        domain: entry.domain,
        state: 'good',
        taken_at: new Date(entry.takenAt),
        plan_name: entry.planName,
        run_id: entry.runId,
        serial_number: entry.identity.serialNumber,
        model: entry.identity.model,
        firmware_version: entry.identity.firmwareVersion,
        firmware_build: entry.identity.firmwareBuild,
      })
      .execute();
    const rows = files.map(({ path, sizeBytes, sha256 }) => ({
      backup_id: id,
      path,
      size_bytes: sizeBytes,
      sha256,
    }));
    await trx.insertInto('backup_file').values(rows).execute();
  }
}
