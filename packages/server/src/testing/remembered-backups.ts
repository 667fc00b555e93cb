import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { BackupRecords, TaskBackup } from '../programs/ports.ts';
import type { RememberedRows } from './remembered-rows.ts';

/** For tests: the catalogue of backups, kept in memory. */
export class RememberedBackups implements BackupRecords<MemoryTransaction> {
  readonly #rows: RememberedRows;

  constructor(rows: RememberedRows) {
    this.#rows = rows;
  }

  async enterBackup(trx: MemoryTransaction, backup: TaskBackup): Promise<void> {
    const others = [...this.#rows.backups.values()].filter(({ taskId }) => taskId !== backup.taskId);
    const taken = new Set(others.flatMap(({ files }) => files.map(({ path }) => path)));
    const twice = backup.files.find(({ path }) => taken.has(path));
    if (twice !== undefined) throw new Error(`Another backup is at ${twice.path}: backup_file_path_key.`);
    const planName = this.#rows.runs.get(backup.runId)?.spec.plan.name ?? null;
    const row = { ...structuredClone(backup), planName };
    trx.stage(() => this.#rows.backups.set(backup.taskId, row));
  }
}
