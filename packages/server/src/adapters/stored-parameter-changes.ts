import type { ChangedParameter, ChangedParameterQuery, ParameterValue } from '@stillpoint/contract';
import { isSecretParameter } from '@stillpoint/core';
import type { Kysely, Transaction } from 'kysely';
import type { Page } from '../app/application.ts';
import type { ChangedParameters } from '../app/parameter-desk.ts';
import type { Tables } from './tables.ts';

/** Who changed which parameter, read from the database; a cursor is the id of the last row of a page. */
export class StoredParameterChanges implements ChangedParameters {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async page({ name, limit, cursor }: ChangedParameterQuery): Promise<Page<ChangedParameter> | null> {
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) return null;
    let query = this.#db
      .selectFrom('parameter_change')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (name !== undefined) query = query.where('name', '=', name);
    if (cursor !== undefined) query = query.where('id', '<', Number(cursor));
    const rows = await query.execute();
    const items = rows.slice(0, limit).map((row) => ({
      id: String(row.id),
      name: row.name,
      changedAt: row.changed_at.toISOString(),
      changedBy: row.changed_by,
      isSecret: row.is_secret,
      before: row.value_before as ParameterValue | null,
      after: row.value_after as ParameterValue | null,
    }));
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}

/** Records a change in the transaction that makes it; of a secret parameter neither value. */
export async function recordParameterChange(
  trx: Transaction<Tables>,
  change: { readonly name: string; readonly before: unknown; readonly after: unknown; readonly by: string },
): Promise<void> {
  const { name, before, after, by } = change;
  const is_secret = isSecretParameter(name);
  const kept = (value: unknown): string | null =>
    is_secret || value === undefined || value === null ? null : JSON.stringify(value);
  await trx
    .insertInto('parameter_change')
    .values({ name, changed_by: by, is_secret, value_before: kept(before), value_after: kept(after) })
    .execute();
}
