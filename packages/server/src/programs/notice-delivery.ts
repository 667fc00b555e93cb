import { type Channel, channels, pauseAfterTry } from '@stillpoint/core';
import type { Clock } from '@stillpoint/engine';
import type { Notifier, Sent } from '../app/notifier.ts';
import type { ClaimedNotice, NoticeRecords } from './notice-records.ts';

/** What a delivery works with. */
export type NoticeDeliveryTools<Transaction> = {
  readonly notices: Omit<NoticeRecords<Transaction>, 'enterDigests'>;
  readonly notifiers: Readonly<Record<Channel, Notifier>>;
  readonly clock: Pick<Clock, 'after'>;
  /** Told what was thrown, which is a mistake of ours or the database. */
  readonly onProblem: (error: unknown) => void;
};

/** A try that takes longer is given up; much shorter than the lease of a notice. */
export const SEND_MS = 30_000;

/**
 * Delivers what is due, one notice after the other on each channel and all channels beside each other, so that one whose
 * receiver is slow holds up no other. A notice that two nodes sent, because the first of them died after it, has one id.
 */
export class NoticeDelivery<Transaction> {
  readonly #tools: NoticeDeliveryTools<Transaction>;
  readonly #busy = new Map<Channel, Promise<void>>();

  constructor(tools: NoticeDeliveryTools<Transaction>) {
    this.#tools = tools;
  }

  /** Begins on every channel that has something due and nothing under way; the signal ends what was begun. */
  async begin(signal: AbortSignal): Promise<void> {
    const free = channels.filter((channel) => !this.#busy.has(channel));
    for (const notice of await this.#tools.notices.claimNotices(free)) {
      const { channel } = notice;
      const work = this.#deliverFrom(notice, signal)
        .catch(this.#tools.onProblem)
        .finally(() => this.#busy.delete(channel));
      this.#busy.set(channel, work);
    }
  }

  /** Resolves when nothing is under way any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  /** Goes on while the channel takes what it is given. */
  async #deliverFrom(first: ClaimedNotice, signal: AbortSignal): Promise<void> {
    let notice: ClaimedNotice | undefined = first;
    while (notice !== undefined && (await this.#deliver(notice, signal))) {
      if (signal.aborted) return;
      [notice] = await this.#tools.notices.claimNotices([notice.channel]);
    }
  }

  async #deliver(notice: ClaimedNotice, stopping: AbortSignal): Promise<boolean> {
    const { notices } = this.#tools;
    const sent = await this.#send(notice, stopping);
    if (sent === 'stopped') {
      await notices.freeNotice(notice);
      return false;
    }
    if (sent.ok) {
      await notices.endNotice(notice, 'DELIVERED', sent.remark);
      return true;
    }
    const { fault, askedPauseMs } = sent;
    const { attempts, waitedMs } = notice;
    const isRetryable = fault.retryable;
    const pauseMs = pauseAfterTry({ attempts: attempts + 1, waitedMs, isRetryable, askedPauseMs });
    if (pauseMs === null) await notices.endNotice(notice, 'GIVEN_UP', fault.detail);
    else await notices.putOffNotice(notice, fault.detail, pauseMs);
    return false;
  }

  /** Never longer than its time, whatever the notifier does. */
  async #send(notice: ClaimedNotice, stopping: AbortSignal): Promise<Sent | 'stopped'> {
    if (stopping.aborted) return 'stopped';
    const { clock, notifiers } = this.#tools;
    const giving = new AbortController();
    const over = Promise.withResolvers<Sent | 'stopped'>();
    const stop = (): void => {
      giving.abort();
      over.resolve('stopped');
    };
    stopping.addEventListener('abort', stop, { once: true });
    const callOff = clock.after(SEND_MS, () => {
      giving.abort();
      const detail = `Sending by ${notice.channel} took longer than ${SEND_MS / 1000} seconds.`;
      over.resolve(notSent('RECEIVER_TIMED_OUT', detail));
    });
    try {
      return await Promise.race([notifiers[notice.channel].send(notice, giving.signal), over.promise]);
    } catch (error) {
      this.#tools.onProblem(error);
      return notSent(
        'MISTAKE_OF_OURS',
        `Sending by ${notice.channel} met a mistake of ours; the log tells more.`,
      );
    } finally {
      callOff();
      stopping.removeEventListener('abort', stop);
    }
  }
}

function notSent(code: string, detail: string): Sent {
  return { ok: false, fault: { code, effect: 'unknown', retryable: true, detail }, askedPauseMs: null };
}
