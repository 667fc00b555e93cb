import { describe, expect, it } from 'vitest';
import { channelsToTell, noticePolicy, pauseAfterTry } from './notice.ts';

describe('the channels that are told how a run ended', () => {
  const notify = { email: 'onProblem', syslog: 'always', webhook: null } as const;

  it('are those that are always told when it succeeded', () => {
    expect(channelsToTell(notify, 'SUCCEEDED')).toEqual(['syslog']);
  });

  it.each(['PARTIAL', 'FAILED', 'SKIPPED', 'CANCELLED'] as const)(
    'are both kinds when it ended %s',
    (status) => {
      expect(channelsToTell(notify, status)).toEqual(['email', 'syslog']);
    },
  );

  it('are none when the plan names none', () => {
    expect(channelsToTell({ email: null, syslog: null, webhook: null }, 'FAILED')).toEqual([]);
  });
});

describe('the pause after a try that failed', () => {
  const failed = { attempts: 1, waitedMs: 0, isRetryable: true, askedPauseMs: null };

  it('is 30 seconds first and doubles up to an hour', () => {
    const pauses = Array.from({ length: 9 }, (_, index) => pauseAfterTry({ ...failed, attempts: index + 1 }));
    expect(pauses.map((pause) => (pause ?? 0) / 1000)).toEqual([
      30, 60, 120, 240, 480, 960, 1920, 3600, 3600,
    ]);
    expect(pauseAfterTry({ ...failed, attempts: 10_000 })).toBe(noticePolicy.longestPauseMs);
  });

  it('is as long as the receiver asked for, if that is longer, but never longer than an hour', () => {
    expect(pauseAfterTry({ ...failed, askedPauseMs: 45_000 })).toBe(45_000);
    expect(pauseAfterTry({ ...failed, askedPauseMs: 1 })).toBe(30_000);
    expect(pauseAfterTry({ ...failed, askedPauseMs: 86_400_000 })).toBe(3_600_000);
  });

  it('does not come after three days, nor after a refusal for good: the notice is given up', () => {
    expect(pauseAfterTry({ ...failed, waitedMs: noticePolicy.giveUpAfterMs - 1 })).toBe(30_000);
    expect(pauseAfterTry({ ...failed, waitedMs: noticePolicy.giveUpAfterMs })).toBeNull();
    expect(pauseAfterTry({ ...failed, isRetryable: false })).toBeNull();
  });
});
