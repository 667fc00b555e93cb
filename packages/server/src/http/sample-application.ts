import type {
  Alarm,
  Backup,
  ChangedParameter,
  Device,
  Guard,
  Node,
  Notice,
  Parameter,
  Plan,
  PlanPreview,
  Run,
  Store,
  TaskDetail,
} from '@stillpoint/contract';
import type { Application, Outcome } from '../app/application.ts';

const at = '2026-03-29T01:00:00.000Z';

const device: Device = {
  name: 'QA1',
  host: '127.0.0.1',
  somaPort: 5550,
  restPort: null,
  username: 'backup',
  tags: { env: 'QA' },
  enabled: true,
  tls: { insecure: true },
  warnings: ['The certificate of QA1 is not checked.'],
};

const plan: Plan = {
  name: 'nightly',
  description: '',
  enabled: true,
  schedule: '0 0 2 * * ?',
  timezone: 'Europe/Zurich',
  window: ['22:00-06:00'],
  blackoutDates: ['2026-12-24'],
  missedRuns: 'once',
  overlap: 'skip',
  defaultErrorPolicy: 'halt',
  prePlanScript: null,
  postPlanScript: null,
  notify: { email: null, syslog: null, webhook: null },
  activities: [
    {
      exportDomain: {
        devices: 'QA*',
        domains: 'DOMAIN*',
        quiesce: false,
        preTaskScript: null,
        postTaskScript: { script: 'after.sh', when: 'onFailure' },
        errorPolicy: 'plan',
        retry: { attempts: 0, delaySeconds: 60 },
      },
    },
  ],
  scheduleRead: { expression: '0 0 2 * * ?', words: 'At 02:00 (Europe/Zurich)' },
  nextFireAts: [at],
  leftOutFires: [],
  lastRun: null,
};

const preview: PlanPreview = {
  plan: 'nightly',
  previewedAt: at,
  refusal: null,
  checks: [
    { name: 'backupsEnabled', row: 1, isPassed: true, code: null, sentence: 'Backups are switched on.' },
  ],
  window: {
    isOpen: true,
    timezone: 'UTC',
    opensAt: null,
    closesAt: null,
    isLongEnough: true,
    sentence: 'The window is open.',
  },
  tasks: [],
  estimate: { bytes: null, tasksOfUnknownBytes: 0, durationSeconds: null, tasksOfUnknownDuration: 0 },
  missingScripts: [],
  warnings: [],
};

const changed: ChangedParameter = {
  id: '1',
  name: 'devices.parallel',
  changedAt: at,
  changedBy: 'operator',
  isSecret: false,
  before: null,
  after: 16,
};

const run: Run = {
  id: 'r1',
  plan: 'nightly',
  trigger: 'request',
  status: 'QUEUED',
  reasonCode: null,
  sentence: null,
  startedAt: at,
  endedAt: null,
  windowOverrideReason: null,
  repeatsRunId: null,
  counters: {
    devices: 1,
    domains: 1,
    waiting: 1,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  },
  warnings: [],
};

const task: TaskDetail = {
  id: 't1',
  runId: 'r1',
  action: 'EXPORT_DOMAIN',
  device: 'QA1',
  domain: 'DOMAIN1',
  status: 'SUCCEEDED',
  reasonCode: null,
  sentence: null,
  attempt: 1,
  attempts: 1,
  nextAttemptAt: null,
  files: [{ path: 'QA1/domain/DOMAIN1/x.zip', sizeBytes: 12, sha256: 'a'.repeat(64) }],
  createdAt: at,
  startedAt: at,
  endedAt: at,
  warnings: [],
  steps: [{ name: 'export', attempt: 1, startedAt: at, endedAt: at, outcome: 'succeeded', detail: null }],
  scripts: [{ phase: 'pre', script: 'before.sh', exitCode: 0, output: 'done\n', endedAt: at }],
};

const backup: Backup = {
  id: 'b1',
  device: 'QA1',
  domain: 'DOMAIN1',
  action: 'EXPORT_DOMAIN',
  isPersisted: true,
  state: 'good',
  files: task.files,
  sizeBytes: 12,
  takenAt: at,
  plan: 'nightly',
  runId: 'r1',
  taskId: 't1',
  serial: null,
  model: null,
  firmwareVersion: null,
  firmwareBuild: null,
};

const parameter: Parameter = {
  name: 'devices.parallel',
  value: 16,
  defaultValue: 16,
  meaning: 'devices worked on at once',
  unit: 'devices',
  limits: '1 to 500',
  takesEffect: 'within two seconds',
  isSecret: false,
  isSet: true,
};

const store: Store = {
  path: '/mnt/backups',
  isUsable: true,
  isInitialised: true,
  isRemoteMount: true,
  fileSystem: 'nfs4',
  totalBytes: 1000,
  freeBytes: 500,
  problems: [],
};

const guard: Guard = {
  id: '7',
  device: 'QA1',
  domain: null,
  taskId: 't1',
  runId: 'r1',
  intendedAt: at,
  quiescedAt: null,
  hasOwner: true,
  sentence: 'QA1 is being quiesced.',
};

