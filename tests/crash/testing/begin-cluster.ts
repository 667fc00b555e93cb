import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { vi } from 'vitest';
import type { ApplyDocumentInput } from '../../../packages/contract/src/index.ts';
import { openTestDatabase } from '../../../packages/database/src/testing/open-test-database.ts';
import {
  createDeviceCertificate,
  type DeviceDescriptionInput,
  type Fleet,
  startFleet,
} from '../../../packages/simulator/src/index.ts';
import { good } from './good.ts';
import { writeScripts } from './kinds-of-tasks.ts';
import { makeRoom, type Room } from './make-room.ts';
import {
  type LaunchedServer,
  launchServer,
  type ServerProcess,
  startServerProcess,
} from './start-server-process.ts';

/** What a cluster consists of. */
export type ClusterDescription = {
  readonly devices: readonly DeviceDescriptionInput[];
  readonly plans: NonNullable<ApplyDocumentInput['plans']>;
  readonly parameters?: NonNullable<ApplyDocumentInput['parameters']>;
  /** Where the rows are; a database of the run's own test server when it is left out. */
  readonly database?: ClusterDatabase;
};

/** A PostgreSQL that is no node's own, and a way for the test to look into it. */
export type ClusterDatabase = {
  readonly url: string;
  /** The folder of its Unix socket. */
  readonly socketFolder: string;
  readonly pool: Pool;
  close(): Promise<void>;
};

const DEADLINE_MS = 40_000;
const DAY_MS = 86_400_000;

/** A pretend fleet, a store, a database, and any number of nodes on them that a test starts, kills and freezes. */
export class Cluster implements AsyncDisposable {
  readonly room: Room;
  readonly fleet: Fleet;
  readonly database: ClusterDatabase;
  readonly #secretKey = randomBytes(32).toString('base64');
  readonly #launched = new Set<LaunchedServer>();

  constructor(room: Room, fleet: Fleet, database: ClusterDatabase) {
    this.room = room;
    this.fleet = fleet;
    this.database = database;
  }

  /** Starts a node and waits until it serves; one of the same name that has ended before goes on as itself. */
  async startNode(name: string, databaseUrl = this.database.url): Promise<ServerProcess> {
    const node = await startServerProcess(this.#placeOf(name, databaseUrl));
    this.#launched.add(node);
    return node;
  }

  /** The same without waiting. */
  launchNode(name: string): LaunchedServer {
    const node = launchServer(this.#placeOf(name, this.database.url));
    this.#launched.add(node);
    return node;
  }

  #placeOf(name: string, databaseUrl: string) {
    const environment = {
      DATABASE_URL: databaseUrl,
      STILLPOINT_SECRET_KEY: this.#secretKey,
      STILLPOINT_NODE_NAME: name,
      // Half of what a start costs is reading the program; it is written once and read at every start.
      NODE_COMPILE_CACHE: join(this.room.path, 'compiled'),
    };
    return { data: join(this.room.path, name), work: this.room.work, environment };
  }

  /** Rows of the database, as an onlooker. */
  async query<Row>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.database.pool.query(text, [...values])).rows as Row[];
  }

  /** Looks again and again until the look does not throw; what it says at last comes with what the nodes said. */
  async until<Value>(look: () => Value | Promise<Value>, timeoutMs = DEADLINE_MS): Promise<Value> {
    try {
      return await vi.waitFor(look, { timeout: timeoutMs, interval: 30 });
    } catch (error) {
      const said = [...this.#launched].slice(-2).map((node) => node.log().slice(-4000));
      throw new Error([error instanceof Error ? error.message : String(error), ...said].join('\n'));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.room.dispose();
    await this.fleet.stop();
    await this.database.close();
  }
}

/** Begins a cluster: the fleet listens, the first node has been told everything and has ended again. */
export async function beginCluster(description: ClusterDescription): Promise<Cluster> {
  const validity = { notBeforeAt: Date.now() - DAY_MS, notAfterAt: Date.now() + DAY_MS };
  // One certificate for all: to make one takes longer than all that is done with it.
  const certificate = await createDeviceCertificate('fleet', validity);
  const tls = Object.fromEntries(description.devices.map(({ name }) => [name, certificate]));
  const fleet = await startFleet({ devices: description.devices }, { tls });
  const room = makeRoom();
  const cluster = new Cluster(room, fleet, description.database ?? (await borrowDatabase()));
  try {
    const node = await cluster.startNode('a');
    good(await node.client.applyDocument({ body: documentFor(cluster, description), query: {} }));
    good(await node.client.initStore());
    await node.end('SIGTERM');
    return cluster;
  } catch (error) {
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

async function borrowDatabase(): Promise<ClusterDatabase> {
  const { pool, connectionOptions, close } = await openTestDatabase();
  const { host } = connectionOptions as { host: string };
  return { socketFolder: host, url: addressOf(connectionOptions as Login), pool, close };
}

type Login = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
};

/** The address of a database that listens in a folder of sockets. */
export function addressOf({ user, database, host, port }: Login): string {
  return `postgresql://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

function documentFor({ fleet, room }: Cluster, description: ClusterDescription): ApplyDocumentInput {
  return {
    parameters: {
      'store.path': room.store,
      'store.requireRemoteMount': false,
      'store.minFreePercent': 0,
      'quiesce.pollMs': 100,
      'quiesce.settleSeconds': 1,
      'devices.parallel': 100,
      timezone: 'UTC',
      'scripts.path': writeScripts(room),
      ...description.parameters,
    },
    devices: fleet.devices.map(({ name, host, port, certificateSha256 }) => ({
      name,
      host,
      somaPort: port,
      username: 'admin',
      password: 'admin-password',
      tls: { pin: certificateSha256 },
    })),
    plans: description.plans.map((plan) => ({ window: 'none', defaultErrorPolicy: 'ignore', ...plan })),
  };
}
