import type { Alarm, AlarmQuery } from '@stillpoint/contract';
import { type Kysely, type Selectable, sql } from 'kysely';
import { alarmCatalogue } from '../app/alarm-catalogue.ts';
import type { Page } from '../app/application.ts';
import type { Alarms } from '../app/ports.ts';
import type { Tables } from './tables.ts';

/** The alarms, kept in the database. A cursor names the last alarm of a page. */
export class StoredAlarms implements Alarms {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async page({ state, limit, cursor }: AlarmQuery): Promise<Page<Alarm> | null> {
    if (cursor !== undefined && !isUuid(cursor)) return null;
    let query = this.#db
      .selectFrom('alarm')
      .selectAll()
      .orderBy('opened_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (state === 'open') query = query.where('closed_at', 'is', null);
    if (cursor !== undefined) {
      query = query.where(
        sql<boolean>`(opened_at, id) < (select opened_at, id from alarm where id = ${cursor})`,
      );
    }
    const rows = await query.execute();
    const shown = rows.slice(0, limit);
    return {
      items: shown.map(alarmShown),
      nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  async acknowledge(id: string, by: string, note: string | null): Promise<Alarm | null> {
    if (!isUuid(id)) return null;
    const row = await this.#db
      .updateTable('alarm')
      .set({
        acknowledged_at: sql<Date>`clock_timestamp()`,
        acknowledged_by: by,
        acknowledged_note: note,
      })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : alarmShown(row);
  }
}

function alarmShown(row: Selectable<Tables['alarm']>): Alarm {
  const { acknowledged_at: at, acknowledged_by: by, acknowledged_note: note } = row;
  return {
    id: row.id,
    code: row.code,
    subject: { kind: row.subject_kind, name: row.subject_name },
    sentence: row.sentence,
    lastProblem: row.last_problem,
    remedy: alarmCatalogue[row.code].remedy,
    openedAt: row.opened_at.toISOString(),
    lastSeenAt: row.last_seen_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null,
    acknowledgement: at === null ? null : { at: at.toISOString(), by: by ?? '', note },
  };
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
