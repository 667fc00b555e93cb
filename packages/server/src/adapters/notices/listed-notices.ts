import type { Notice, NoticeQuery } from '@stillpoint/contract';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Page } from '../../app/application.ts';
import type { Notices } from '../../app/notices.ts';
import type { Tables } from '../tables.ts';
import { summaryOf } from './notice-words.ts';

/** The notices as clients read them, kept in the database. A cursor is the number of the last one of a page. */
export class ListedNotices implements Notices {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async page({ state, channel, limit, cursor }: NoticeQuery): Promise<Page<Notice> | null> {
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) return null;
    let query = this.#db
      .selectFrom('notice')
      .selectAll()
      .orderBy('number', 'desc')
      .limit(limit + 1);
    if (state !== undefined) query = query.where('state', '=', state);
    if (channel !== undefined) query = query.where('channel', '=', channel);
    if (cursor !== undefined) query = query.where('number', '<', Number(cursor));
    const rows = await query.execute();
    const shown = rows.slice(0, limit);
    const nextCursor = rows.length > limit ? String(shown.at(-1)?.number) : null;
    return { items: shown.map(noticeShown), nextCursor };
  }

  async retry(id: string): Promise<Notice | 'delivered' | 'unknown'> {
    if (!isUuid(id)) return 'unknown';
    const now = sql<Date>`clock_timestamp()`;
    const row = await this.#db
      .updateTable('notice')
      .set({ state: 'WAITING', next_try_at: now, waiting_since: now, ended_at: null })
      .where('id', '=', id)
      .where('state', '!=', 'DELIVERED')
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) return noticeShown(row);
    const known = await this.#db.selectFrom('notice').select('id').where('id', '=', id).executeTakeFirst();
    return known === undefined ? 'unknown' : 'delivered';
  }
}

function noticeShown(row: Selectable<Tables['notice']>): Notice {
  return {
    id: row.id,
    channel: row.channel,
    event: row.event,
    subjectId: row.subject_id,
    summary: summaryOf(row.content),
    state: row.state,
    attempts: row.attempts,
    lastProblem: row.last_problem,
    createdAt: row.created_at.toISOString(),
    nextTryAt: row.state === 'WAITING' ? row.next_try_at.toISOString() : null,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
