import type {
  Alarm,
  Backup,
  Device,
  Guard,
  Node,
  Notice,
  Parameter,
  Plan,
  Run,
  ScriptOutput,
  Store,
  Task,
} from '@stillpoint/contract';

const at = '2026-03-29T01:00:00.000Z';

/** For tests: a device. */
export const aDevice: Device = {
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

/** For tests: a plan. */
export const aPlan: Plan = {
  name: 'nightly',
  description: '',
  enabled: true,
  schedule: '0 0 2 * * ?',
  timezone: 'Europe/Zurich',
  window: 'none',
  blackoutDates: [],
  missedRuns: 'once',
  overlap: 'skip',
  defaultErrorPolicy: 'halt',
  prePlanScript: null,
  postPlanScript: null,
  notify: { email: null, syslog: null, webhook: null },
  activities: [],
  scheduleRead: { expression: '0 0 2 * * ?', words: 'At 02:00 (Europe/Zurich)' },
  nextFireAts: [at],
  leftOutFires: [],
  lastRun: { id: 'r0', status: 'SUCCEEDED', startedAt: at },
};

/** For tests: a run in the queue. */
export const aRun: Run = {
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
    devices: 0,
    domains: 0,
    waiting: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
  },
  warnings: [],
};

/** For tests: a task that succeeded. */
export const aTask: Task = {
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
};

/** For tests: a backup. */
export const aBackup: Backup = {
  id: 'b1',
  device: 'QA1',
  domain: 'DOMAIN1',
  action: 'EXPORT_DOMAIN',
  isPersisted: true,
  state: 'good',
  files: aTask.files,
  sizeBytes: 12,
  takenAt: at,
  plan: 'nightly',
  runId: 'r1',
  taskId: 't1',
  serial: null,
  model: null,
  firmwareVersion: 'IDG.10.5.0.0',
  firmwareBuild: null,
};

/** For tests: a parameter that is a number. */
export const aParameter: Parameter = {
  name: 'devices.parallel',
  value: 8,
  defaultValue: 16,
  meaning: 'devices worked on at once',
  unit: 'devices',
  limits: '1 to 500',
  takesEffect: 'within two seconds, on every node',
  isSecret: false,
  isSet: true,
};

/** For tests: a store that is not mounted. */
export const aStore: Store = {
  path: '/mnt/backups',
  isUsable: false,
  isInitialised: true,
  isRemoteMount: false,
  fileSystem: 'ext4',
  totalBytes: 1000,
  freeBytes: 505,
  problems: [
    { code: 'STORE_NOT_REMOTE', sentence: '/mnt/backups is a local disk.', remedy: 'Mount the share.' },
  ],
};

/** For tests: a domain that is quiesced. */
export const aGuard: Guard = {
  id: '7',
  device: 'QA1',
  domain: 'DOMAIN1',
  taskId: 't1',
  runId: 'r1',
  intendedAt: at,
  quiescedAt: null,
  hasOwner: false,
  sentence: 'Unquiesce is sent until QA1 answers.',
};

/** For tests: the node that answers. */
export const aNode: Node = {
  id: 'n1',
  name: 'backup-1',
  state: 'running',
  isAnswering: true,
  version: '1.2.3',
  pid: 4711,
  url: 'http://127.0.0.1:7420',
  devicesParallel: 16,
  tasksGoing: 2,
  startedAt: at,
  heartbeatAt: at,
  heartbeatAgeMs: 740,
  stoppedAt: null,
  sentence: 'backup-1 runs.',
};

/** For tests: a notice that waits to be tried again. */
export const aNotice: Notice = {
  id: 'o1',
  channel: 'email',
  event: 'RUN_ENDED',
  subjectId: 'r1',
  summary: 'The run of nightly ended FAILED.',
  state: 'WAITING',
  attempts: 2,
  lastProblem: 'The mail server mail:25 cannot be reached (ECONNREFUSED).',
  createdAt: at,
  nextTryAt: at,
  endedAt: null,
};

/** For tests: an alarm that is open. */
export const anAlarm: Alarm = {
  id: 'a1',
  code: 'DEVICE_LEFT_QUIESCED',
  subject: { kind: 'device', name: 'QA1' },
  sentence: 'QA1/DOMAIN1 was left quiesced.',
  lastProblem: 'QA1 does not answer.',
  remedy: 'See whether it answers.',
  openedAt: at,
  lastSeenAt: at,
  closedAt: null,
  acknowledgement: null,
};

/** For tests: what a script printed. */
export const aScriptOutput: ScriptOutput = {
  phase: 'post',
  script: 'after.sh',
  exitCode: 3,
  output: 'told\nnobody\n',
  endedAt: at,
};
