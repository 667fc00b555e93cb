import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DatabaseError, databaseCatalogue } from '@stillpoint/database';
import { pino } from 'pino';
import { type RunningServer, startServer } from './start-server.ts';

const USAGE = `Usage: stillpoint serve [--data DIRECTORY] [--host ADDRESS] [--port PORT] [--node-name NAME]
                        [--log-level LEVEL]

Serves the API until it is told to stop (SIGINT, SIGTERM).

  --data DIRECTORY   where the server keeps its own files
                     (STILLPOINT_DATA, or ~/.local/share/stillpoint)
  --host ADDRESS     address to listen on (127.0.0.1)
  --port PORT        port to listen on (7420); 0 for any
  --node-name NAME   what "node list" calls this server
                     (STILLPOINT_NODE_NAME, or the name of the host)
  --log-level LEVEL  trace, debug, info, warn, error or silent (info)

An external PostgreSQL (15 or later) is used when DATABASE_URL is set. Several servers may share it: each on a data
directory of its own, all with the same STILLPOINT_SECRET_KEY.

A server that is told to stop ends what goes on at once, as INTERRUPTED, and undoes it. To stop one without that,
"stillpoint node drain NAME" first, and wait until "stillpoint node list" shows no task there.
`;

/** Exit codes as the command has them. */
const EXIT = { ok: 0, failed: 1, usage: 2, refused: 4 } as const;
const UNDO_MS = 60_000;
/** Letters, digits, `.`, `_` and `-`, as hosts have them. */
const NODE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const LEVELS: ReadonlySet<string> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'silent']);

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === 'number') return options;
  const { data, host, port, level, nodeName } = options;
  const logger = pino({ level, redact: ['*.password', '*.token'] }, pino.destination(2));
  let server: RunningServer;
  try {
    server = await startServer({
      dataDirectory: resolve(data),
      databaseUrl: process.env.DATABASE_URL ?? null,
      host,
      port,
      logger,
      environment: process.env,
      nodeName,
    });
  } catch (error) {
    process.stderr.write(`${sentenceOf(error, host, port)}\n`);
    return EXIT.refused;
  }
  // Before the line that lets anybody know whom to stop.
  const toldToStop = askedToStop();
  process.stdout.write(`Stillpoint serves at ${server.url}, data in ${resolve(data)}\n`);
  const failure = await Promise.race([toldToStop, server.failed]);
  if (failure !== undefined) {
    process.stderr.write(`${failure}\n`);
    await server.stop(0);
    return EXIT.refused;
  }
  logger.info('stopping: no new task starts, going ones undo what they did');
  await server.stop(UNDO_MS);
  return EXIT.ok;
}

type Options = {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly level: string;
  readonly nodeName: string | null;
};

/** The options, or the exit code of a call that wants none. */
function readOptions(): Options | number {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: 'string' },
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '7420' },
        'node-name': { type: 'string' },
        'log-level': { type: 'string', default: 'info' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) {
      process.stdout.write(USAGE);
      return EXIT.ok;
    }
    if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
      throw new Error(`"${values.port}" is not a port.`);
    if (!LEVELS.has(values['log-level'])) throw new Error(`"${values['log-level']}" is not a log level.`);
    const nodeName = values['node-name'] ?? process.env.STILLPOINT_NODE_NAME ?? null;
    if (nodeName !== null && !NODE_NAME.test(nodeName))
      throw new Error(`"${nodeName}" is not a name of a node.`);
    const share = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
    const data = values.data ?? process.env.STILLPOINT_DATA ?? join(share, 'stillpoint');
    return { data, host: values.host, port: Number(values.port), level: values['log-level'], nodeName };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return EXIT.usage;
  }
}

function sentenceOf(error: unknown, host: string, port: number): string {
  if (error instanceof DatabaseError) {
    return `${error.fault.detail} ${databaseCatalogue[error.fault.code].remedy}`;
  }
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return `${host}:${port} is in use by another program. Choose another port with --port.`;
  }
  return error instanceof Error ? error.message : String(error);
}

function askedToStop(): Promise<void> {
  return new Promise((resolveAsked) => {
    process.once('SIGINT', resolveAsked);
    process.once('SIGTERM', resolveAsked);
  });
}

process.exitCode = await main();
