import { mailboxesOf, type NoticeParameters } from '@stillpoint/core';
import { createTransport } from 'nodemailer';
import type { NoticeToSend, Notifier, Sent } from '../../app/notifier.ts';
import { cutText } from '../../programs/cut-text.ts';
import { brokenOff, type NotSent, notSent, notSetUp } from './not-sent.ts';
import { type NoticeSettings, readNoticeParameters, revealSecret } from './notice-settings.ts';
import { type RemedyOf, summaryOf, textOf } from './notice-words.ts';
import { receiverAt } from './receiver-at.ts';
import { trustedCertificates } from './trusted-certificates.ts';

/** Limits of single steps; all of them together are kept in bounds by the signal. */
const STEP_MS = 10_000;
const SILENCE_MS = 20_000;

const SUBJECT_LENGTH = 200;
const ANSWER_LENGTH = 300;

/** "Authentication required" (RFC 4954), as an answer to any command. */
const LOGIN_WANTED = 530;

/** Who logs in; nobody when the user is empty. */
type Login = { readonly user: string; readonly password: string };

/** Sends notices as plain text mails. */
export class MailNotifier implements Notifier {
  readonly #settings: NoticeSettings;
  readonly #remedyOf: RemedyOf;

  constructor({ settings, remedyOf }: { settings: NoticeSettings; remedyOf: RemedyOf }) {
    this.#settings = settings;
    this.#remedyOf = remedyOf;
  }

  async send(notice: NoticeToSend, signal: AbortSignal): Promise<Sent> {
    const parameters = await readNoticeParameters(this.#settings);
    const missing = notSetUp('email', parameters);
    if (missing !== null) return missing;
    const login = await this.#login(parameters);
    if ('fault' in login) return login;
    const transport = createTransport(transportOf(parameters, login));
    try {
      const { rejected } = await transport.sendMail({ ...this.#mail(notice, parameters), signal });
      return { ok: true, remark: rejected.length === 0 ? null : `Refused for ${rejected.join(', ')}.` };
    } catch (error) {
      return judge(error, `The mail server ${parameters['mail.server']}`, login);
    } finally {
      transport.close();
    }
  }

  async #login(parameters: NoticeParameters): Promise<Login | NotSent> {
    const user = parameters['mail.username'];
    if (user === '') return { user, password: '' };
    if (parameters['mail.security'] === 'none') {
      const detail = 'A password is not sent over a connection that is not secured: mail.security is "none".';
      return notSent('CHANNEL_NOT_SET_UP', detail);
    }
    const password = await revealSecret(this.#settings, 'mail.password');
    if (!password.ok) return notSent('SECRET_NOT_READABLE', password.fault.detail);
    if (password.value === '')
      return notSent('CHANNEL_NOT_SET_UP', 'The parameter mail.password is not set.');
    return { user, password: password.value };
  }

  #mail(notice: NoticeToSend, parameters: NoticeParameters) {
    const from = parameters['mail.from'];
    return {
      from,
      to: [...mailboxesOf(parameters['mail.to'])],
      subject: subjectOf(notice),
      text: textOf(notice, this.#remedyOf),
      date: new Date(notice.createdAt),
      messageId: `<${notice.noticeId}@${from.split('@')[1]}>`,
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Stillpoint-Notice': notice.noticeId },
    };
  }
}

/** One line, whatever is in the names that stand in it. */
function subjectOf({ content }: NoticeToSend): string {
  const line = `[Stillpoint] ${summaryOf(content)}`.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return cutText(line, SUBJECT_LENGTH);
}

function transportOf(parameters: NoticeParameters, { user, password }: Login) {
  const { 'mail.server': server, 'mail.security': security } = parameters;
  const ca = trustedCertificates(parameters['notices.caPem']);
  return {
    ...receiverAt(server),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) } as const,
    ...(user === '' ? {} : { auth: { user, pass: password }, forceAuth: true }),
    dnsTimeout: STEP_MS,
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: SILENCE_MS,
    socketCloseTimeout: 1_000,
    // A mail is made of what we write into it and of nothing that it names.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

type MailError = Error & {
  readonly code?: string;
  readonly originalCode?: string;
  readonly responseCode?: number;
  readonly response?: string;
};

/** Only a message that is refused for good (5xx) is given up; a login can be put right meanwhile. */
function judge(error: unknown, server: string, login: Login): Sent {
  const { code = '', originalCode, responseCode, response = '', message } = error as MailError;
  const answer = printable(withoutSecret(response, login));
  if (code === 'EAUTH' || code === 'ENOAUTH' || responseCode === LOGIN_WANTED)
    return notSent('RECEIVER_LOGIN_REFUSED', `${server} refused the login: ${answer || message}.`);
  if (responseCode !== undefined) {
    const isRetryable = responseCode < 500 || (code !== 'EENVELOPE' && code !== 'EMESSAGE');
    return notSent('RECEIVER_REFUSED', `${server} answered ${answer}.`, { isRetryable });
  }
  if (code === 'ETIMEDOUT' || code === 'EABORT' || (error as Error).name === 'AbortError')
    return notSent('RECEIVER_TIMED_OUT', `${server} did not answer in time.`, { effect: 'unknown' });
  const cause = Object.assign(new Error(message), { code: originalCode ?? code });
  return brokenOff(server, cause, 'unknown');
}

/** A server may repeat what it was told: the password as it is, or as the ways to log in spell it. */
function withoutSecret(text: string, { user, password }: Login): string {
  if (password === '') return text;
  const spellings = [base64(`\0${user}\0${password}`), base64(password), password];
  return spellings.reduce((left, spelling) => left.replaceAll(spelling, '[redacted]'), text);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** One line that is shown and kept; only of a text without secrets, for a part of one is not found any more. */
const printable = (text: string): string => cutText(text.replace(/[\s\p{C}]+/gu, ' '), ANSWER_LENGTH);
