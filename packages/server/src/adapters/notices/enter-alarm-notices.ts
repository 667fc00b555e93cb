import { channels, noticeParametersInForce, parameterMissing } from '@stillpoint/core';
import type { Selectable, Transaction } from 'kysely';
import type { AlarmChange } from '../../app/notifier.ts';
import { enterNotices } from '../stored-notices.ts';
import type { Tables } from '../tables.ts';

/** Enters notices about alarms that opened or closed in this transaction, for every channel that is set up. */
export async function enterAlarmNotices(
  trx: Transaction<Tables>,
  changed: readonly Selectable<Tables['alarm']>[],
): Promise<void> {
  if (changed.length === 0) return;
  const rows = await trx.selectFrom('parameter').select(['name', 'value']).execute();
  const parameters = noticeParametersInForce(
    Object.fromEntries(rows.map(({ name, value }) => [name, value])),
  );
  const told = channels.filter((channel) => parameterMissing(channel, parameters) === null);
  if (told.length === 0) return;
  for (const alarm of changed) await enterNotices(trx, alarm.id, changeOf(alarm), told);
}

function changeOf(alarm: Selectable<Tables['alarm']>): AlarmChange {
  return {
    event: alarm.closed_at === null ? 'ALARM_RAISED' : 'ALARM_CLEARED',
    alarmId: alarm.id,
    code: alarm.code,
    subject: { kind: alarm.subject_kind, name: alarm.subject_name },
    sentence: alarm.sentence,
    lastProblem: alarm.last_problem,
    openedAt: alarm.opened_at.getTime(),
    closedAt: alarm.closed_at?.getTime() ?? null,
  };
}
