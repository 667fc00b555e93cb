import { setTimeout as delay } from 'node:timers/promises';
import type {
  DeviceIdentity,
  FetchedBackup,
  Parameters,
  QuiesceScope,
  Reply,
  TaskEffect,
  TaskOutcomes,
  TaskSpec,
  TaskState,
} from '@stillpoint/core';
import type { Appliance } from '@stillpoint/datapower';
import type { Performance } from '@stillpoint/engine';
import type { BackupTarget, KnownStore } from '@stillpoint/store';
import type { Kysely } from 'kysely';
import type { FetchSource } from '../movers/mover-orders.ts';
import type { MoverPool } from '../movers/mover-pool.ts';
import type { Appliances } from './appliances.ts';
import type { ConfiguredStore } from './configured-store.ts';
import type { ScriptDesk } from './script-desk.ts';
import type { Tables } from './tables.ts';

/** What tasks are performed with. */
export type TaskTools = {
  readonly db: Kysely<Tables>;
  readonly appliances: Appliances;
  readonly movers: MoverPool;
  readonly store: ConfiguredStore;
  readonly scripts: ScriptDesk;
  readonly parameters: () => Promise<Parameters>;
  readonly now: () => number;
  readonly hostTimezone: string;
  readonly version: string;
};

type Perform<Type extends TaskEffect['type']> = (
  effect: Extract<TaskEffect, { type: Type }>,
  state: TaskState,
  signal: AbortSignal,
) => Promise<Reply<TaskOutcomes[Type]>>;

const SHORT_ORDER_MS = 60_000;
const PUBLISH_MS = 10 * 60_000;
/** A download may take four hours; its order a little longer, so that a slow device does not pass for a hung store. */
const TRANSFER_MS = 4 * 3_600_000;
const FETCH_ORDER_MS = TRANSFER_MS + 15 * 60_000;
const SECURE_BACKUP_MS = 20 * 60_000;
const SECURE_BACKUP_POLL_MS = 1_000;

/** Does what tasks want of the world, on devices, scripts and the store. */
export class TaskPerformer {
  readonly #tools: TaskTools;

  constructor(tools: TaskTools) {
    this.#tools = tools;
  }

  perform(effect: TaskEffect, state: TaskState, { signal }: Performance): Promise<Reply<unknown>> {
    const perform = this.#effects[effect.type] as Perform<TaskEffect['type']>;
    return perform(effect, state, signal);
  }

