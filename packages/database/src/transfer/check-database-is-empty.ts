import type { PoolClient } from 'pg';
import { databaseRefusal } from '../database-error.ts';

const namesToldAtMost = 5;

/** Throws DATABASE_NOT_EMPTY when anybody has made a table, view or sequence in the database; extensions' own do not count. */
export async function checkDatabaseIsEmpty(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
      order by (c.relkind in ('r', 'p')) desc, 1`,
  );
  if (rows.length === 0) return;
  const told = rows.slice(0, namesToldAtMost).map(({ name }) => name);
  const more = rows.length > told.length ? ` and ${rows.length - told.length} more` : '';
  throw databaseRefusal('DATABASE_NOT_EMPTY', `It holds ${told.join(', ')}${more}.`);
}
