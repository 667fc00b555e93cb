/*
 * An export is one gzip file. Inside, in UTF-8, every line ends in a line feed:
 *
 *   {"format":"stillpoint-database-export","formatNumber":1,"stillpointVersion":...,"exportedAt":...,"migrations":[...]}
 *   {"table":"device","columns":["id",...]}         for each table, those it refers to first
 *   ...rows in PostgreSQL's COPY text format...      in the order of the primary key
 *   \.                                               which is no row in that format
 *   {"rows":12,"sha256":"..."}                       of the rows of this table alone
 *   {"tables":14,"rows":120,"sequences":[...],"sha256":"..."}   the hash is of every byte before this line
 */

/** What the first line of an export calls itself. */
export const exportFormat = 'stillpoint-database-export';

/** Raised whenever an older program could misread what a newer one wrote. */
export const exportFormatNumber = 1;

/** The line after the last row of a table. */
export const endOfRows = '\\.\n';

/** A migration the database had when it was exported. */
export type ExportedMigration = { readonly number: number; readonly name: string; readonly sha256: string };

/** First line: what wrote the export, when (RFC 3339), and what its tables are. */
export type ExportHead = {
  readonly format: typeof exportFormat;
  readonly formatNumber: number;
  readonly stillpointVersion: string;
  readonly postgresVersion: string;
  readonly exportedAt: string;
  readonly migrations: readonly ExportedMigration[];
};

/** The line before the rows of a table. */
export type TableHead = { readonly table: string; readonly columns: readonly string[] };

/** The line after them. */
export type TableFoot = { readonly rows: number; readonly sha256: string };

/** Where an identity goes on; null when it was never used. */
export type SequenceState = {
  readonly table: string;
  readonly column: string;
  readonly lastValue: number | null;
};

/** Last line. */
export type ExportFoot = {
  readonly tables: number;
  readonly rows: number;
  readonly sequences: readonly SequenceState[];
  readonly sha256: string;
};

type Shape = { readonly [field: string]: (value: unknown) => boolean };

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isHash = (value: unknown): boolean => /^[0-9a-f]{64}$/.test(String(value));
const listOf = (isItem: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(isItem);

const migrationShape: Shape = { number: isCount, name: isText, sha256: isHash };
const sequenceShape: Shape = {
  table: isText,
  column: isText,
  lastValue: (value) => value === null || Number.isSafeInteger(value),
};

/** The shapes of the lines; a head is read in two steps, for a newer one may look otherwise. */
export const lineShapes = {
  anyHead: { format: (value) => value === exportFormat, formatNumber: isCount, stillpointVersion: isText },
  head: {
    postgresVersion: isText,
    exportedAt: (value) => !Number.isNaN(Date.parse(String(value))),
    migrations: listOf((value) => hasShape(value, migrationShape)),
  },
  tableHead: { table: isText, columns: listOf(isText) },
  tableFoot: { rows: isCount, sha256: isHash },
  foot: {
    tables: isCount,
    rows: isCount,
    sequences: listOf((value) => hasShape(value, sequenceShape)),
    sha256: isHash,
  },
} as const satisfies Record<string, Shape>;

/** True when a parsed line has at least these fields. */
export function hasShape(value: unknown, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return Object.entries(shape).every(([name, isRight]) => isRight(fields[name]));
}
