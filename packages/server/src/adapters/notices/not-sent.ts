import type { Channel, NoticeParameters } from '@stillpoint/core';
import { parameterMissing } from '@stillpoint/core';
import type { Sent } from '../../app/notifier.ts';
import type { noticeCatalogue } from './notice-catalogue.ts';

/** A notice that was not sent. */
export type NotSent = Extract<Sent, { ok: false }>;

/** What is told of a notice that was not sent; the receiver may have taken it all the same unless `effect` is `none`. */
export function notSent(
  code: keyof typeof noticeCatalogue,
  detail: string,
  more: { effect?: 'none' | 'unknown'; isRetryable?: boolean; askedPauseMs?: number | null } = {},
): NotSent {
  const { effect = 'none', isRetryable = true, askedPauseMs = null } = more;
  return { ok: false, fault: { code, effect, retryable: isRetryable, detail }, askedPauseMs };
}

/** Null for a channel that has every parameter it needs. */
export function notSetUp(channel: Channel, parameters: NoticeParameters): NotSent | null {
  const missing = parameterMissing(channel, parameters);
  return missing === null ? null : notSent('CHANNEL_NOT_SET_UP', `The parameter ${missing} is not set.`);
}

/** Of what goes wrong between two machines: whether it was the certificate, our patience, or the way between. */
export function brokenOff(receiver: string, error: unknown, effect: 'none' | 'unknown'): NotSent {
  const { name, code = name, message } = error as NodeJS.ErrnoException;
  if (code === 'ABORT_ERR' || name === 'AbortError' || name === 'TimeoutError')
    return notSent('RECEIVER_TIMED_OUT', `${receiver} did not answer in time.`, { effect });
  if (isMistrust(code, message))
    return notSent(
      'RECEIVER_NOT_TRUSTED',
      `${receiver} cannot be reached over a secured connection (${code}).`,
    );
  return notSent('RECEIVER_UNREACHABLE', `${receiver} cannot be reached (${code}).`, { effect });
}

const isMistrust = (code: string, message: string): boolean =>
  /CERT|SIGNATURE|ISSUER|^ERR_SSL|^ERR_TLS|^EPROTO$|^ETLS$/.test(code) ||
  /certificate|SSL routines/i.test(message);
