import type {
  DeviceIdentity,
  FetchedBackup,
  Parameters,
  Reply,
  TaskEffect,
  TaskOutcomes,
  TaskSpec,
  TaskState,
} from '@stillpoint/core';
import type { Clock, Performance } from '@stillpoint/engine';
import type { BackupTarget, KnownStore } from '@stillpoint/store';
import type { FetchSource } from '../movers/mover-orders.ts';
import type { Conversation, Conversations } from './conversation.ts';
import type { Movers, Records, Scripts, TargetStore } from './ports.ts';
import { createSecureBackup, removeSecureBackup } from './remote-secure-backup.ts';
import { unquiesce } from './unquiesce.ts';

/** What tasks are performed with. */
export type TaskTools<Transaction> = {
  readonly records: Pick<Records<Transaction>, 'guards' | 'runs'>;
  readonly appliances: Conversations;
  readonly movers: Movers;
  readonly store: TargetStore;
  readonly scripts: Scripts;
  readonly parameters: () => Promise<Parameters>;
  readonly clock: Clock;
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

/** Where a task stores its backup, and the zone of the time stamps there. */
type Target = { readonly store: KnownStore; readonly timeZone: string };

/** Does what tasks want of the world, on devices, scripts and the store. */
export class TaskPerformer<Transaction> {
  readonly #tools: TaskTools<Transaction>;
  readonly #targets = new WeakMap<TaskSpec, Target>();

  constructor(tools: TaskTools<Transaction>) {
    this.#tools = tools;
  }

  perform(
    effect: TaskEffect,
    state: TaskState,
    { signal }: Performance<Transaction>,
  ): Promise<Reply<unknown>> {
    const perform = this.#effects[effect.type] as Perform<TaskEffect['type']>;
    return perform(effect, state, signal);
  }

  readonly #effects: { readonly [Type in TaskEffect['type']]: Perform<Type> } = {
    admit: (_, { spec }) => this.#admit(spec),
    checkStore: (_, { spec }) => this.#checkStore(spec),
    look: (_, { spec }, signal) => this.#look(spec, this.#talkTo(spec, signal)),
    inspectSecureBackup: (_, { spec }, signal) => this.#inspect(spec, this.#talkTo(spec, signal)),
    runPreScript: (_, { spec }, signal) => this.#tools.scripts.runPreTask(spec, signal),
    runPostScript: (effect, { spec }, signal) => this.#tools.scripts.runPostTask(spec, effect, signal),
    quiesce: ({ scope, timeoutSeconds }, { spec }, signal) =>
      this.#talkTo(spec, signal).act((appliance, call) =>
        scope.kind === 'device'
          ? appliance.quiesceDevice({ timeoutSeconds }, call)
          : appliance.quiesceDomain({ domain: scope.domain, timeoutSeconds }, call),
      ),
    unquiesce: ({ scope }, { spec }, signal) => unquiesce(this.#talkTo(spec, signal), scope),
    createSecureBackup: (_, { spec }, signal) => {
      const order = { ...secureBackupOf(spec), destination: remoteDirectoryOf(spec) };
      return createSecureBackup(this.#talkTo(spec, signal), order, signal, this.#tools.clock);
    },
    removeSecureBackup: (_, { spec }, signal) =>
      removeSecureBackup(this.#talkTo(spec, signal), remoteDirectoryOf(spec), signal, this.#tools.clock),
    fetchSecureBackup: (_, { spec }, signal) => this.#fetchSecureBackup(spec, signal),
    fetchExport: ({ part }, { spec }, signal) => this.#fetchExport(spec, part.isPersisted, signal),
    publishBackup: (_, state, signal) => this.#publish(state, signal),
    discardBackup: (_, { spec }, signal) => this.#discard(spec, signal),
  };

  async #checkStore(spec: TaskSpec): Promise<Reply<TaskOutcomes['checkStore']>> {
    const parameters = await this.#tools.parameters();
    this.#targets.delete(spec);
    const checked = await this.#tools.store.check(parameters);
    if (checked.ok) await this.#targetOf(spec, parameters);
    return checked;
  }

  /** Where the task stores what it backs up: the same place from its check to its end, while one node drives it. */
  async #targetOf(spec: TaskSpec, checkedWith?: Parameters): Promise<Reply<Target>> {
    const known = this.#targets.get(spec);
    if (known !== undefined) return { ok: true, value: known };
    const parameters = checkedWith ?? (await this.#tools.parameters());
    const store = await this.#tools.store.locate(parameters);
    if (!store.ok) return store;
    const target = { store: store.value, timeZone: parameters.timezone ?? this.#tools.hostTimezone };
    this.#targets.set(spec, target);
    return { ok: true, value: target };
  }

  #talkTo({ device }: TaskSpec, signal: AbortSignal): Conversation {
    return this.#tools.appliances.talkTo(device, signal);
  }

  async #admit({ runId }: TaskSpec): Promise<Reply<TaskOutcomes['admit']>> {
    const code = 'EXECUTION_CANCELED_BECAUSE_ERROR_POLICY';
    const stop = (await this.#tools.records.runs.isHalted(runId))
      ? { code, detail: 'Another task of the run failed and its error policy is "halt".' }
      : null;
    return { ok: true, value: { stop } };
  }

  async #look({ device, taskId }: TaskSpec, talk: Conversation): Promise<Reply<TaskOutcomes['look']>> {
    const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
    if (!rows.ok) return rows;
    const isGuardedByOther = await this.#tools.records.guards.isGuardedByOther(device, taskId);
    const seen = rows.value.map(({ domain, isSaveNeeded, quiesceState }) => ({
      domain,
      isSaveNeeded,
      quiesceState,
    }));
    return { ok: true, value: { rows: seen, isGuardedByOther } };
  }

  async #inspect(spec: TaskSpec, talk: Conversation): Promise<Reply<TaskOutcomes['inspectSecureBackup']>> {
    const mode = await talk.ask((appliance, call) => appliance.readBackupMode(call));
    if (!mode.ok) return mode;
    const name = secureBackupOf(spec).certificate;
    const certificate = await talk.ask((appliance, call) => appliance.findCertificate(name, call));
    if (!certificate.ok) return certificate;
    const space = await talk.ask((appliance, call) => appliance.readFilesystemStatus(call));
    if (!space.ok) return space;
    const { value: found } = certificate;
    const isUp = found?.opState === undefined || found.opState === 'up';
    const isCertificateUp = found?.isEnabled === true && isUp;
    const freeTemporaryMb = space.value.freeTemporaryMb ?? 0;
    return { ok: true, value: { backupMode: mode.value, isCertificateUp, freeTemporaryMb } };
  }

  async #fetchSecureBackup(spec: TaskSpec, signal: AbortSignal): Promise<Reply<FetchedBackup>> {
    return this.#fetch(this.#talkTo(spec, signal), spec, async (store, source, device) => {
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
    const talk = this.#talkTo(spec, signal);
    const domains = await domainsToExpect(spec, talk);
    if (!domains.ok) return domains;
    return this.#fetch(talk, spec, async (store, source, device) => {
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

  /** Where the download comes from and goes to; the device is asked who it is, so that no other's bytes pass for its. */
  async #fetch(
    talk: Conversation,
    spec: TaskSpec,
    order: (store: KnownStore, source: FetchSource, device: DeviceIdentity) => Promise<Reply<FetchedBackup>>,
  ): Promise<Reply<FetchedBackup>> {
    const target = await this.#targetOf(spec);
    if (!target.ok) return target;
    const address = await this.#tools.appliances.addressOf(spec.device);
    if (!address.ok) return address;
    const firmware = await talk.ask((appliance, call) => appliance.readFirmware(call));
    if (!firmware.ok) return firmware;
    const { serial, version, build, machineType, modelType } = firmware.value;
    const source: FetchSource = {
      address: address.value,
      deadlines: { transferMs: TRANSFER_MS },
      expectedSerialNumber: serial,
    };
    const model = [machineType, modelType].join(' ').trim();
    return order(target.value.store, source, {
      serialNumber: serial,
      model,
      firmwareVersion: version,
      firmwareBuild: build,
    });
  }

  async #publish(
    { spec, fetched }: TaskState,
    signal: AbortSignal,
  ): Promise<Reply<TaskOutcomes['publishBackup']>> {
    const { movers, clock, version } = this.#tools;
    const target = await this.#targetOf(spec);
    if (!target.ok) return target;
    const { store, timeZone } = target.value;
    const [first] = fetched;
    if (first === undefined) throw new Error(`Task ${spec.taskId} wants to publish what it never fetched.`);
    const request = {
      taskId: spec.taskId,
      target: targetOf(spec),
      device: { name: spec.device, ...first.device },
      domains: first.domains,
      files: fetched.flatMap(({ files }) => files),
      takenAt: clock.now(),
      completedAt: clock.now(),
      timeZone,
      stillpointVersion: version,
    };
    const order = { kind: 'publishBackup', store, request } as const;
    const reply = await movers.order(order, { deadlineMs: PUBLISH_MS, signal });
    if (!reply.ok) return reply;
    const { files, takenAt } = reply.value;
    // biome-ignore lint/style/noRestrictedGlobals: to read an instant needs no clock.
    return { ok: true, value: { files, takenAt: Date.parse(takenAt) } };
  }

  async #discard(spec: TaskSpec, signal: AbortSignal): Promise<Reply<null>> {
    const target = await this.#targetOf(spec);
    if (!target.ok) return target;
    const order = { kind: 'discardBackup', store: target.value.store, taskId: spec.taskId } as const;
    const reply = await this.#tools.movers.order(order, { deadlineMs: SHORT_ORDER_MS, signal });
    return reply.ok ? { ok: true, value: null } : reply;
  }
}

/** An export of all domains must hold all that the device has right before. */
async function domainsToExpect(
  spec: TaskSpec,
  talk: Conversation,
): Promise<Reply<readonly string[] | { readonly allDomains: readonly string[] }>> {
  if (!spec.isAllDomains) return { ok: true, value: [spec.domain ?? ''] };
  const domains = await talk.ask((appliance, call) => appliance.listDomains(call));
  return domains.ok ? { ok: true, value: { allDomains: domains.value.map(({ name }) => name) } } : domains;
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