  readonly #effects: { readonly [Type in TaskEffect['type']]: Perform<Type> } = {
    admit: (_, { spec }) => this.#admit(spec),
    checkStore: async () => this.#tools.store.check(await this.#tools.parameters()),
    look: (_, { spec }, signal) => this.#look(spec, signal),
    inspectSecureBackup: (_, { spec }) => this.#inspectSecureBackup(spec),
    runPreScript: (_, { spec }, signal) => this.#tools.scripts.runPreTask(spec, signal),
    runPostScript: (effect, { spec }, signal) => this.#tools.scripts.runPostTask(spec, effect, signal),
    quiesce: ({ scope, timeoutSeconds }, { spec }) => this.#quiesce(spec.device, scope, timeoutSeconds),
    unquiesce: ({ scope }, { spec }) => this.unquiesce(spec.device, scope),
    createSecureBackup: (_, { spec }, signal) => this.#createSecureBackup(spec, signal),
    removeSecureBackup: (_, { spec }, signal) => this.#removeSecureBackup(spec, signal),
    fetchSecureBackup: (_, { spec }, signal) => this.#fetchSecureBackup(spec, signal),
    fetchExport: ({ part }, { spec }, signal) => this.#fetchExport(spec, part.isPersisted, signal),
    publishBackup: (_, state) => this.#publish(state),
    discardBackup: (_, { spec }) => this.#discard(spec),
  };

  /** Sends an unquiesce; also for the reconciler, after the task has ended. */
  unquiesce(device: string, scope: QuiesceScope): Promise<Reply<null>> {
    return this.#act(device, (appliance) =>
      scope.kind === 'device' ? appliance.unquiesceDevice() : appliance.unquiesceDomain(scope.domain),
    );
  }

  async #admit({ runId }: TaskSpec): Promise<Reply<TaskOutcomes['admit']>> {
    const run = await this.#tools.db
      .selectFrom('run')
      .select('is_halted')
      .where('id', '=', runId)
      .executeTakeFirstOrThrow();
    const code = 'EXECUTION_CANCELED_BECAUSE_ERROR_POLICY';
    const stop = run.is_halted
      ? { code, detail: 'Another task of the run failed and its error policy is "halt".' }
      : null;
    return { ok: true, value: { stop } };
  }

  async #look({ device, taskId }: TaskSpec, signal: AbortSignal): Promise<Reply<TaskOutcomes['look']>> {
    const rows = await this.#tools.appliances.ask(device, (appliance) =>
      appliance.readDomainStatus({ signal }),
    );
    if (!rows.ok) return rows;
    const guard = await this.#tools.db
      .selectFrom('device_guard')
      .select('id')
      .where('device', '=', device)
      .where('released_at', 'is', null)
      .where('task_id', '!=', taskId)
      .executeTakeFirst();
    const seen = rows.value.map(({ domain, isSaveNeeded, quiesceState }) => ({
      domain,
      isSaveNeeded,
      quiesceState,
    }));
    return { ok: true, value: { rows: seen, isGuardedByOther: guard !== undefined } };
  }

  async #inspectSecureBackup(spec: TaskSpec): Promise<Reply<TaskOutcomes['inspectSecureBackup']>> {
    const { appliances } = this.#tools;
    const mode = await appliances.ask(spec.device, (appliance) => appliance.readBackupMode());
    if (!mode.ok) return mode;
    const name = secureBackupOf(spec).certificate;
    const certificate = await appliances.ask(spec.device, (appliance) => appliance.findCertificate(name));
    if (!certificate.ok) return certificate;
    const space = await appliances.ask(spec.device, (appliance) => appliance.readFilesystemStatus());
    if (!space.ok) return space;
    const { value: found } = certificate;
    const isCertificateUp =
      found?.isEnabled === true && (found.opState === undefined || found.opState === 'up');
    const freeTemporaryMb = space.value.freeTemporaryMb ?? 0;
    return { ok: true, value: { backupMode: mode.value, isCertificateUp, freeTemporaryMb } };
  }

  #quiesce(device: string, scope: QuiesceScope, timeoutSeconds: number): Promise<Reply<null>> {
    return this.#act(device, (appliance) =>
      scope.kind === 'device'
        ? appliance.quiesceDevice({ timeoutSeconds })
        : appliance.quiesceDomain({ domain: scope.domain, timeoutSeconds }),
    );
  }

  async #act(
    device: string,
    action: (appliance: Appliance) => ReturnType<Appliance['unquiesceDevice']>,
  ): Promise<Reply<null>> {
    const reply = await this.#tools.appliances.ask(device, action);
    return reply.ok ? { ok: true, value: null } : reply;
  }

  /** Accepted is not done: the appliance may still be writing, and says so by the command that it is busy with. */
  async #createSecureBackup(spec: TaskSpec, signal: AbortSignal): Promise<Reply<null>> {
    const { appliances, now } = this.#tools;
    const { device } = spec;
    const destination = remoteDirectoryOf(spec);
    const made = await appliances.ask(device, (appliance) => appliance.createDirectory(destination));
    // A device that lets nobody make a directory makes the one of a secure backup itself.
    if (!made.ok && made.fault.code !== 'ACTION_REFUSED' && made.fault.code !== 'NOT_AUTHORISED') return made;
    const order = { ...secureBackupOf(spec), destination };
    const created = await appliances.ask(device, (appliance) => appliance.createSecureBackup(order));
    if (!created.ok) return created;
    const deadline = now() + SECURE_BACKUP_MS;
    while (now() < deadline && !signal.aborted) {
      const isBusy = await this.#isWritingSecureBackup(device);
      if (!isBusy.ok) return isBusy;
      if (!isBusy.value && (await this.#hasManifest(device, destination))) return { ok: true, value: null };
      await delay(SECURE_BACKUP_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    const detail = `${device} had not finished its secure backup after ${SECURE_BACKUP_MS / 60_000} minutes.`;
    return {
      ok: false,
      fault: { code: 'SECURE_BACKUP_TIMED_OUT', effect: 'unknown', retryable: true, detail },
    };
  }

  async #isWritingSecureBackup(device: string): Promise<Reply<boolean>> {
    const rows = await this.#tools.appliances.ask(device, (appliance) => appliance.readDomainStatus());
    if (!rows.ok) return rows;
    const own = rows.value.find(({ domain }) => domain === 'default');
    return { ok: true, value: (own?.currentCommand ?? '') !== '' };
  }

  async #hasManifest(device: string, directory: string): Promise<boolean> {
    const listing = await this.#tools.appliances.ask(device, (appliance) =>
      appliance.listFiles('temporary:'),
    );
    return listing.ok && listing.value.files.some(({ path }) => path === `${directory}/backupmanifest.xml`);
  }

  /** Waits for a secure backup that may still be written, so that nothing comes after the removal. */
  async #removeSecureBackup(spec: TaskSpec, signal: AbortSignal): Promise<Reply<null>> {
    const { appliances, now } = this.#tools;
    const directory = remoteDirectoryOf(spec);
    const deadline = now() + SHORT_ORDER_MS;
    for (;;) {
      const isBusy = await this.#isWritingSecureBackup(spec.device);
      if (!isBusy.ok) return isBusy;
      if (!isBusy.value || now() >= deadline || signal.aborted) break;
      await delay(SECURE_BACKUP_POLL_MS, undefined, { signal }).catch(() => undefined);
    }
    const listing = await appliances.ask(spec.device, (appliance) => appliance.listFiles('temporary:'));
    if (listing.ok && !listing.value.directories.includes(directory)) return { ok: true, value: null };
    return this.#act(spec.device, (appliance) => appliance.removeDirectory(directory));
  }

  async #fetchSecureBackup(spec: TaskSpec, signal: AbortSignal): Promise<Reply<FetchedBackup>> {
    return this.#fetch(spec, async (store, source, device) => {
      const order = { kind: 'fetchSecureBackup', store, source, taskId: spec.taskId } as const;
      const options = { deadlineMs: FETCH_ORDER_MS, signal };
      const directoryUrl = remoteDirectoryOf(spec);
      const reply = await this.#tools.movers.order({ ...order, directoryUrl }, options);
      if (!reply.ok) return reply;
      const files = reply.value.files.map((file) => ({ ...file, isPersisted: null }));
      return { ok: true, value: { device, domains: [], files } };
    });
  }

  async #fetchExport(
    spec: TaskSpec,
    isPersisted: boolean,
    signal: AbortSignal,
  ): Promise<Reply<FetchedBackup>> {
    const domains = await this.#domainsToExpect(spec);
    if (!domains.ok) return domains;
    return this.#fetch(spec, async (store, source, device) => {
      const reply = await this.#tools.movers.order(
        {
          kind: 'fetchExport',
          store,
          source,
          taskId: spec.taskId,
          domains: domains.value,
          isPersisted,
          comment: `Stillpoint task ${spec.taskId}`,
          verifiesHashes: spec.limits.verifiesExportHashes,
        },
        { deadlineMs: FETCH_ORDER_MS, signal },
      );
      if (!reply.ok) return reply;
      const { file, verified } = reply.value;
      return { ok: true, value: { device, domains: verified.domains, files: [{ ...file, isPersisted }] } };
    });
  }

  /** An export of all domains must hold all that the device has right before. */
  async #domainsToExpect(
    spec: TaskSpec,
  ): Promise<Reply<readonly string[] | { allDomains: readonly string[] }>> {
    if (!spec.isAllDomains) return { ok: true, value: [spec.domain ?? ''] };
    const domains = await this.#tools.appliances.ask(spec.device, (appliance) => appliance.listDomains());
    return domains.ok ? { ok: true, value: { allDomains: domains.value.map(({ name }) => name) } } : domains;
  }

  /** Where the download comes from and goes to; the device is asked who it is, so that no other's bytes pass for its. */
  async #fetch(
    spec: TaskSpec,
    order: (store: KnownStore, source: FetchSource, device: DeviceIdentity) => Promise<Reply<FetchedBackup>>,
  ): Promise<Reply<FetchedBackup>> {
    const { appliances, store, parameters } = this.#tools;
    const known = await store.locate(await parameters());
    if (!known.ok) return known;
    const address = await appliances.addressOf(spec.device);
    if (!address.ok) return address;
    const firmware = await appliances.ask(spec.device, (appliance) => appliance.readFirmware());
    if (!firmware.ok) return firmware;
    const { serial, version, build, machineType, modelType } = firmware.value;
    const source: FetchSource = {
      address: address.value,
      deadlines: { transferMs: TRANSFER_MS },
      expectedSerialNumber: serial,
    };
    const model = [machineType, modelType].join(' ').trim();
    return order(known.value, source, {
      serialNumber: serial,
      model,
      firmwareVersion: version,
      firmwareBuild: build,
    });
  }

  async #publish({ spec, fetched }: TaskState): Promise<Reply<TaskOutcomes['publishBackup']>> {
    const { store, movers, parameters, now, hostTimezone, version } = this.#tools;
    const values = await parameters();
    const known = await store.locate(values);
    if (!known.ok) return known;
    const [first] = fetched;
    if (first === undefined) throw new Error(`Task ${spec.taskId} wants to publish what it never fetched.`);
    const request = {
      taskId: spec.taskId,
      target: targetOf(spec),
      device: { name: spec.device, ...first.device },
      domains: first.domains,
      files: fetched.flatMap(({ files }) => files),
      takenAt: now(),
      completedAt: now(),
      timeZone: values.timezone ?? hostTimezone,
      stillpointVersion: version,
    };
    const order = { kind: 'publishBackup', store: known.value, request } as const;
    const reply = await movers.order(order, { deadlineMs: PUBLISH_MS });
    if (!reply.ok) return reply;
    const { files, takenAt } = reply.value;
    return { ok: true, value: { files, takenAt: Date.parse(takenAt) } };
  }

  async #discard({ taskId }: TaskSpec): Promise<Reply<null>> {
    const known = await this.#tools.store.locate(await this.#tools.parameters());
    if (!known.ok) return known;
    const order = { kind: 'discardBackup', store: known.value, taskId } as const;
    const reply = await this.#tools.movers.order(order, { deadlineMs: SHORT_ORDER_MS });
    return reply.ok ? { ok: true, value: null } : reply;
  }
}

/** A directory of the task's own in the device's temporary storage. */
function remoteDirectoryOf({ taskId }: TaskSpec): string {
  return `temporary:///stillpoint-${taskId}`;
}

function secureBackupOf({ taskId, secureBackup }: TaskSpec): NonNullable<TaskSpec['secureBackup']> {
  if (secureBackup === null) throw new Error(`Task ${taskId} is no secure backup.`);
  return secureBackup;
}

function targetOf({ domain, isAllDomains }: TaskSpec): BackupTarget {
  if (domain === null) return { kind: 'secure-backup' };
  return isAllDomains ? { kind: 'all-domains' } : { kind: 'domain', domain };
}
