import type { ParameterName } from './parameters.ts';

/** What an operator is told of a parameter besides its default and its meaning. */
export type ParameterFacts = {
  /** Null where a value has none. */
  readonly unit: string | null;
  /** What is allowed. */
  readonly limits: string;
  /** When and where a new value begins to count. */
  readonly takesEffect: string;
};

const nextRun = 'with the next run; a run that has begun keeps what it began with';
const nextTask = 'with the tasks of the next run; tasks that exist keep what they were made with';
const nextLook = 'within two seconds, on every node';
const nextNotice = 'with the next notice, also one that is tried again';
const nextUse = 'with the next use of the store';
const switched = 'true or false';
const line = 'one line of at most 1000 characters';
const path = 'an absolute path, or unset';
const address = 'host:port, or empty';
const url = 'an address that begins with http:// or https://, or empty';

/** The facts of every parameter; limits are tested against what is refused. */
export const parameterFacts: { readonly [Name in ParameterName]: ParameterFacts } = {
  'backups.enabled': { unit: null, limits: switched, takesEffect: nextRun },
  'store.path': { unit: null, limits: path, takesEffect: nextUse },
  'store.requireRemoteMount': { unit: null, limits: switched, takesEffect: nextUse },
  'store.minFreePercent': { unit: 'percent', limits: '0 to 99', takesEffect: nextRun },
  'device.minFreeTemporaryMb': { unit: 'MB', limits: '0 to 1000000', takesEffect: nextTask },
  'quiesce.timeoutSeconds': { unit: 'seconds', limits: '60 to 65535', takesEffect: nextTask },
  'quiesce.graceSeconds': { unit: 'seconds', limits: '0 to 65535', takesEffect: nextTask },
  'quiesce.settleSeconds': { unit: 'seconds', limits: '1 to 3600', takesEffect: nextTask },
  'quiesce.pollMs': { unit: 'milliseconds', limits: '100 to 60000', takesEffect: nextTask },
  'unquiesce.timeoutSeconds': { unit: 'seconds', limits: '1 to 65535', takesEffect: nextTask },
  'unquiesce.graceSeconds': { unit: 'seconds', limits: '0 to 65535', takesEffect: nextTask },
  'window.default': {
    unit: null,
    limits: '"none", or windows HH:MM-HH:MM separated by commas, whose two ends differ',
    takesEffect: nextRun,
  },
  'scripts.path': { unit: null, limits: path, takesEffect: 'with the next script' },
  'scripts.timeoutSeconds': { unit: 'seconds', limits: '1 to 86400', takesEffect: 'with the next script' },
  'queue.maxHours': { unit: 'hours', limits: '1 to 720', takesEffect: nextRun },
  'devices.parallel': { unit: 'devices', limits: '1 to 500', takesEffect: nextLook },
  'verify.exportHashes': { unit: null, limits: switched, takesEffect: nextTask },
  'history.keepDays': {
    unit: 'days',
    limits: '1 to 36500',
    takesEffect: 'within an hour, on one node at a time',
  },
  timezone: {
    unit: null,
    limits: 'the name of an IANA time zone such as Europe/Zurich, or unset',
    takesEffect: 'at once: the next fires of plans without a zone of their own are worked out anew',
  },
  'mail.server': { unit: null, limits: address, takesEffect: nextNotice },
  'mail.security': { unit: null, limits: 'none, starttls or tls', takesEffect: nextNotice },
  'mail.username': { unit: null, limits: line, takesEffect: nextNotice },
  'mail.password': { unit: null, limits: line, takesEffect: nextNotice },
  'mail.from': { unit: null, limits: 'a mail address, or empty', takesEffect: nextNotice },
  'mail.to': {
    unit: null,
    limits: 'at most 50 mail addresses, separated by commas',
    takesEffect: nextNotice,
  },
  'syslog.server': { unit: null, limits: address, takesEffect: nextNotice },
  'syslog.transport': { unit: null, limits: 'udp, tcp or tls', takesEffect: nextNotice },
  'webhook.url': { unit: null, limits: url, takesEffect: nextNotice },
  'webhook.secret': { unit: null, limits: 'one line of 16 to 1000 characters', takesEffect: nextNotice },
  'heartbeat.url': { unit: null, limits: url, takesEffect: 'with the next call' },
  'heartbeat.everySeconds': { unit: 'seconds', limits: '10 to 86400', takesEffect: 'with the next call' },
  'notices.caPem': { unit: null, limits: 'certificates in PEM, or empty', takesEffect: nextNotice },
};
