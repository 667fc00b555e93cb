import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Client, createClient, type Node } from '../../../packages/contract/src/index.ts';
import { startServer } from '../../../packages/server/src/index.ts';
import { RecordingLogger } from './recording-logger.ts';
import type { Stillpoint } from './start-stillpoint.ts';

/** A further server on the database of one that runs, with a data directory of its own. */
export type AnotherNode = {
  readonly name: string;
  readonly client: Client;
  /** Stops it as SIGTERM does, and throws when it met a mistake of its own. */
  stop(): Promise<void>;
};

const UNDO_MS = 10_000;

/** Starts it; its folder must be new, or that of a node that has stopped. */
export async function startAnotherNode(
  stillpoint: Stillpoint,
  name: string,
  folder = name,
): Promise<AnotherNode> {
  const [database] = (await stillpoint.query(
    `select current_database() as name, current_user as user, current_setting('port') as port,
       trim(both '"' from current_setting('unix_socket_directories')) as folder`,
  )) as { name: string; user: string; port: string; folder: string }[];
  if (database === undefined) throw new Error('the database does not know its name');
  const logger = new RecordingLogger();
  const dataDirectory = join(stillpoint.folder, folder);
  const host = encodeURIComponent(database.folder);
  const server = await startServer({
    dataDirectory,
    databaseUrl: `postgresql://${database.user}@/${database.name}?host=${host}&port=${database.port}`,
    host: '127.0.0.1',
    port: 0,
    logger: logger.asLogger(),
    environment: { STILLPOINT_SECRET_KEY: stillpoint.secretKey() },
    nodeName: name,
  });
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
  return {
    name,
    client: createClient({ url: server.url, token }),
    async stop() {
      await server.stop(UNDO_MS);
      expect(logger.errors).toEqual([]);
    },
  };
}

/** The nodes as one of them tells. */
export async function nodesOf(client: Client): Promise<Node[]> {
  const answer = await client.listNodes();
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.value.items;
}