const node: Node = {
  id: 'n1',
  name: 'node-1',
  state: 'running',
  isAnswering: true,
  version: '1.2.3',
  pid: 4711,
  url: 'http://127.0.0.1:7420',
  devicesParallel: 16,
  tasksGoing: 1,
  startedAt: at,
  heartbeatAt: at,
  heartbeatAgeMs: 700,
  stoppedAt: null,
  sentence: 'node-1 runs.',
};

const alarm: Alarm = {
  id: 'a1',
  code: 'DEVICE_LEFT_QUIESCED',
  subject: { kind: 'device', name: 'QA1' },
  sentence: 'QA1 was left quiesced.',
  lastProblem: 'QA1 does not answer.',
  remedy: 'See whether it can be reached.',
  openedAt: at,
  lastSeenAt: at,
  closedAt: null,
  acknowledgement: { at, by: 'operator', note: null },
};

const notice: Notice = {
  id: 'o1',
  channel: 'webhook',
  event: 'RUN_ENDED',
  subjectId: 'r1',
  summary: 'The run of nightly ended FAILED.',
  state: 'WAITING',
  attempts: 2,
  lastProblem: 'The webhook at http://127.0.0.1:9 cannot be reached (ECONNREFUSED).',
  createdAt: at,
  nextTryAt: at,
  endedAt: null,
};

function answered<Value>(value: Value): Promise<Outcome<Value>> {
  return Promise.resolve({ ok: true, value });
}

const testDevice: Application['testDevice'] = (name) =>
  answered({
    device: name,
    isUsable: true,
    sentence: `${name} can be backed up.`,
    checks: [{ name: 'reachability', outcome: 'passed', sentence: `${name} answers.` }],
    firmwareVersion: null,
    model: null,
    serial: null,
    backupMode: null,
    clockDifferenceMs: -12,
    domains: ['default'],
    testedAt: at,
  });

const scripts: Pick<Application, 'listScripts' | 'testScript' | 'listRunScripts'> = {
  listRunScripts: () => answered(task.scripts),
  listScripts: () =>
    answered({ folder: '/scripts', problem: null, items: [{ name: 'a.sh', sizeBytes: 12, problem: null }] }),
  testScript: (name, { kind }) =>
    answered({
      name,
      kind,
      folder: '/scripts',
      arguments: ['BACKUP-PLAN', 'PRE'],
      environment: ['PATH'],
      input: { kind: 'BACKUP-PLAN', message: null },
      exitCode: 0,
      problem: null,
      durationMs: 12,
      output: '',
    }),
};

/** For tests: an application with one object of each kind, any use case of which may be exchanged. */
export function sampleApplication(changes: Partial<Application> = {}): Application {
  return {
    listDevices: () => answered([device]),
    listPlans: () => answered([plan]),
    getPlan: () => answered(plan),
    previewPlan: () => answered(preview),
    previewDefinition: () => answered(preview),
    getPlanCalendar: () => answered({ from: at, until: at, fires: [], notes: [] }),
    runPlan: () => answered(run),
    listRuns: () => answered({ items: [run], nextCursor: null }),
    getRun: () => answered(run),
    listTasks: () => answered({ items: [task], nextCursor: 'next' }),
    ...scripts,
    testDevice,
    cancelRun: () => answered(run),
    rerunRun: () => answered(run),
    getTask: () => answered(task),
    listBackups: () => answered({ items: [backup], nextCursor: null }),
    listParameters: () => answered([parameter]),
    getParameter: () => answered(parameter),
    listChangedParameters: () => answered({ items: [changed], nextCursor: null }),
    setParameter: (_, value) => answered({ ...parameter, value }),
    applyDocument: (_, { dryRun }) => answered({ dryRun, objects: [], warnings: [] }),
    getStore: () => answered(store),
    initStore: () => answered(store),
    rescanStore: () =>
      answered({
        manifestsRead: 1,
        backupsAdded: 0,
        backupsUnchanged: 1,
        backupsMissing: 0,
        backupsDamaged: 0,
        problems: [],
      }),
    listGuards: () => answered([guard]),
    unquiesceGuard: () =>
      answered({
        device: 'QA1',
        domain: null,
        seen: [{ domain: 'A', quiesceState: 'quiesced' }],
        isSent: true,
        isReleased: false,
        isTaskTold: false,
        problem: null,
        sentence: 'QA1 was told to run again.',
      }),
    listNodes: () => answered([node]),
    drainNode: () => answered({ ...node, state: 'draining' }),
    resumeNode: () => answered(node),
    listAlarms: () => answered({ items: [alarm], nextCursor: null }),
    acknowledgeAlarm: () => answered(alarm),
    listNotices: () => answered({ items: [notice], nextCursor: null }),
    retryNotice: () => answered(notice),
    testNotices: () =>
      answered({ channels: [{ channel: 'webhook', outcome: 'sent', sentence: 'The test was sent.' }] }),
    ...changes,
  };
}
