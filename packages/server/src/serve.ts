import { once } from 'node:events';
import { flushCompileCache } from 'node:module';
import { DatabaseError, databaseCatalogue } from '@stillpoint/database';
import { pino } from 'pino';
import type { ServeOptions } from './read-serve-options.ts';
import { type RunningServer, startServer } from './start-server.ts';

/** Exit codes as the command has them. */
const EXIT = { ok: 0, refused: 4 } as const;
const UNDO_MS = 60_000;

/** Serves the API until `stop` aborts, which it may do at any time; answers the exit code. */
export async function serve(
  options: ServeOptions,
  codeCache: string | null,
  stop: AbortSignal,
): Promise<number> {
  const { data, host, port, level, nodeName } = options;
  const logger = pino({ level, redact: ['*.password', '*.token'] }, pino.destination(2));
  let server: RunningServer;
  try {
    server = await startServer({
      dataDirectory: data,
      databaseUrl: process.env.DATABASE_URL ?? null,
      host,
      port,
      logger,
      environment: process.env,
      nodeName,
      codeCache,
      signal: stop,
    });
  } catch (error) {
    if (stop.aborted && error === stop.reason) return EXIT.ok;
    process.stderr.write(`${sentenceOf(error, host, port)}\n`);
    return EXIT.refused;
  }
  process.stdout.write(`Stillpoint serves at ${server.url}, data in ${data}\n`);
  // Now, for a server that is killed keeps nothing at its end.
  flushCompileCache();
  const toldToStop = stop.aborted ? Promise.resolve() : once(stop, 'abort').then(() => undefined);
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

function sentenceOf(error: unknown, host: string, port: number): string {
  if (error instanceof DatabaseError) {
    return `${error.fault.detail} ${databaseCatalogue[error.fault.code].remedy}`;
  }
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return `${host}:${port} is in use by another program. Choose another port with --port.`;
  }
  return error instanceof Error ? error.message : String(error);
}
