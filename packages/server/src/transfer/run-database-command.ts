import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { problemOf } from '@stillpoint/contract';
import {
  type Database,
  DatabaseError,
  databaseCatalogue,
  exportDatabase,
  importDatabase,
  openDatabase,
  type TransferOptions,
  type TransferReport,
} from '@stillpoint/database';
import { type DatabaseCommand, readDatabaseCommand } from './read-database-command.ts';
import { TransferTeller } from './transfer-teller.ts';

/** Exit codes as the command has them. */
const EXIT = { ok: 0, failed: 1, usage: 2, refused: 4, unreachable: 6 } as const;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Where a command speaks and what may end it. */
type Outside = {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  once(signal: keyof typeof SIGNALS, listener: () => void): unknown;
};

/** `database export` and `database import`: opens the database by itself, without a server; answers the exit code. */
export async function runDatabaseCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  outside: Outside,
): Promise<number> {
  const read = readDatabaseCommand(args, environment);
  if (read.kind === 'help') {
    outside.stdout.write(read.text);
    return EXIT.ok;
  }
  if (read.kind === 'usage') {
    if (read.isJson) outside.stdout.write(json(problemOf({ code: 'USAGE_NOT_VALID', detail: read.problem })));
    else outside.stderr.write(`stillpoint: ${read.problem}\n\n${read.usage}`);
    return EXIT.usage;
  }
  const { command } = read;
  const stop = new AbortController();
  let stopCode: number | undefined;
  for (const [signal, code] of Object.entries(SIGNALS)) {
    outside.once(signal as keyof typeof SIGNALS, () => {
      stopCode = code;
      stop.abort();
    });
  }
  const teller = new TransferTeller((text) => outside.stderr.write(text));
  try {
    const report = await transfer(command, { signal: stop.signal, onProgress: teller.progress });
    outside.stdout.write(command.isJson ? json(report) : textOf(command, report));
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const problem = databaseProblem(error);
    if (command.isJson) outside.stdout.write(json(problem));
    else outside.stderr.write(`stillpoint: ${problem.detail} ${problem.remedy}\n`);
    return stopCode ?? exitCodeOf(error);
  }
}

async function transfer(command: DatabaseCommand, options: TransferOptions): Promise<TransferReport> {
  const { name, target } = command;
  // Opening one makes it, which is what an import wants and an export does not.
  if (name === 'export' && 'dataDirectory' in target && !existsSync(join(target.dataDirectory, 'postgres')))
    throw nothingThere(target.dataDirectory);
  const database: Database<unknown> = await openDatabase(target);
  try {
    return name === 'export'
      ? await exportDatabase(database.pool, command.path, options)
      : await importDatabase(database.pool, command.path, options);
  } finally {
    await database.close();
  }
}

function nothingThere(dataDirectory: string): DatabaseError {
  const detail = `${dataDirectory} holds no embedded database.`;
  return new DatabaseError({ code: 'DATABASE_HOLDS_NOTHING', effect: 'none', retryable: false, detail });
}

function exitCodeOf({ fault }: DatabaseError): number {
  if (fault.code === 'DATABASE_UNREACHABLE') return EXIT.unreachable;
  return fault.retryable ? EXIT.failed : EXIT.refused;
}

/** As the API and the other commands tell one. */
type Problem = Omit<ReturnType<typeof problemOf>, 'errors'>;

function databaseProblem({ fault }: DatabaseError): Problem {
  const { code, detail } = fault;
  const { sentence: title, remedy } = databaseCatalogue[code];
  return { type: `urn:stillpoint:problem:${code}`, title, status: 0, code, detail, remedy };
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

function textOf({ name }: DatabaseCommand, { path, rows, tables, sizeBytes }: TransferReport): string {
  const size = `${rows} rows of ${tables.length} tables, ${sizeBytes} bytes`;
  return name === 'export'
    ? `Exported to ${path}: ${size}.\nIt does not hold the key that opens its passwords: keep secret.key (or STILLPOINT_SECRET_KEY) too, in another place.\n`
    : `Imported from ${path}: ${size}, read back and compared.\nThe next server on this database goes on with the work that was waiting.\n`;
}
