import type { Channel } from '@stillpoint/core';
import type { Notifier } from '../../app/notifier.ts';
import { HeartbeatCaller } from './heartbeat-caller.ts';
import { MailNotifier } from './mail-notifier.ts';
import type { NoticeSettings } from './notice-settings.ts';
import type { RemedyOf } from './notice-words.ts';
import type { SyslogSource } from './syslog-line.ts';
import { SyslogNotifier } from './syslog-notifier.ts';
import { WebhookNotifier } from './webhook-notifier.ts';

/** What notices are sent with. */
export type NotifierTools = {
  readonly settings: NoticeSettings;
  readonly source: SyslogSource;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly remedyOf: RemedyOf;
};

/** What sends by each channel, and the heartbeat; none of them holds anything open between two notices. */
export function openNotifiers(tools: NotifierTools): {
  readonly notifiers: Readonly<Record<Channel, Notifier>>;
  readonly heartbeat: HeartbeatCaller;
} {
  return {
    notifiers: {
      email: new MailNotifier(tools),
      syslog: new SyslogNotifier(tools),
      webhook: new WebhookNotifier(tools),
    },
    heartbeat: new HeartbeatCaller(tools.settings, tools.version),
  };
}
