import type {
  Acknowledgement,
  AlarmQuery,
  ApplyDocument,
  BackupQuery,
  ChangedParameterQuery,
  Device,
  NoticeQuery,
  NoticeTestRequest,
  ParameterValue,
  PlanCalendarQuery,
  PlanDefinition,
  Refusal,
  RerunRequest,
  RunQuery,
  RunRequest,
  ScriptTestRequest,
  TaskQuery,
  UnquiesceRequest,
} from '@stillpoint/contract';
import { type Parameters, parametersInForce } from '@stillpoint/core';
import type { Application, Outcome, Page } from './application.ts';
import { applyDocument } from './apply-document.ts';
import { insecureWarning } from './insecure-warning.ts';
import { listScripts } from './list-scripts.ts';
import { type NoticePorts, retryNotice, testNotices } from './notices.ts';
import { ParameterDesk, type ParameterPorts } from './parameter-desk.ts';
import { noPlan, PlanDesk, type PlanPorts } from './plan-desk.ts';
import type {
  Alarms,
  Clock,
  Definitions,
  DeviceRecord,
  Fleet,
  History,
  Nodes,
  Runs,
  ScriptFolder,
  Store,
  Undoer,
} from './ports.ts';
import { repeatRun } from './repeat-run.ts';
import { scriptWarnings } from './script-warnings.ts';
import { judgeFindings } from './test-device.ts';
import { testScript } from './test-script.ts';
import { unquiesceGuard } from './unquiesce-guard.ts';

/** What the use cases reach the world through. */
export type Ports = NoticePorts &
  PlanPorts &
  ParameterPorts & {
    readonly definitions: Definitions;
    readonly fleet: Fleet;
    readonly store: Store;
    readonly history: History;
    readonly runs: Runs;
    readonly scripts: ScriptFolder;
    readonly undoer: Undoer;
    readonly nodes: Nodes;
    readonly alarms: Alarms;
    readonly now: Clock;
    readonly newRunId: () => string;
    /** IANA zone of this machine, for plans and parameters that name none. */
    readonly hostTimezone: string;
    /** The remedy of a fault's code, for problems that are shown with one. */
    readonly remedyOf: (code: string) => string;
  };

/** Who has the token of the server. */
const OPERATOR = 'operator';

/** The use cases over their ports. */
export function createApplication(ports: Ports): Application {
  return new StillpointApplication(ports);
}

