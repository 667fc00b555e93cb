import type { Transaction } from 'kysely';
import type { BackupRecords, TaskBackup } from '../programs/ports.ts';
import { insertBackup } from './insert-backup.ts';
import type { Tables } from './tables.ts';

/** The catalogue of backups, kept in the database. */
export class StoredBackups implements BackupRecords<Transaction<Tables>> {
  async enterBackup(trx: Transaction<Tables>, backup: TaskBackup): Promise<void> {
    const run = await trx
      .selectFrom('run')
      .select('plan_name')
      .where('id', '=', backup.runId)
      .executeTakeFirst();
    await insertBackup(trx, { ...backup, planName: run?.plan_name ?? null });
  }
}
