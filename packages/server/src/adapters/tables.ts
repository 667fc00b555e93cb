import type { Channel, KeptPlan, LeftOutFires, Reason, TaskVerdict } from '@stillpoint/core';
import type { EngineTables } from '@stillpoint/engine';
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { NoticeContent } from '../app/notifier.ts';

/** JSON that is read as a value and written as text. */
type Json<T> = ColumnType<T, string, string>;
type Instant = ColumnType<Date, Date, Date>;

/** The tables of the database, as the migrations make them. */
export type Tables = EngineTables & {
  readonly parameter: { name: string; value: Json<unknown> };
  readonly sealed_parameter: { name: string; sealed_value: Buffer };
  readonly device: {
    id: string;
    name: string;
    host: string;
    soma_port: number;
    rest_port: number | null;
    username: string;
    sealed_password: Buffer;
    tls: JSONColumnType<TlsColumn>;
    tags: JSONColumnType<Record<string, string>>;
    is_enabled: boolean;
  };
  readonly plan: {
    id: string;
    name: string;
    definition: JSONColumnType<KeptPlan>;
    next_fire_at: ColumnType<Date | null, undefined, Date | null>;
    is_planned: Generated<boolean>;
  };
  readonly known_store: { path: string; store_id: string };
  readonly run: {
    id: string;
    number: Generated<number>;
    plan_name: string;
    spec: JSONColumnType<object>;
    status: string;
    reason: Json<Reason | null> | null;
    warnings: ColumnType<readonly Reason[], string | undefined, string>;
    is_halted: Generated<boolean>;
    queued_at: Instant;
    ended_at: Instant | null;
  };
  readonly left_out_fire: {
    id: Generated<number>;
    plan_name: string;
    reason: LeftOutFires['reason'];
    fires: number;
    first_at: Instant;
    last_at: Instant;
    noticed_at: Instant;
    run_id: string | null;
  };
  readonly parameter_change: {
    id: Generated<number>;
    name: string;
    changed_at: Generated<Date>;
    changed_by: string;
    is_secret: boolean;
    value_before: Json<unknown> | null;
    value_after: Json<unknown> | null;
  };
  readonly task: {
    id: string;
    number: Generated<number>;
    run_id: string;
    activity_index: number;
    action: 'SECURE_BACKUP' | 'EXPORT_DOMAIN';
    device: string;
    domain: string | null;
    spec: JSONColumnType<object>;
    status: 'WAITING' | 'RUNNING' | TaskVerdict['status'];
    reason: Json<Reason | null> | null;
    warnings: ColumnType<readonly Reason[], string | undefined, string>;
    attempt: Generated<number>;
    queued_at: Instant;
    started_at: Instant | null;
    tried_again_at: ColumnType<Date | null, undefined, Date | null>;
    ended_at: Instant | null;
  };
  readonly script_output: {
    subject_id: string;
    phase: 'pre' | 'post';
    script: string;
    exit_code: number | null;
    output: string;
    ended_at: Instant;
  };
  readonly device_guard: {
    id: Generated<number>;
    device: string;
    task_id: string;
    scope: JSONColumnType<{ kind: 'device' } | { kind: 'domain'; domain: string }>;
    intended_at: Instant;
    quiesced_at: Instant | null;
    released_at: Instant | null;
    reconciled_by: string | null;
    reconciled_until: Instant | null;
    claim_id: string | null;
    last_problem: string | null;
    left_at: Instant | null;
    sending_at: Instant | null;
    doubted_at: Instant | null;
    attempts: Generated<number>;
    next_attempt_at: Instant | null;
  };
  readonly node: {
    id: string;
    incarnation: string;
    name: string;
    version: string;
    pid: number;
    url: string | null;
    devices_parallel: number;
    is_draining: Generated<boolean>;
    started_at: Instant;
    heartbeat_at: Instant;
    stopped_at: Instant | null;
  };
  readonly alarm: {
    id: string;
    code:
      | 'DEVICE_LEFT_QUIESCED'
      | 'NODE_NOT_HEARD_OF'
      | 'TASK_PARKED'
      | 'RUN_PARKED'
      | 'NOTICE_NOT_DELIVERED';
    subject_kind: 'device' | 'task' | 'run' | 'node' | 'channel';
    subject_name: string;
    sentence: string;
    last_problem: string | null;
    opened_at: Instant;
    last_seen_at: Instant;
    seen_by: string;
    subject_seq: number | null;
    closed_at: Instant | null;
    acknowledged_at: Instant | null;
    acknowledged_by: string | null;
    acknowledged_note: string | null;
  };
  readonly notice: {
    id: string;
    number: Generated<number>;
    channel: Channel;
    event: NoticeContent['event'];
    subject_id: string;
    content: JSONColumnType<NoticeContent>;
    state: Generated<'WAITING' | 'DELIVERED' | 'GIVEN_UP'>;
    attempts: Generated<number>;
    last_problem: string | null;
    created_at: Instant;
    waiting_since: Instant;
    next_try_at: Instant;
    ended_at: Instant | null;
    claim_id: string | null;
    claimed_until: Instant | null;
  };
  readonly heartbeat: {
    number: Generated<number>;
    sent_at: Instant;
    failing_since: Instant | null;
    last_problem: string | null;
  };
  readonly backup: {
    id: string;
    task_id: string;
    is_persisted: boolean | null;
    action: 'SECURE_BACKUP' | 'EXPORT_DOMAIN';
    device: string;
    domain: string | null;
    state: 'good' | 'damaged' | 'missing';
    taken_at: Instant;
    plan_name: string | null;
    run_id: string | null;
    serial_number: string | null;
    model: string | null;
    firmware_version: string | null;
    firmware_build: string | null;
  };
  readonly database_import: {
    number: Generated<number>;
    exported_at: Instant;
    imported_at: Generated<Date>;
    is_begun_work_queued: Generated<boolean>;
    is_all_work_queued: Generated<boolean>;
  };
  readonly backup_file: { backup_id: string; path: string; size_bytes: number; sha256: string };
};

/** How a device's certificate is judged: exactly one is given. */
export type TlsColumn = {
  readonly ca?: string | undefined;
  readonly pin?: string | undefined;
  readonly system?: true | undefined;
  readonly insecure?: true | undefined;
};
