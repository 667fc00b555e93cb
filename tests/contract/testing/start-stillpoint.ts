import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import {
  type ApplyDocumentInput,
  type Backup,
  type Client,
  createClient,
  type Guard,
  type ParameterValue,
  type Run,
  type RunRequest,
  type TaskDetail,
} from '../../../packages/contract/src/index.ts';
import type { Database } from '../../../packages/database/src/index.ts';
import { openTestDatabase } from '../../../packages/database/src/testing/open-test-database.ts';
import { startServer } from '../../../packages/server/src/index.ts';
import { type DeviceDescriptionInput, startFleet } from '../../../packages/simulator/src/index.ts';
import { PretendFleet } from './pretend-fleet.ts';
import { RecordingLogger } from './recording-logger.ts';
import { ScriptsFolder } from './scripts-folder.ts';
import { StoreFolder } from './store-folder.ts';
import { until } from './until.ts';
import { takeWallClock, type WallClock } from './wall-clock.ts';

/** A plan as a test writes it; its window is open and its name is unique unless it says something else. */
export type PlanInput = Partial<NonNullable<ApplyDocumentInput['plans']>[number]>;

/** A run that has ended, with its tasks in creation order. */
export type Outcome = {
  readonly run: Run;
  readonly tasks: readonly TaskDetail[];
  /** One line per task: device, domain, state and reason code. */
  readonly lines: readonly string[];
};

const everyParameter = {
  'store.requireRemoteMount': false,
  'store.minFreePercent': 0,
  'quiesce.timeoutSeconds': 60,
  'quiesce.settleSeconds': 1,
  'quiesce.pollMs': 100,
  timezone: 'UTC',
};
/**
 * More than the pause between two renewals, and less than a third of what a node may go without one: the next leap may
 * come while the renewal after the last one is still under way.
 */
const LONGEST_LEAP_MS = 2_100;
const finalStates = ['SUCCEEDED', 'PARTIAL', 'FAILED', 'SKIPPED', 'CANCELLED'];

/**
 * Starts a whole server in this process, on a database and a store of its own and with a clock that can be moved
 * on. `finish` stops it, and throws when something is left undone or the server met a mistake of its own.
 */
export async function startStillpoint(): Promise<Stillpoint> {
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-contract-'));
  const clock = takeWallClock();
  const closers = [async () => rmSync(folder, { recursive: true, force: true }), async () => clock.restore()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const database = await openTestDatabase();
    closers.push(() => database.close());
    const { host, port, user, database: name } = database.connectionOptions as Record<string, string>;
    const logger = new RecordingLogger();
    const dataDirectory = join(folder, 'data');
    const server = await startServer({
      dataDirectory,
      databaseUrl: `postgresql://${user}@/${name}?host=${encodeURIComponent(host ?? '')}&port=${port}`,
      host: '127.0.0.1',
      port: 0,
      logger: logger.asLogger(),
      environment: {},
    });
    closers.push(() => server.stop(10_000));
    const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim();
    const client = createClient({ url: server.url, token });
    const stillpoint = new Stillpoint(client, folder, clock, database.pool, async () => {
      await close();
      expect(logger.errors).toEqual([]);
    });
    await stillpoint.apply({ parameters: { ...everyParameter, 'store.path': stillpoint.store.root } });
    demandValue(await client.initStore());
    return stillpoint;
  } catch (error) {
    await close();
    throw error;
  }
}

/** A server under test: what an operator can do, and what can be seen from outside. */
export class Stillpoint {
  readonly client: Client;
  /** An empty folder for whatever else a test needs. */
  readonly folder: string;
  readonly clock: WallClock;
  readonly store: StoreFolder;
  readonly scripts: ScriptsFolder;
  readonly #data: string;
  readonly #dispose: () => Promise<void>;
  readonly #pool: Database<unknown>['pool'];
  #plansMade = 0;

