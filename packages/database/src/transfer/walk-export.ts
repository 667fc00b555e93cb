import { DatabaseError, databaseRefusal } from '../database-error.ts';
import {
  type ExportFoot,
  type ExportHead,
  exportFormatNumber,
  hasShape,
  lineShapes,
  type TableFoot,
  type TableHead,
} from './export-format.ts';
import { damaged, ExportReader } from './read-export.ts';
import { RowMeter } from './row-meter.ts';

/** What somebody does with an export while it is read; each is waited for. */
export type ExportVisitor = {
  head(head: ExportHead): Promise<void>;
  /** Takes in all rows of a table. */
  table(head: TableHead, rows: AsyncIterable<Buffer>): Promise<void>;
};

/** An export that was read to its end and found to be what was written. */
export type WalkedExport = {
  readonly head: ExportHead;
  readonly foot: ExportFoot;
  readonly tables: readonly (TableHead & TableFoot)[];
};

/**
 * Reads an export from beginning to end and compares every count and hash it holds. Throws DATABASE_EXPORT_NOT_READABLE,
 * DATABASE_EXPORT_DAMAGED, DATABASE_EXPORT_NEWER, and whatever the visitor throws.
 */
export async function walkExport(
  path: string,
  visitor: ExportVisitor,
  signal?: AbortSignal,
): Promise<WalkedExport> {
  const reader = new ExportReader(path, signal);
  try {
    const head = await readHead(reader);
    await visitor.head(head);
    const tables: (TableHead & TableFoot)[] = [];
    for (;;) {
      const line = await reader.readLine();
      if (hasShape(line, lineShapes.foot)) {
        const foot = line as ExportFoot;
        checkFoot(reader, foot, tables);
        if ((await reader.readLine()) !== undefined) throw damaged(path, 'it goes on after its last line');
        return { head, foot, tables };
      }
      if (!hasShape(line, lineShapes.tableHead)) throw damaged(path, unexpected(line));
      tables.push(await walkTable(reader, line as TableHead, visitor));
    }
  } finally {
    await reader.close();
  }
}

async function readHead(reader: ExportReader): Promise<ExportHead> {
  const line = await reader.readLine().catch((error: unknown) => {
    if (error instanceof DatabaseError && error.fault.code === 'DATABASE_EXPORT_NOT_READABLE') throw error;
    throw notAnExport(reader.path);
  });
  if (!hasShape(line, lineShapes.anyHead)) throw notAnExport(reader.path);
  const head = line as ExportHead;
  if (head.formatNumber > exportFormatNumber) {
    throw databaseRefusal(
      'DATABASE_EXPORT_NEWER',
      `${reader.path} was written by Stillpoint ${head.stillpointVersion} in format ${head.formatNumber}; ` +
        `this program reads formats up to ${exportFormatNumber}.`,
    );
  }
  if (!hasShape(head, lineShapes.head)) throw damaged(reader.path, 'its first line lacks what it must tell');
  return head;
}

async function walkTable(
  reader: ExportReader,
  head: TableHead,
  visitor: ExportVisitor,
): Promise<TableHead & TableFoot> {
  const meter = new RowMeter();
  await visitor.table(head, metered(reader, meter));
  const told = await reader.readLine();
  if (!hasShape(told, lineShapes.tableFoot)) throw damaged(reader.path, unexpected(told));
  const { rows, sha256 } = told as TableFoot;
  const seen = meter.foot();
  if (rows !== seen.rows || sha256 !== seen.sha256) {
    throw damaged(
      reader.path,
      `the table ${head.table} has ${seen.rows} rows with SHA-256 ${seen.sha256}, written were ${rows} with ${sha256}`,
    );
  }
  return { ...head, rows, sha256 };
}

async function* metered(reader: ExportReader, meter: RowMeter): AsyncGenerator<Buffer> {
  for await (const chunk of reader.readRows()) {
    meter.take(chunk);
    yield chunk;
  }
}

function checkFoot(reader: ExportReader, foot: ExportFoot, tables: readonly TableFoot[]): void {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  if (foot.tables !== tables.length || foot.rows !== rows)
    throw damaged(reader.path, `it has ${tables.length} tables and ${rows} rows, not as many as it says`);
  if (foot.sha256 !== reader.digestBeforeLine())
    throw damaged(reader.path, `its content does not have the SHA-256 ${foot.sha256} it says`);
}

function notAnExport(path: string): DatabaseError {
  return databaseRefusal(
    'DATABASE_EXPORT_NOT_READABLE',
    `${path} is not an export of a Stillpoint database.`,
  );
}

const unexpected = (line: unknown): string =>
  line === undefined ? 'its last lines are missing' : 'a line of it is not one that an export has';
