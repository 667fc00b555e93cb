import type {
  Acknowledgement,
  Alarm,
  AlarmQuery,
  ApplyDocument,
  ApplyOutcome,
  Backup,
  BackupQuery,
  ChangedParameter,
  ChangedParameterQuery,
  Device,
  DeviceTest,
  Guard,
  Node,
  Notice,
  NoticeQuery,
  NoticeTest,
  NoticeTestRequest,
  Parameter,
  ParameterValue,
  Plan,
  PlanCalendar,
  PlanCalendarQuery,
  PlanDefinition,
  PlanPreview,
  Refusal,
  RerunRequest,
  Rescan,
  Run,
  RunQuery,
  RunRequest,
  ScriptList,
  ScriptOutput,
  ScriptTest,
  ScriptTestRequest,
  Store,
  Task,
  TaskDetail,
  TaskQuery,
  UnquiesceOutcome,
  UnquiesceRequest,
} from '@stillpoint/contract';

/** What a use case comes to: its value, or the refusal that a client is told as a problem. */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Refusal };

/** One page of a long list; `nextCursor` is opaque to clients and null on the last page. */
export interface Page<Item> {
  readonly items: Item[];
  readonly nextCursor: string | null;
}

/**
 * The use cases that HTTP offers, one method per call of the contract. Requests arrive with the right shape and with
 * defaults filled in; what they mean is judged here. A method refuses by answering and throws only for bugs.
 */
export interface Application {
  /** Every device, by name. */
  listDevices(): Promise<Outcome<Device[]>>;
  testDevice(name: string): Promise<Outcome<DeviceTest>>;
  /** Every plan, by name. */
  listPlans(): Promise<Outcome<Plan[]>>;
  getPlan(name: string): Promise<Outcome<Plan>>;
  previewPlan(name: string): Promise<Outcome<PlanPreview>>;
  /** The same for a plan that is not kept. */
  previewDefinition(definition: PlanDefinition): Promise<Outcome<PlanPreview>>;
  getPlanCalendar(query: PlanCalendarQuery): Promise<Outcome<PlanCalendar>>;
  runPlan(name: string, request: RunRequest): Promise<Outcome<Run>>;
  /** Newest first. */
  listRuns(query: RunQuery): Promise<Outcome<Page<Run>>>;
  getRun(id: string): Promise<Outcome<Run>>;
  /** In creation order. */
  listTasks(runId: string, query: TaskQuery): Promise<Outcome<Page<Task>>>;
  /** What the scripts of the run's plan printed. */
  listRunScripts(id: string): Promise<Outcome<ScriptOutput[]>>;
  cancelRun(id: string): Promise<Outcome<Run>>;
  /** The new run. */
  rerunRun(id: string, request: RerunRequest): Promise<Outcome<Run>>;
  getTask(id: string): Promise<Outcome<TaskDetail>>;
  /** Newest first. */
  listBackups(query: BackupQuery): Promise<Outcome<Page<Backup>>>;
  listParameters(): Promise<Outcome<Parameter[]>>;
  getParameter(name: string): Promise<Outcome<Parameter>>;
  setParameter(name: string, value: ParameterValue): Promise<Outcome<Parameter>>;
  /** Newest first. */
  listChangedParameters(query: ChangedParameterQuery): Promise<Outcome<Page<ChangedParameter>>>;
  /** All errors at once, with JSON pointers into the document; nothing is changed when there is one, or on a dry run. */
  applyDocument(
    document: ApplyDocument,
    options: { readonly dryRun: boolean },
  ): Promise<Outcome<ApplyOutcome>>;
  getStore(): Promise<Outcome<Store>>;
  initStore(): Promise<Outcome<Store>>;
  rescanStore(): Promise<Outcome<Rescan>>;
  listScripts(): Promise<Outcome<ScriptList>>;
  /** Runs it on this node, whatever plan it belongs to. */
  testScript(name: string, request: ScriptTestRequest): Promise<Outcome<ScriptTest>>;
  listGuards(): Promise<Outcome<Guard[]>>;
  /** At once, whatever the pace of the retries; what somebody else quiesced is never touched. */
  unquiesceGuard(id: string, request: UnquiesceRequest): Promise<Outcome<UnquiesceOutcome>>;
  /** By name. */
  listNodes(): Promise<Outcome<Node[]>>;
  drainNode(name: string): Promise<Outcome<Node>>;
  resumeNode(name: string): Promise<Outcome<Node>>;
  /** Newest first. */
  listAlarms(query: AlarmQuery): Promise<Outcome<Page<Alarm>>>;
  acknowledgeAlarm(id: string, acknowledgement: Acknowledgement): Promise<Outcome<Alarm>>;
  /** Newest first. */
  listNotices(query: NoticeQuery): Promise<Outcome<Page<Notice>>>;
  retryNotice(id: string): Promise<Outcome<Notice>>;
  testNotices(request: NoticeTestRequest): Promise<Outcome<NoticeTest>>;
}