  constructor(
    client: Client,
    folder: string,
    clock: WallClock,
    pool: Database<unknown>['pool'],
    dispose: () => Promise<void>,
  ) {
    this.client = client;
    this.folder = join(folder, 'extra');
    this.clock = clock;
    this.store = new StoreFolder(join(folder, 'store'));
    this.#data = join(folder, 'data');
    this.scripts = new ScriptsFolder(join(this.#data, 'scripts'));
    this.#dispose = dispose;
    this.#pool = pool;
    for (const path of [this.folder, this.store.root]) mkdirSync(path);
  }

  /** To be called at the end of every test file: looks for order and ends the server. */
  async finish(): Promise<void> {
    try {
      await this.expectOrder();
    } finally {
      await this.#dispose();
    }
  }

  /** Starts a fleet for the test that calls it and makes its devices known; the names must be new to the server. */
  async connectFleet(devices: readonly DeviceDescriptionInput[]): Promise<PretendFleet> {
    const defaults = { quiesce: { quiesceMs: 50, unquiesceMs: 50 } };
    const notBeforeAt = Date.parse('2020-01-01');
    const certificateValidity = { notBeforeAt, notAfterAt: Date.parse('2120-01-01') };
    const fleet = await startFleet({ defaults, devices }, { certificateValidity });
    onTestFinished(() => fleet.stop());
    const definitions = fleet.devices.map(({ name, host, port, certificateSha256 }) => ({
      name,
      host,
      somaPort: port,
      username: 'admin',
      password: devices.find((device) => device.name === name)?.password ?? 'admin-password',
      tls: { pin: certificateSha256 },
    }));
    await this.apply({ devices: definitions });
    return new PretendFleet(fleet);
  }

  async apply(document: ApplyDocumentInput): Promise<void> {
    demandValue(await this.client.applyDocument({ body: document }));
  }

  /** Lets time pass in leaps after each of which the server shows that it lives, as one does that was there all the time. */
  async letPass(ms: number): Promise<void> {
    const beat = async (): Promise<unknown> => (await this.query('select heartbeat_at from node'))[0];
    const endsAt = this.clock.elapsed() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = endsAt - this.clock.elapsed()) {
      const before = JSON.stringify(await beat());
      this.clock.skip(Math.min(leftMs, LONGEST_LEAP_MS));
      if (leftMs > LONGEST_LEAP_MS) await until(beat, (after) => JSON.stringify(after) !== before);
    }
  }

  /** Sets parameters for the test that calls it; what they were before comes back when it has ended. */
  async setParameters(values: Record<string, ParameterValue>): Promise<void> {
    await this.#restoreParametersLater(Object.keys(values));
    await this.apply({ parameters: values });
  }

  /** Writes a parameter past all checks, as an older version or a human with a database client might have left it. */
  async forceParameter(name: string, value: unknown): Promise<void> {
    await this.#restoreParametersLater([name]);
    await this.query(
      'insert into parameter (name, value) values ($1, $2) on conflict (name) do update set value = $2',
      [name, JSON.stringify(value)],
    );
  }

  async #restoreParametersLater(names: readonly string[]): Promise<void> {
    const rows = await this.query('select name, value from parameter where name = any($1)', [names]);
    onTestFinished(async () => {
      await this.query('delete from parameter where name = any($1)', [names]);
      for (const { name, value } of rows as { name: string; value: unknown }[]) {
        await this.query('insert into parameter (name, value) values ($1, $2)', [
          name,
          JSON.stringify(value),
        ]);
      }
    });
  }

