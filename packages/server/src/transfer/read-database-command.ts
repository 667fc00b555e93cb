import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DatabaseTarget } from '@stillpoint/database';

/** What is to be done with which database and which file. */
export type DatabaseCommand = {
  readonly name: 'export' | 'import';
  readonly path: string;
  readonly target: DatabaseTarget;
  readonly isJson: boolean;
};

type Read =
  | { readonly kind: 'command'; readonly command: DatabaseCommand }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly problem: string; readonly usage: string; readonly isJson: boolean };

const OPTIONS = `  --data DIRECTORY          the embedded database of this data directory
                            (STILLPOINT_DATA, or ~/.local/share/stillpoint); its server must be stopped
  --database-url-file FILE  the PostgreSQL (15 or later) whose address is in FILE; without either option the one
                            of DATABASE_URL, where that is set
  --json                    print the result, or what is wrong, as JSON
`;

const USAGE = {
  export: `Usage: stillpoint database export FILE|DIRECTORY [--data DIRECTORY | --database-url-file FILE] [--json]

Writes the whole database, as it is at one moment, to one file that only its owner may read. Servers on a PostgreSQL
that is not embedded may go on meanwhile. The file holds the passwords of the devices, sealed; it never holds the key
that opens them: keep secret.key (or STILLPOINT_SECRET_KEY) too, in another place. What is in the store is not part
of it.

${OPTIONS}`,
  import: `Usage: stillpoint database import FILE [--data DIRECTORY | --database-url-file FILE] [--json]

Fills an empty database from an export: all of it, read back and compared, or nothing. Stop the servers of the
database that was exported before you start one on this: both would work on the same devices. The server needs the
same secret.key (or STILLPOINT_SECRET_KEY) as before; the export does not hold it.

${OPTIONS}`,
} as const;

const EITHER = `${USAGE.export}\n${USAGE.import}`;

/** Reads a command line that begins with `export` or `import`; secrets come from files and the environment only. */
export function readDatabaseCommand(args: readonly string[], environment: NodeJS.ProcessEnv): Read {
  const [name, ...rest] = args;
  const isJson = args.includes('--json');
  if (name === '--help' || name === '-h') return { kind: 'help', text: EITHER };
  if (name !== 'export' && name !== 'import')
    return { kind: 'usage', problem: `"${name ?? ''}" is neither export nor import.`, usage: EITHER, isJson };
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        'database-url-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return { kind: 'help', text: USAGE[name] };
    const [path, second] = positionals;
    if (path === undefined || second !== undefined)
      throw new Error(`Name one file${name === 'export' ? ' or folder' : ''}.`);
    const target = targetOf(values.data, values['database-url-file'], environment);
    return { kind: 'command', command: { name, path: resolve(path), target, isJson } };
  } catch (error) {
    return { kind: 'usage', problem: (error as Error).message, usage: USAGE[name], isJson };
  }
}

/** What was named on the command line counts before what the environment says. */
function targetOf(
  data: string | undefined,
  urlFile: string | undefined,
  environment: NodeJS.ProcessEnv,
): DatabaseTarget {
  if (data !== undefined && urlFile !== undefined)
    throw new Error('--data and --database-url-file name two databases; give one of them.');
  if (urlFile !== undefined) return { url: readUrl(urlFile) };
  if (data === undefined && environment.DATABASE_URL) return { url: environment.DATABASE_URL };
  const share = environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  return { dataDirectory: resolve(data ?? environment.STILLPOINT_DATA ?? join(share, 'stillpoint')) };
}

function readUrl(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error });
  }
}
