import type { MemoryTransaction } from '../../../engine/src/testing/memory-database.ts';
import type { MemoryJournal } from '../../../engine/src/testing/memory-journal.ts';
import type { Records } from '../programs/ports.ts';
import { RememberedBackups } from './remembered-backups.ts';
import type { RememberedDefinitions } from './remembered-definitions.ts';
import { RememberedGuards } from './remembered-guards.ts';
import { RememberedNotices } from './remembered-notices.ts';
import { RememberedPlans } from './remembered-plans.ts';
import type { RememberedRows } from './remembered-rows.ts';
import { RememberedRuns } from './remembered-runs.ts';
import { RememberedTasks } from './remembered-tasks.ts';

/** For tests: all that programs record, kept in memory; `now` is the clock of the pretended database. */
export function rememberedRecords(
  rows: RememberedRows,
  journal: Pick<MemoryJournal, 'forget'>,
  definitions: Pick<RememberedDefinitions, 'planRows'>,
  now: () => number,
): Records<MemoryTransaction> {
  return {
    runs: new RememberedRuns(rows),
    tasks: new RememberedTasks(rows, journal),
    guards: new RememberedGuards(rows, now),
    plans: new RememberedPlans(definitions, rows),
    backups: new RememberedBackups(rows),
    notices: new RememberedNotices(rows, now),
  };
}