  /** With which the passwords of devices are sealed, in base64. */
  secretKey(): string {
    return readFileSync(join(this.#data, 'secret.key'), 'utf8').trim();
  }

  async query(text: string, values: unknown[] = []): Promise<unknown[]> {
    return (await this.#pool.query(text, values)).rows;
  }

  /** Keeps a table from everybody else, so that whoever reads it waits; answers how to give it back. */
  async holdTable(name: string): Promise<() => Promise<void>> {
    const connection = await this.#pool.connect();
    await connection.query(`begin; lock table ${name} in access exclusive mode`);
    return async () => {
      await connection.query('rollback');
      connection.release();
    };
  }

  /** Makes a plan known and answers its name. */
  async definePlan(plan: PlanInput): Promise<string> {
    this.#plansMade += 1;
    const definition = { name: `plan-${this.#plansMade}`, window: 'none' as const, ...plan };
    await this.apply({ plans: [definition] });
    return definition.name;
  }

  /** Puts a run of a plan into the queue. */
  async queueRun(name: string, request: RunRequest = {}): Promise<Run> {
    return demandValue(await this.client.runPlan({ params: { name }, body: request }));
  }

  /** Makes the plan known and puts a run of it into the queue. */
  async startRun(plan: PlanInput, request: RunRequest = {}): Promise<Run> {
    return this.queueRun(await this.definePlan(plan), request);
  }

  /** Waits for the end of a run. */
  async endOf({ id }: Pick<Run, 'id'>): Promise<Outcome> {
    const run = await until(
      async () => demandValue(await this.client.getRun({ params: { id } })),
      ({ status }) => finalStates.includes(status),
    ).catch(async (error: unknown) => {
      const text =
        'select body from journal_fact where subject_id in (select id from task where run_id = $1 union select $1) order by subject_id, seq';
      const facts = await this.query(text, [id]);
      throw new Error(`the run ${id} did not end; the journal: ${JSON.stringify(facts).slice(-20_000)}`, {
        cause: error,
      });
    });
    const tasks = await this.tasksOf({ id });
    const lines = tasks.map(({ device, domain, status, reasonCode }) =>
      [domain === null ? device : `${device}/${domain}`, status, reasonCode ?? []].flat().join(' '),
    );
    return { run, tasks, lines };
  }

  /** Makes the plan known, runs it and waits for its end. */
  async runPlan(plan: PlanInput, request: RunRequest = {}): Promise<Outcome> {
    return this.endOf(await this.startRun(plan, request));
  }

  /** The tasks of a run as they are now, in creation order. */
  async tasksOf({ id }: Pick<Run, 'id'>): Promise<TaskDetail[]> {
    const { items } = demandValue(await this.client.listTasks({ params: { id }, query: { limit: 1000 } }));
    return Promise.all(
      items.map(async (task) => demandValue(await this.client.getTask({ params: { id: task.id } }))),
    );
  }

  /** The run once it is in a state. */
  async runIn({ id }: Pick<Run, 'id'>, status: Run['status']): Promise<Run> {
    return until(
      async () => demandValue(await this.client.getRun({ params: { id } })),
      (run) => run.status === status,
    );
  }

  /** The task of a run on a domain, once it is in a state. */
  async taskIn(
    run: Pick<Run, 'id'>,
    domain: string | null,
    status: TaskDetail['status'],
  ): Promise<TaskDetail> {
    const find = async (): Promise<TaskDetail | undefined> =>
      (await this.tasksOf(run)).find((task) => task.domain === domain);
    const task = await until(find, (found) => found?.status === status);
    if (task === undefined) throw new Error('until answered what it was told not to');
    return task;
  }

  /** Waits until a task of a run has recorded a step with an outcome. */
  async stepOf(
    run: Pick<Run, 'id'>,
    name: string,
    outcome: TaskDetail['steps'][number]['outcome'],
  ): Promise<void> {
    await until(
      () => this.tasksOf(run),
      (tasks) =>
        tasks.some(({ steps }) => steps.some((step) => step.name === name && step.outcome === outcome)),
    );
  }

  /** Changes one value of what the journal says a waiting task is to do, such as a limit that was taken when it was queued. */
  async amendTask({ id }: Pick<TaskDetail, 'id'>, path: string, value: unknown): Promise<void> {
    const keys = path.split('.');
    const text =
      'update journal_subject set spec = jsonb_set(spec, $2, $3) where id = $1 and token = 0 returning id';
    expect(await this.query(text, [id, keys, JSON.stringify(value)])).toHaveLength(1);
  }

  async guards(): Promise<Guard[]> {
    return demandValue(await this.client.listGuards()).items;
  }

  async backups(device: string): Promise<Backup[]> {
    return demandValue(await this.client.listBackups({ query: { device } })).items;
  }

  /**
   * To be called when no run is going on: nothing half-done is left anywhere, and the disk, the manifests and the
   * catalogue tell of the same files with the same content.
   */
  async expectOrder(): Promise<void> {
    expect(this.store.leftovers()).toEqual([]);
    expect(await this.query('select * from journal_subject where not is_ended')).toEqual([]);
    const backups = demandValue(await this.client.listBackups({ query: { limit: 1000 } })).items;
    const catalogued = backups.flatMap(({ files }) => files).map(({ path, sha256 }) => `${path} ${sha256}`);
    const onDisk = this.store.files().map((path) => `${path} ${this.store.sha256(path)}`);
    expect(onDisk).toEqual(catalogued.sort());
    expect(this.store.manifests()).toEqual([...new Set(backups.map(({ taskId }) => taskId))].sort());
  }
}

function demandValue<Value>(
  answer: { ok: true; value: Value } | { ok: false; problem: { detail: string } },
): Value {
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.value;
}
