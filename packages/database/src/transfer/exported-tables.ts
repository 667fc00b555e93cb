import type { PoolClient } from 'pg';

/** A table as an export takes it. */
export type ExportedTable = {
  readonly name: string;
  readonly columns: readonly string[];
  /** What its rows are ordered by, as SQL. */
  readonly order: string;
  /** Columns that are numbered by PostgreSQL. */
  readonly identities: readonly string[];
};

type TableRow = ExportedTable & { readonly refers_to: readonly string[] };

/** Everything that decides how PostgreSQL writes a value as text, so that equal values are equal bytes anywhere. */
const sessionSettings = {
  client_encoding: 'UTF8',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  // A long COPY is no mistake.
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
} as const;

/** Makes the text of values independent of where they are; holds until the client's transaction ends. */
export async function fixTextOfValues(client: PoolClient): Promise<void> {
  for (const [name, value] of Object.entries(sessionSettings)) {
    await client.query('select set_config($1, $2, true)', [name, value]);
  }
}

/** All our tables but that of the migrations, each after those it refers to; throws a bug when one cannot be exported. */
export async function listExportedTables(client: PoolClient): Promise<ExportedTable[]> {
  const { rows } = await client.query<TableRow>(
    `select c.relname as name,
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                   order by a.attnum) as columns,
            (select string_agg(format('%I', a.attname) || case when a.attcollation = 0 then '' else ' collate "C"' end,
                               ', ' order by k.position)
               from pg_index i, unnest(i.indkey) with ordinality as k(attnum, position), pg_attribute a
              where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and a.attnum = k.attnum) as "order",
            array(select a.attname::text from pg_attribute a
                   where a.attrelid = c.oid and a.attidentity <> '' order by a.attnum) as identities,
            array(select distinct r.relname::text from pg_constraint f join pg_class r on r.oid = f.confrelid
                   where f.conrelid = c.oid and f.contype = 'f' and r.oid <> c.oid) as refers_to
       from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'schema_migration'
      order by c.relname collate "C"`,
  );
  for (const { name, order } of rows)
    if (order === null) throw new Error(`the table ${name} has no primary key to order an export by`);
  return afterWhatTheyReferTo(rows);
}

function afterWhatTheyReferTo(rows: readonly TableRow[]): ExportedTable[] {
  const sorted: ExportedTable[] = [];
  let left = rows;
  while (left.length > 0) {
    const ready = left.filter(({ refers_to }) => !left.some(({ name }) => refers_to.includes(name)));
    if (ready.length === 0)
      throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(', ')}`);
    sorted.push(...ready);
    left = left.filter((row) => !ready.includes(row));
  }
  return sorted;
}

/** The statement that writes all rows of a table, always in the same order. */
export function copyOut(client: PoolClient, { name, columns, order }: ExportedTable): string {
  return `copy (select ${columnList(client, columns)} from ${tableName(client, name)} order by ${order}) to stdout`;
}

/** The statement that takes them in. */
export function copyIn(client: PoolClient, { name, columns }: ExportedTable): string {
  return `copy ${tableName(client, name)} (${columnList(client, columns)}) from stdin`;
}

/** A table's name for a statement. */
export function tableName(client: PoolClient, name: string): string {
  return `public.${client.escapeIdentifier(name)}`;
}

const columnList = (client: PoolClient, columns: readonly string[]): string =>
  columns.map((column) => client.escapeIdentifier(column)).join(', ');
