import type { Channel } from '../plan/plan.ts';
import type { ParameterDefinition } from './parameter-definition.ts';
import { wholeNumber } from './whole-number.ts';

/** The parameters that say where notices go; an empty text is one that is not set. */
export type NoticeParameters = {
  readonly 'mail.server': string;
  readonly 'mail.security': 'none' | 'starttls' | 'tls';
  readonly 'mail.username': string;
  readonly 'mail.from': string;
  readonly 'mail.to': string;
  readonly 'syslog.server': string;
  readonly 'syslog.transport': 'udp' | 'tcp' | 'tls';
  readonly 'webhook.url': string;
  readonly 'heartbeat.url': string;
  readonly 'heartbeat.everySeconds': number;
  readonly 'notices.caPem': string;
};

/** A parameter whose value is kept sealed and shown to nobody. */
export type SecretParameterName = 'mail.password' | 'webhook.secret';

const text =
  (isGood: (text: string) => boolean, refusal: string) =>
  (value: unknown): string | null =>
    typeof value === 'string' && (value === '' || isGood(value)) ? null : refusal;

const oneOf =
  (...choices: readonly string[]) =>
  (value: unknown): string | null =>
    typeof value === 'string' && choices.includes(value) ? null : `must be one of ${choices.join(', ')}`;

const HOST = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])`;

const isPort = (port: string | undefined): boolean =>
  port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);

const hostAndPort = new RegExp(`^${HOST}:(\\d{1,5})$`);
const server = text((value) => {
  const found = hostAndPort.exec(value);
  return found !== null && isPort(found[1]);
}, 'must be a host and a port such as mail.example.com:587');

// Who could be named before the host (user:password@) would be seen by everybody who may read the parameters.
const address = new RegExp(`^https?://${HOST}(?::(\\d{1,5}))?(?:[/?][\\x21-\\x7e]*)?$`);
const url = text((value) => {
  const found = value.length > 2_000 ? null : address.exec(value);
  return found !== null && isPort(found[1]);
}, 'must be an address that begins with http:// or https:// and names no user');

// No blank, no control character: nothing that is set here can begin another line of a mail's head.
const mailbox =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*$/;
const isMailbox = (value: string): boolean => value.length <= 254 && mailbox.test(value);

const certificates = /^\s*(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/;

const isLine = (value: string): boolean => value.length <= 1_000 && !/\p{Cc}/u.test(value);

/** The parameters of notices; the one place where a default, a limit or a meaning of theirs is written. */
export const noticeParameterDefinitions: {
  readonly [Name in keyof NoticeParameters | SecretParameterName]: ParameterDefinition;
} = {
  'mail.server': {
    defaultValue: '',
    meaning: 'mail server that notices are sent through, host:port; empty: no mail is sent',
    refusal: server,
  },
  'mail.security': {
    defaultValue: 'starttls',
    meaning: 'how the connection to the mail server is secured: none, starttls or tls',
    refusal: oneOf('none', 'starttls', 'tls'),
  },
  'mail.username': {
    defaultValue: '',
    meaning: 'who logs in at the mail server; empty: nobody does',
    refusal: text(isLine, 'must be one line of at most 1000 characters'),
  },
  'mail.password': {
    defaultValue: '',
    meaning: 'password at the mail server',
    refusal: text(isLine, 'must be one line of at most 1000 characters'),
    isSecret: true,
  },
  'mail.from': {
    defaultValue: '',
    meaning: 'sender of mails',
    refusal: text(isMailbox, 'must be a mail address such as backup@example.com'),
  },
  'mail.to': {
    defaultValue: '',
    meaning: 'who is sent mails, separated by commas',
    refusal: text(
      (value) => mailboxesOf(value).length <= 50 && mailboxesOf(value).every(isMailbox),
      'must be at most 50 mail addresses, separated by commas',
    ),
  },
  'syslog.server': {
    defaultValue: '',
    meaning: 'syslog server that is sent notices, host:port; empty: none is',
    refusal: server,
  },
  'syslog.transport': {
    defaultValue: 'udp',
    meaning: 'how the syslog server is reached: udp, tcp or tls',
    refusal: oneOf('udp', 'tcp', 'tls'),
  },
  'webhook.url': {
    defaultValue: '',
    meaning: 'address that notices are posted to as JSON; empty: none is',
    refusal: url,
  },
  'webhook.secret': {
    defaultValue: '',
    meaning: 'key that notices to the webhook are signed with; empty: they are not signed',
    refusal: text(
      (value) => isLine(value) && value.length >= 16,
      'must be one line of 16 to 1000 characters',
    ),
    isSecret: true,
  },
  'heartbeat.url': {
    defaultValue: '',
    meaning: 'address that is called again and again while a server is alive; empty: none is',
    refusal: url,
  },
  'heartbeat.everySeconds': {
    defaultValue: 60,
    meaning: 'pause between two calls of heartbeat.url, in seconds',
    refusal: wholeNumber(10, 86_400),
  },
  'notices.caPem': {
    defaultValue: '',
    meaning: "certificates (PEM) that are trusted besides the system's when notices are sent over TLS",
    refusal: text(
      (value) => value.length <= 32_768 && certificates.test(value),
      'must be certificates in PEM',
    ),
  },
};

/** Who is sent mails. */
export function mailboxesOf(to: string): readonly string[] {
  return to.split(',').map((one) => one.trim());
}

/** The parameters of notices in force, but for the secret ones: what was set, on top of the defaults. */
export function noticeParametersInForce(values: Readonly<Record<string, unknown>>): NoticeParameters {
  const entries = Object.entries(noticeParameterDefinitions)
    .filter(([, { isSecret }]) => isSecret !== true)
    .map(([name, { defaultValue }]) => [name, Object.hasOwn(values, name) ? values[name] : defaultValue]);
  return Object.fromEntries(entries) as NoticeParameters;
}

const needs: Readonly<Record<Channel, readonly (keyof NoticeParameters)[]>> = {
  email: ['mail.server', 'mail.from', 'mail.to'],
  syslog: ['syslog.server'],
  webhook: ['webhook.url'],
};

/** Every channel that a notice can take. */
export const channels = Object.keys(needs) as readonly Channel[];

/** The first parameter that a channel still needs before anything can be sent by it; null when it has all. */
export function parameterMissing(
  channel: Channel,
  parameters: NoticeParameters,
): keyof NoticeParameters | null {
  return needs[channel].find((name) => parameters[name] === '') ?? null;
}
