import type { Kysely, Transaction } from 'kysely';
import type { Records } from '../programs/ports.ts';
import { StoredBackups } from './stored-backups.ts';
import { StoredGuards } from './stored-guards.ts';
import { StoredNotices } from './stored-notices.ts';
import { StoredPlans } from './stored-plans.ts';
import { StoredRuns } from './stored-runs.ts';
import { StoredTasks } from './stored-tasks.ts';
import type { Tables } from './tables.ts';

/** All that programs record, kept in the database. */
export function storedRecords(db: Kysely<Tables>): Records<Transaction<Tables>> {
  return {
    runs: new StoredRuns(db),
    tasks: new StoredTasks(db),
    guards: new StoredGuards(db),
    plans: new StoredPlans(db),
    backups: new StoredBackups(),
    notices: new StoredNotices(db),
  };
}
