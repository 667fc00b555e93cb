import type { LeftOutFires } from '@stillpoint/contract';
import { MOST_FIRES_COUNTED } from '@stillpoint/core';
import { type Kysely, sql } from 'kysely';
import type { BackupPlace, EarlierBackup, PlanHistory } from '../app/plan-history.ts';
import type { Tables } from './tables.ts';

const LEFT_OUT_SHOWN = 5;

/** What has been of plans, read from the tables that the programs write. */
export class StoredPlanHistory implements PlanHistory {
  readonly #db: Kysely<Tables>;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async leftOutFires(): Promise<ReadonlyMap<string, LeftOutFires[]>> {
    const { rows } = await sql<LeftOutRow>`
      select fire.plan_name, fire.reason, fire.fires, fire.first_at, fire.last_at, fire.noticed_at, fire.run_id
      from plan
      cross join lateral (
        select * from left_out_fire
        where plan_name = plan.name
        order by noticed_at desc, id desc
        limit ${LEFT_OUT_SHOWN}
      ) as fire
    `.execute(this.#db);
    const byPlan = Map.groupBy(rows, (row) => row.plan_name);
    return new Map([...byPlan].map(([plan, own]) => [plan, own.map(leftOutShown)]));
  }

  /** The place of each backup is looked up by its index; `=` finds none for a domain that is null. */
  async earlierBackups(places: readonly BackupPlace[]): Promise<readonly (EarlierBackup | null)[]> {
    const found: (EarlierBackup | null)[] = Array.from({ length: places.length }, () => null);
    if (places.length === 0) return found;
    const { rows } = await sql<{ position: number; bytes: number; milliseconds: number | null }>`
      select wanted.position::int4 as position, size.bytes, time.milliseconds
      from unnest(
        ${places.map(({ action }) => action)}::text[],
        ${places.map(({ device }) => device)}::text[],
        ${places.map(({ domain }) => domain)}::text[]
      ) with ordinality as wanted(action, device, domain, position)
      cross join lateral (
        (
          select task_id from backup
          where device = wanted.device and domain = wanted.domain and action = wanted.action and state = 'good'
          order by taken_at desc limit 1
        )
        union all
        (
          select task_id from backup
          where device = wanted.device and wanted.domain is null and domain is null and action = wanted.action
            and state = 'good'
          order by taken_at desc limit 1
        )
      ) as last
      cross join lateral (
        select sum(size_bytes)::float8 as bytes
        from backup join backup_file on backup_id = backup.id
        where backup.task_id = last.task_id and backup.state = 'good'
      ) as size
      left join lateral (
        select 1000 * extract(epoch from ended_at - started_at)::float8 as milliseconds
        from task where task.id = last.task_id
      ) as time on true
    `.execute(this.#db);
    for (const { position, bytes, milliseconds } of rows)
      found[position - 1] = { sizeBytes: bytes, durationMs: milliseconds };
    return found;
  }

  async lastDurationsMs(): Promise<ReadonlyMap<string, number>> {
    const { rows } = await sql<{ plan_name: string; milliseconds: number }>`
      select plan.name as plan_name, last.milliseconds
      from plan
      cross join lateral (
        select 1000 * extract(epoch from ended_at - queued_at)::float8 as milliseconds
        from run
        where plan_name = plan.name and status in ('SUCCEEDED', 'PARTIAL')
        order by number desc limit 1
      ) as last
    `.execute(this.#db);
    return new Map(rows.map((row) => [row.plan_name, row.milliseconds]));
  }
}

type LeftOutRow = {
  plan_name: string;
  reason: LeftOutFires['reason'];
  fires: number;
  first_at: Date;
  last_at: Date;
  noticed_at: Date;
  run_id: string | null;
};

function leftOutShown({ reason, fires, first_at, last_at, noticed_at, run_id }: LeftOutRow): LeftOutFires {
  const [firstAt, lastAt, noticedAt] = [first_at, last_at, noticed_at].map((at) => at.toISOString()) as [
    string,
    string,
    string,
  ];
  const many =
    reason === 'MISSED' && fires >= MOST_FIRES_COUNTED ? `${fires} fires or more` : `${fires} fires`;
  const which = fires === 1 ? `The fire of ${firstAt}` : `${many} from ${firstAt} to ${lastAt}`;
  const verb = fires === 1 ? 'was' : 'were';
  const why =
    reason === 'OVERLAP'
      ? `${verb} left out because run ${run_id ?? ''} of the plan had not ended.`
      : run_id === null
        ? `${verb} missed and left out: no server was there in time, which was noticed at ${noticedAt}.`
        : `${verb} missed; run ${run_id} made up for it at ${noticedAt}.`;
  return { reason, fires, firstAt, lastAt, noticedAt, runId: run_id, sentence: `${which} ${why}` };
}
