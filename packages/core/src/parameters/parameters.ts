import { isTimezone, parseWindowText } from '../window/window.ts';
import {
  type NoticeParameters,
  noticeParameterDefinitions,
  type SecretParameterName,
} from './notice-parameters.ts';
import type { ParameterDefinition } from './parameter-definition.ts';
import { wholeNumber as whole } from './whole-number.ts';

/** The system parameters that runs and tasks go by, with their types; units are in the names. */
export type Parameters = {
  readonly 'backups.enabled': boolean;
  readonly 'store.path': string | null;
  readonly 'store.requireRemoteMount': boolean;
  readonly 'store.minFreePercent': number;
  readonly 'device.minFreeTemporaryMb': number;
  readonly 'quiesce.timeoutSeconds': number;
  readonly 'quiesce.graceSeconds': number;
  readonly 'quiesce.settleSeconds': number;
  readonly 'quiesce.pollMs': number;
  readonly 'unquiesce.timeoutSeconds': number;
  readonly 'unquiesce.graceSeconds': number;
  readonly 'window.default': string;
  readonly 'scripts.path': string | null;
  readonly 'scripts.timeoutSeconds': number;
  readonly 'queue.maxHours': number;
  readonly 'devices.parallel': number;
  readonly 'verify.exportHashes': boolean;
  readonly 'history.keepDays': number;
  readonly timezone: string | null;
};

/** The name of a system parameter. */
export type ParameterName = keyof Parameters | keyof NoticeParameters | SecretParameterName;

const flag = (value: unknown): string | null => (typeof value === 'boolean' ? null : 'must be true or false');

const absolutePath = (value: unknown): string | null =>
  value === null || (typeof value === 'string' && /^\/[^\0]*$/.test(value))
    ? null
    : 'must be an absolute path';

const zone = (value: unknown): string | null =>
  value === null || (typeof value === 'string' && isTimezone(value))
    ? null
    : 'must be the name of an IANA time zone such as Europe/Zurich';

function windowText(value: unknown): string | null {
  if (typeof value !== 'string') return 'must be "none" or windows such as 22:00-06:00';
  const read = parseWindowText(value);
  return 'kind' in read ? `cannot be read: ${read.detail.replace(/\.$/, '')}` : null;
}

const workDefinitions: { readonly [Name in keyof Parameters]: ParameterDefinition } = {
  'backups.enabled': { defaultValue: true, meaning: 'the global switch: off, no run starts', refusal: flag },
  'store.path': { defaultValue: null, meaning: 'root of the store', refusal: absolutePath },
  'store.requireRemoteMount': {
    defaultValue: true,
    meaning: 'the store must lie on a mounted network file system',
    refusal: flag,
  },
  'store.minFreePercent': {
    defaultValue: 10,
    meaning: 'no run or task starts when the store has less free space, in percent',
    refusal: whole(0, 99),
  },
  'device.minFreeTemporaryMb': {
    defaultValue: 512,
    meaning: "free space in a device's temporary storage that a secure backup needs, in MB",
    refusal: whole(0, 1_000_000),
  },
  'quiesce.timeoutSeconds': {
    defaultValue: 120,
    meaning: 'time-out handed to the quiesce request, in seconds',
    refusal: whole(60, 65_535),
  },
  'quiesce.graceSeconds': {
    defaultValue: 180,
    meaning: 'waited on top of the quiesce time-out before giving up, in seconds',
    refusal: whole(0, 65_535),
  },
  'quiesce.settleSeconds': {
    defaultValue: 60,
    meaning: 'how long a request whose reply was lost may still land on a device, in seconds',
    refusal: whole(1, 3_600),
  },
  'quiesce.pollMs': {
    defaultValue: 2_000,
    meaning: 'pause between two looks at a device that is being quiesced or unquiesced, in milliseconds',
    refusal: whole(100, 60_000),
  },
  'unquiesce.timeoutSeconds': {
    defaultValue: 120,
    meaning: 'time that unquiescing may take, in seconds',
    refusal: whole(1, 65_535),
  },
  'unquiesce.graceSeconds': {
    defaultValue: 180,
    meaning: 'waited on top of the unquiesce time-out before giving up, in seconds',
    refusal: whole(0, 65_535),
  },
  'window.default': {
    defaultValue: 'none',
    meaning: 'maintenance window of plans that name none, e.g. 22:00-06:00',
    refusal: windowText,
  },
  'scripts.path': {
    defaultValue: null,
    meaning: 'folder of the scripts; unset: "scripts" in the data directory',
    refusal: absolutePath,
  },
  'scripts.timeoutSeconds': {
    defaultValue: 600,
    meaning: 'a script that runs longer is killed with all it started, in seconds',
    refusal: whole(1, 86_400),
  },
  'queue.maxHours': {
    defaultValue: 24,
    meaning: 'a run or task that waited longer is cancelled, in hours',
    refusal: whole(1, 720),
  },
  'devices.parallel': {
    defaultValue: 16,
    meaning: 'devices worked on at once by one server',
    refusal: whole(1, 500),
  },
  'verify.exportHashes': {
    defaultValue: true,
    meaning: 'every file that an export lists with a hash must match it',
    refusal: flag,
  },
  'history.keepDays': {
    defaultValue: 365,
    meaning: 'runs that ended longer ago leave the history; their backups stay, in days',
    refusal: whole(1, 36_500),
  },
  timezone: {
    defaultValue: null,
    meaning: "zone of default windows and of time stamps in file names; unset: the host's",
    refusal: zone,
  },
};

/** Every system parameter; where a default, a limit or a meaning is written. */
export const parameterDefinitions: { readonly [Name in ParameterName]: ParameterDefinition } = {
  ...workDefinitions,
  ...noticeParameterDefinitions,
};

/** Whether a text is the name of a system parameter. */
export function isParameterName(name: string): name is ParameterName {
  return Object.hasOwn(parameterDefinitions, name);
}

/** Whether the value of a parameter is kept sealed and shown to nobody. */
export function isSecretParameter(name: string): name is SecretParameterName {
  return isParameterName(name) && parameterDefinitions[name].isSecret === true;
}

/** The parameters in force that runs and tasks go by: what was set, on top of the defaults. */
export function parametersInForce(values: Readonly<Record<string, unknown>>): Parameters {
  const entries = Object.entries(workDefinitions).map(([name, { defaultValue }]) => [
    name,
    Object.hasOwn(values, name) ? values[name] : defaultValue,
  ]);
  return Object.fromEntries(entries) as Parameters;
}