class StillpointApplication implements Application {
  readonly #ports: Ports;
  readonly #plans: PlanDesk;
  readonly #parameterDesk: ParameterDesk;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#plans = new PlanDesk(ports);
    this.#parameterDesk = new ParameterDesk(ports);
  }

  async listDevices(): ReturnType<Application['listDevices']> {
    const devices = await this.#ports.definitions.devices();
    return done(devices.map(deviceShown));
  }

  async testDevice(name: string): ReturnType<Application['testDevice']> {
    const devices = await this.#ports.definitions.devices();
    const device = devices.find((known) => known.name === name);
    if (device === undefined) return refuse('DEVICE_NOT_FOUND', `There is no device "${name}".`);
    const findings = await this.#ports.fleet.findOut(name);
    const testedAt = new Date(this.#ports.now()).toISOString();
    return done(judgeFindings(device, findings, testedAt, this.#ports.remedyOf));
  }

  listPlans(): ReturnType<Application['listPlans']> {
    return this.#plans.list();
  }

  getPlan(name: string): ReturnType<Application['getPlan']> {
    return this.#plans.get(name);
  }

  previewPlan(name: string): ReturnType<Application['previewPlan']> {
    return this.#plans.preview(name);
  }

  previewDefinition(definition: PlanDefinition): ReturnType<Application['previewDefinition']> {
    return this.#plans.previewDefinition(definition);
  }

  getPlanCalendar(query: PlanCalendarQuery): ReturnType<Application['getPlanCalendar']> {
    return this.#plans.calendar(query);
  }

  #withRemedy({ code, sentence }: { code: string; sentence: string }): string {
    return `${sentence} ${this.#ports.remedyOf(code)}`.trim();
  }

  async runPlan(name: string, request: RunRequest): ReturnType<Application['runPlan']> {
    const plan = await this.#plans.find(name);
    if (plan === undefined) return noPlan(name);
    if (!plan.isEnabled || plan.activities.length === 0) {
      const why = plan.isEnabled ? 'has no activities' : 'is disabled';
      return refuse('PLAN_NOT_RUNNABLE', `The plan "${name}" ${why}, so it cannot run.`);
    }
    const runId = this.#ports.newRunId();
    await this.#ports.runs.queue({
      runId,
      plan,
      trigger: 'request',
      windowOverrideReason: request.windowOverrideReason ?? null,
      queuedAt: this.#ports.now(),
    });
    return this.getRun(runId);
  }

  async listRuns(query: RunQuery): ReturnType<Application['listRuns']> {
    return pageOf(await this.#ports.history.runs(query), query);
  }

  async getRun(id: string): ReturnType<Application['getRun']> {
    const run = await this.#ports.history.run(id);
    return run === null ? refuse('RUN_NOT_FOUND', `There is no run "${id}".`) : done(run);
  }

  async listTasks(runId: string, query: TaskQuery): ReturnType<Application['listTasks']> {
    const run = await this.getRun(runId);
    return run.ok ? pageOf(await this.#ports.history.tasks(runId, query), query) : run;
  }

  async listRunScripts(id: string): ReturnType<Application['listRunScripts']> {
    const run = await this.getRun(id);
    return run.ok ? done(await this.#ports.history.runScripts(id)) : run;
  }

  async cancelRun(id: string): ReturnType<Application['cancelRun']> {
    const run = await this.getRun(id);
    if (!run.ok) return run;
    const isCancelled = await this.#ports.runs.cancel(id);
    return isCancelled ? this.getRun(id) : refuse('RUN_ALREADY_ENDED', `The run ${id} has ended already.`);
  }

  async rerunRun(id: string, request: RerunRequest): ReturnType<Application['rerunRun']> {
    const repeated = await repeatRun(id, request, this.#ports);
    return repeated.ok ? this.getRun(repeated.value) : repeated;
  }

  async getTask(id: string): ReturnType<Application['getTask']> {
    const task = await this.#ports.history.task(id);
    return task === null ? refuse('TASK_NOT_FOUND', `There is no task "${id}".`) : done(task);
  }

  async listBackups(query: BackupQuery): ReturnType<Application['listBackups']> {
    return pageOf(await this.#ports.history.backups(query), query);
  }

  listParameters(): ReturnType<Application['listParameters']> {
    return this.#parameterDesk.list();
  }

  getParameter(name: string): ReturnType<Application['getParameter']> {
    return this.#parameterDesk.get(name);
  }

  setParameter(name: string, value: ParameterValue): ReturnType<Application['setParameter']> {
    return this.#parameterDesk.set(name, value);
  }

  listChangedParameters(query: ChangedParameterQuery): ReturnType<Application['listChangedParameters']> {
    return this.#parameterDesk.changes(query);
  }

  async applyDocument(
    document: ApplyDocument,
    options: { dryRun: boolean },
  ): ReturnType<Application['applyDocument']> {
    const { definitions, now, hostTimezone } = this.#ports;
    const applied = await applyDocument(document, options, definitions, now, hostTimezone);
    if (!applied.ok) return applied;
    return done({ ...applied.value, warnings: await scriptWarnings(document, this.#ports) });
  }

  async getStore(): ReturnType<Application['getStore']> {
    const parameters = await this.#parameters();
    const path = parameters['store.path'];
    const status = await this.#ports.store.check(parameters);
    const unknown = { isRemoteMount: null, fileSystem: null, totalBytes: null, freeBytes: null };
    if (!status.ok) {
      const { code, detail } = status.fault;
      const problems = [{ code, sentence: detail, remedy: this.#ports.remedyOf(code) }];
      return done({ path, isUsable: false, isInitialised: false, ...unknown, problems });
    }
    const { fileSystem, totalBytes, freeBytes, freePercent } = status.value;
    const least = parameters['store.minFreePercent'];
    const isRoomy = freePercent >= least;
    const code = 'NOT_ENOUGH_FREE_SPACE_IN_STORE';
    const sentence = `The store has ${freePercent.toFixed(1)} % free, less than the ${least} % asked for.`;
    return done({
      path,
      isUsable: isRoomy,
      isInitialised: true,
      isRemoteMount: parameters['store.requireRemoteMount'] ? true : null,
      fileSystem,
      totalBytes,
      freeBytes,
      problems: isRoomy ? [] : [{ code, sentence, remedy: this.#ports.remedyOf(code) }],
    });
  }

  async initStore(): ReturnType<Application['initStore']> {
    const parameters = await this.#parameters();
    if (parameters['store.path'] === null) return noStorePath();
    const reply = await this.#ports.store.init(parameters);
    return reply.ok ? this.getStore() : this.#storeRefused(reply.fault);
  }

  async rescanStore(): ReturnType<Application['rescanStore']> {
    const parameters = await this.#parameters();
    if (parameters['store.path'] === null) return noStorePath();
    const reply = await this.#ports.store.rescan(parameters);
    if (!reply.ok) return this.#storeRefused(reply.fault);
    const problems = reply.value.problems.map(({ path, detail }) => ({ path, sentence: detail }));
    return done({ ...reply.value, backupsDamaged: 0, problems });
  }

  listScripts(): ReturnType<Application['listScripts']> {
    return listScripts(this.#ports);
  }

  testScript(name: string, request: ScriptTestRequest): ReturnType<Application['testScript']> {
    return testScript(name, request, this.#ports);
  }

  async listGuards(): ReturnType<Application['listGuards']> {
    return done(await this.#ports.history.guards());
  }

  unquiesceGuard(id: string, { cancelsTask }: UnquiesceRequest): ReturnType<Application['unquiesceGuard']> {
    return unquiesceGuard(id, cancelsTask, this.#ports);
  }

  async listNodes(): ReturnType<Application['listNodes']> {
    return done([...(await this.#ports.nodes.list())]);
  }

  drainNode(name: string): ReturnType<Application['drainNode']> {
    return this.#setDraining(name, true);
  }

  resumeNode(name: string): ReturnType<Application['resumeNode']> {
    return this.#setDraining(name, false);
  }

  async #setDraining(name: string, isDraining: boolean): ReturnType<Application['drainNode']> {
    const { nodes } = this.#ports;
    const came = await nodes.setDraining(name, isDraining);
    if (came === 'stopped') return refuse('NODE_NOT_RUNNING', `The node "${name}" has stopped.`);
    const node = (await nodes.list()).find((known) => known.name === name);
    if (came === 'unknown' || node === undefined) return noNode(name);
    return done(node);
  }

  async listAlarms(query: AlarmQuery): ReturnType<Application['listAlarms']> {
    return pageOf(await this.#ports.alarms.page(query), query);
  }

  async acknowledgeAlarm(id: string, { note }: Acknowledgement): ReturnType<Application['acknowledgeAlarm']> {
    const alarm = await this.#ports.alarms.acknowledge(id, OPERATOR, note ?? null);
    return alarm === null ? refuse('ALARM_NOT_FOUND', `There is no alarm "${id}".`) : done(alarm);
  }

  async listNotices(query: NoticeQuery): ReturnType<Application['listNotices']> {
    return pageOf(await this.#ports.notices.page(query), query);
  }

  retryNotice(id: string): ReturnType<Application['retryNotice']> {
    return retryNotice(id, this.#ports);
  }

  testNotices({ channel }: NoticeTestRequest): ReturnType<Application['testNotices']> {
    return testNotices(channel, this.#ports);
  }

  async #parameters(): Promise<Parameters> {
    return parametersInForce(await this.#ports.definitions.parameterValues());
  }

  #storeRefused({ code, detail }: { code: string; detail: string }): { ok: false; problem: Refusal } {
    if (code === 'STORE_NOT_RESPONDING') return refuse('STORE_NOT_RESPONDING', detail);
    return refuse('STORE_NOT_USABLE', this.#withRemedy({ code, sentence: detail }));
  }
}

function deviceShown({ isEnabled, tags, ...device }: DeviceRecord): Device {
  const warnings = device.tls.insecure === true ? [insecureWarning(device.name)] : [];
  return { ...device, tags: { ...tags }, enabled: isEnabled, warnings };
}

function done<Value>(value: Value): Outcome<Value> {
  return { ok: true, value };
}

function pageOf<Item>(
  page: Page<Item> | null,
  { cursor }: { cursor?: string | undefined },
): Outcome<Page<Item>> {
  return page === null ? refuse('CURSOR_NOT_VALID', `"${cursor}" is not a cursor of this list.`) : done(page);
}

function refuse(code: Refusal['code'], detail: string): { ok: false; problem: Refusal } {
  return { ok: false, problem: { code, detail } };
}

const noNode = (name: string): { ok: false; problem: Refusal } =>
  refuse('NODE_NOT_FOUND', `There is no node "${name}".`);
const noStorePath = (): { ok: false; problem: Refusal } =>
  refuse('STORE_PATH_NOT_SET', 'The parameter store.path is not set.');
