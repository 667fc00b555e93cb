import type {
  Backup,
  BackupQuery,
  File,
  Guard,
  Run,
  RunQuery,
  RunStatus,
  ScriptOutput,
  Task,
  TaskDetail,
  TaskQuery,
} from '@stillpoint/contract';
import type { KeptTaskSpec, Reason, RunSpec, TaskFact } from '@stillpoint/core';
import { PostgresJournal } from '@stillpoint/engine';
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Page } from '../app/application.ts';
import type { History } from '../app/ports.ts';
import { guardRows, guardShown } from './guard-rows.ts';
import { stepsOfTask } from './steps-of-task.ts';
import type { Tables } from './tables.ts';
import { tasksToRepeat } from './tasks-to-repeat.ts';

type Row<Name extends keyof Tables> = Selectable<Tables[Name]>;

/** What happened, read from the tables that the programs write. A cursor is the number of the last row of a page. */
export class StoredHistory implements History {
  readonly #db: Kysely<Tables>;
  /** The remedy of a code, or an empty text. */
  readonly #remedyOf: (code: string) => string;

  constructor(db: Kysely<Tables>, remedyOf: (code: string) => string) {
    this.#db = db;
    this.#remedyOf = remedyOf;
  }

  async runs({ plan, status, limit, cursor }: RunQuery): Promise<Page<Run> | null> {
    const below = cursor === undefined ? undefined : numberOf(cursor);
    if (below === null) return null;
    let query = this.#db
      .selectFrom('run')
      .selectAll()
      .orderBy('number', 'desc')
      .limit(limit + 1);
    if (plan !== undefined) query = query.where('plan_name', '=', plan);
    if (status !== undefined) query = query.where('status', '=', status);
    if (below !== undefined) query = query.where('number', '<', below);
    const rows = await query.execute();
    const shown = rows.slice(0, limit);
    const counters = await this.#counters(shown.map(({ id }) => id));
    const items = shown.map((row) => this.#run(row, counters.get(row.id)));
    return { items, nextCursor: rows.length > limit ? String(shown.at(-1)?.number) : null };
  }

  async run(id: string): Promise<Run | null> {
    if (!isUuid(id)) return null;
    const row = await this.#db.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return null;
    return this.#run(row, (await this.#counters([id])).get(id));
  }

  async runToRepeat(id: string): ReturnType<History['runToRepeat']> {
    if (!isUuid(id)) return null;
    const row = await this.#db
      .selectFrom('run')
      .select(['spec', 'ended_at'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return null;
    const spec = row.spec as RunSpec;
    return { spec, isOver: row.ended_at !== null, tasksToRepeat: (await tasksToRepeat(this.#db, id)).length };
  }

  async lastRuns(): ReturnType<History['lastRuns']> {
    // Plan by plan by its index: the runs are many.
    const rows = await this.#db
      .selectFrom('plan')
      .innerJoinLateral(
        (row) =>
          row
            .selectFrom('run')
            .select(['id', 'status', 'queued_at'])
            .whereRef('plan_name', '=', 'plan.name')
            .orderBy('number', 'desc')
            .limit(1)
            .as('last'),
        (join) => join.onTrue(),
      )
      .select(['plan.name as plan_name', 'last.id', 'last.status', 'last.queued_at'])
      .orderBy('plan.name')
      .execute();
    return new Map(
      rows.map((row) => [
        row.plan_name,
        { id: row.id, status: row.status as RunStatus, startedAt: row.queued_at.toISOString() },
      ]),
    );
  }

  async tasks(runId: string, { limit, cursor }: TaskQuery): Promise<Page<Task> | null> {
    const above = cursor === undefined ? 0 : numberOf(cursor);
    if (above === null) return null;
    const rows = await this.#db
      .selectFrom('task')
      .selectAll()
      .where('run_id', '=', runId)
      .where('number', '>', above)
      .orderBy('number')
      .limit(limit + 1)
      .execute();
    const shown = rows.slice(0, limit);
    const files = await this.#filesOfTasks(shown.map(({ id }) => id));
    const items = shown.map((row) => this.#task(row, files.get(row.id) ?? []));
    return { items, nextCursor: rows.length > limit ? String(shown.at(-1)?.number) : null };
  }

  async task(id: string): Promise<TaskDetail | null> {
    if (!isUuid(id)) return null;
    const row = await this.#db.selectFrom('task').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) return null;
    const files = await this.#filesOfTasks([id]);
    const journal = new PostgresJournal(this.#db as never);
    const facts: readonly unknown[] = await journal.factsAfter(null, id, 0);
    return {
      ...this.#task(row, files.get(id) ?? []),
      steps: stepsOfTask(facts as TaskFact[]),
      scripts: await this.runScripts(id),
    };
  }

  async runScripts(subjectId: string): Promise<ScriptOutput[]> {
    const rows = await this.#db
      .selectFrom('script_output')
      .select(['phase', 'script', 'exit_code', 'output', 'ended_at'])
      .where('subject_id', '=', subjectId)
      .orderBy('phase', 'desc')
      .execute();
    return rows.map(({ phase, script, exit_code, output, ended_at }) => ({
      phase,
      script,
      exitCode: exit_code,
      output,
      endedAt: ended_at.toISOString(),
    }));
  }

  async backups({ device, domain, limit, cursor }: BackupQuery): Promise<Page<Backup> | null> {
    const from = cursor === undefined ? undefined : placeOf(cursor);
    if (from === null) return null;
    let query = this.#db
      .selectFrom('backup')
      .selectAll()
      .orderBy('taken_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit + 1);
    if (device !== undefined) query = query.where('device', '=', device);
    if (domain !== undefined) query = query.where('domain', '=', domain);
    if (from !== undefined) query = query.where(sql<boolean>`(taken_at, id) < (${from.takenAt}, ${from.id})`);
    const rows = await query.execute();
    const shown = rows.slice(0, limit);
    const files = await this.#filesOfBackups(shown.map(({ id }) => id));
    const last = shown.at(-1);
    const nextCursor =
      rows.length > limit && last !== undefined ? `${last.taken_at.getTime()}_${last.id}` : null;
    return { items: shown.map((row) => backupShown(row, files.get(row.id) ?? [])), nextCursor };
  }

  async guards(): Promise<Guard[]> {
    const rows = await guardRows(this.#db).where('released_at', 'is', null).orderBy('intended_at').execute();
    return rows.map(guardShown);
  }

  async guard(id: string): ReturnType<History['guard']> {
    const number = numberOf(id);
    if (number === null) return null;
    const row = await guardRows(this.#db).where('device_guard.id', '=', number).executeTakeFirst();
    return row === undefined ? null : { guard: guardShown(row), isReleased: row.released_at !== null };
  }

  #run(row: Row<'run'>, counters: Run['counters'] = noTasks): Run {
    return {
      id: row.id,
      plan: row.plan_name,
      trigger: (row.spec as RunSpec).trigger,
      status: row.status as RunStatus,
      reasonCode: row.reason?.code ?? null,
      sentence: this.#sentence(row.reason),
      startedAt: row.queued_at.toISOString(),
      endedAt: row.ended_at?.toISOString() ?? null,
      windowOverrideReason: (row.spec as RunSpec).windowOverrideReason,
      repeatsRunId: (row.spec as RunSpec).repeatsRunId ?? null,
      counters,
      warnings: row.warnings.map(({ detail }) => detail),
    };
  }

  #task(row: Row<'task'>, files: File[]): Task {
    return {
      id: row.id,
      runId: row.run_id,
      action: row.action,
      device: row.device,
      domain: row.domain,
      status: row.status,
      reasonCode: row.reason?.code ?? null,
      sentence: this.#sentence(row.reason),
      attempt: row.attempt,
      attempts: 1 + ((row.spec as KeptTaskSpec).retry?.attempts ?? 0),
      nextAttemptAt: row.tried_again_at?.toISOString() ?? null,
      files,
      createdAt: row.queued_at.toISOString(),
      startedAt: row.started_at?.toISOString() ?? null,
      endedAt: row.ended_at?.toISOString() ?? null,
      warnings: row.warnings.map(({ detail }) => detail),
    };
  }

  #sentence(reason: Reason | null): string | null {
    return reason === null ? null : `${reason.detail} ${this.#remedyOf(reason.code)}`.trim();
  }

  /** Devices and domains count what was to be backed up, whatever the outcome; patterns that matched nothing do not. */
  async #counters(runIds: readonly string[]): Promise<Map<string, Run['counters']>> {
    if (runIds.length === 0) return new Map();
    const status = (name: string) => sql<number>`count(*) filter (where status = ${name})`;
    const rows = await this.#db
      .selectFrom('task')
      .select([
        'run_id',
        status('WAITING').as('waiting'),
        status('RUNNING').as('running'),
        status('SUCCEEDED').as('succeeded'),
        status('FAILED').as('failed'),
        status('SKIPPED').as('skipped'),
        status('CANCELLED').as('cancelled'),
        sql<number>`count(distinct device) filter (where not ${matchedNothing})`.as('devices'),
        sql<number>`count(distinct (device, domain)) filter (where action = 'EXPORT_DOMAIN' and not (spec->>'isAllDomains')::boolean and not ${matchedNothing})`.as(
          'domains',
        ),
      ])
      .where('run_id', 'in', runIds)
      .groupBy('run_id')
      .execute();
    return new Map(rows.map(({ run_id, ...counters }) => [run_id, counters]));
  }

  async #filesOfTasks(taskIds: readonly string[]): Promise<Map<string, File[]>> {
    if (taskIds.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('backup_file')
      .innerJoin('backup', 'backup.id', 'backup_file.backup_id')
      .select(['task_id as owner', 'path', 'size_bytes', 'sha256'])
      .where('task_id', 'in', taskIds)
      .orderBy('path')
      .execute();
    return grouped(rows);
  }

  async #filesOfBackups(backupIds: readonly string[]): Promise<Map<string, File[]>> {
    if (backupIds.length === 0) return new Map();
    const rows = await this.#db
      .selectFrom('backup_file')
      .select(['backup_id as owner', 'path', 'size_bytes', 'sha256'])
      .where('backup_id', 'in', backupIds)
      .orderBy('path')
      .execute();
    return grouped(rows);
  }
}

const noTasks: Run['counters'] = {
  devices: 0,
  domains: 0,
  waiting: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

const matchedNothing = sql`coalesce(reason->>'code' like 'SKIPPED_NO_%', false)`;

function grouped(
  rows: readonly { owner: string; path: string; size_bytes: number; sha256: string }[],
): Map<string, File[]> {
  const files = new Map<string, File[]>();
  for (const { owner, path, size_bytes, sha256 } of rows) {
    files.set(owner, [...(files.get(owner) ?? []), { path, sizeBytes: size_bytes, sha256 }]);
  }
  return files;
}

function backupShown(row: Row<'backup'>, files: File[]): Backup {
  return {
    id: row.id,
    device: row.device,
    domain: row.domain,
    action: row.action,
    isPersisted: row.is_persisted,
    state: row.state,
    files,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    takenAt: row.taken_at.toISOString(),
    plan: row.plan_name,
    runId: row.run_id,
    taskId: row.task_id,
    serial: row.serial_number,
    model: row.model,
    firmwareVersion: row.firmware_version,
    firmwareBuild: row.firmware_build,
  };
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** Null for a cursor that is not one of ours. */
const numberOf = (cursor: string): number | null => (/^\d{1,15}$/.test(cursor) ? Number(cursor) : null);

function placeOf(cursor: string): { takenAt: Date; id: string } | null {
  const [time = '', id = '', ...rest] = cursor.split('_');
  const isOurs = /^\d{1,15}$/.test(time) && isUuid(id) && rest.length === 0;
  return isOurs ? { takenAt: new Date(Number(time)), id } : null;
}
