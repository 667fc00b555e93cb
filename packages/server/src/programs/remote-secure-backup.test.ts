import type { Reply } from '@stillpoint/core';
import type { Appliance } from '@stillpoint/datapower';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../engine/src/testing/manual-clock.ts';
import type { Conversation } from './conversation.ts';
import { createSecureBackup, removeSecureBackup } from './remote-secure-backup.ts';

const DIRECTORY = 'temporary:/stillpoint-t';
const order = {
  certificate: 'dr-cert',
  destination: DIRECTORY,
  includesIscsi: false,
  includesRaid: false,
};

/** Lets everything that is due by promises alone come to rest. */
const rest = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let isBusy: boolean;
let files: { path: string; sizeBytes: number; modifiedText: null }[];
let directories: string[];
let talk: Conversation;

beforeEach(() => {
  clock = new ManualClock();
  isBusy = true;
  files = [];
  directories = [];
  const device: Pick<
    Appliance,
    'createDirectory' | 'createSecureBackup' | 'readDomainStatus' | 'listFiles' | 'removeDirectory'
  > = {
    createDirectory: async (directory) => {
      directories.push(directory);
      return { ok: true, value: undefined };
    },
    createSecureBackup: async () => ({ ok: true, value: undefined }),
    readDomainStatus: async () => {
      const currentCommand = isBusy ? 'backup' : '';
      const own = { domain: 'default', isSaveNeeded: false, quiesceText: '' };
      return { ok: true, value: [{ ...own, currentCommand, quiesceState: 'normal' as const }] };
    },
    listFiles: async () => ({ ok: true, value: { files, directories } }),
    removeDirectory: async () => {
      directories = [];
      return { ok: true, value: undefined };
    },
  };
  talk = {
    device: 'TEST8',
    ask: (question) => question(device as Appliance, {}),
    act: async (action) => {
      const reply = await action(device as Appliance, {});
      return reply.ok ? { ok: true, value: null } : reply;
    },
  };
});

/** Lets the seconds pass one by one, up to so many, and tells after how many there was a reply, and which. */
async function replyOf(
  asked: Promise<Reply<null>>,
  mostSeconds: number,
): Promise<{ seconds: number; code: string | null }> {
  let reply: Reply<null> | null = null;
  void asked.then((one) => {
    reply = one;
  });
  for (let seconds = 0; seconds <= mostSeconds; seconds += 1) {
    await rest();
    const known = reply as Reply<null> | null;
    if (known !== null) return { seconds, code: known.ok ? null : known.fault.code };
    clock.pass(1000);
  }
  throw new Error(`There was no reply within ${mostSeconds} seconds.`);
}

const begin = (signal = new AbortController().signal): Promise<Reply<null>> =>
  createSecureBackup(talk, order, signal, clock);

describe('a secure backup that the device writes', () => {
  it('is there when the device is idle and has written its manifest', async () => {
    const asked = begin();
    await rest();
    files = [{ path: `${DIRECTORY}/backupmanifest.xml`, sizeBytes: 1, modifiedText: null }];
    clock.pass(1000);
    await rest();
    isBusy = false;
    expect(await replyOf(asked, 2)).toEqual({ seconds: 1, code: null });
  });

  it('is given up at once when the task is', async () => {
    const abort = new AbortController();
    const asked = begin(abort.signal);
    await rest();
    abort.abort();
    expect(await replyOf(asked, 0)).toEqual({ seconds: 0, code: 'SECURE_BACKUP_TIMED_OUT' });
  });

  describe.each([
    ['left alone', 0],
    ['put back by a day', -86_400_000],
    ['put forward by an hour', 3_600_000],
  ])('while the clock is %s', (_, byMs) => {
    it('is waited for for two minutes without a manifest, for the device may be quiesced', async () => {
      isBusy = false;
      const asked = begin();
      await rest();
      clock.set(byMs);
      expect(await replyOf(asked, 200)).toEqual({ seconds: 120, code: null });
    });

    it('is waited for for twenty minutes in which the device says that it writes', async () => {
      const asked = begin();
      await rest();
      clock.set(byMs);
      expect(await replyOf(asked, 1300)).toEqual({ seconds: 1200, code: 'SECURE_BACKUP_TIMED_OUT' });
    });

    it('is left there after a minute in which the device goes on writing', async () => {
      directories = [DIRECTORY];
      const asked = removeSecureBackup(talk, DIRECTORY, new AbortController().signal, clock);
      await rest();
      clock.set(byMs);
      expect(await replyOf(asked, 100)).toEqual({ seconds: 60, code: 'SECURE_BACKUP_LEFT_ON_DEVICE' });
      expect(directories).toEqual([DIRECTORY]);
    });
  });

  it('is removed once the device has finished', async () => {
    directories = [DIRECTORY];
    const asked = removeSecureBackup(talk, DIRECTORY, new AbortController().signal, clock);
    await rest();
    isBusy = false;
    expect(await replyOf(asked, 5)).toEqual({ seconds: 1, code: null });
    expect(directories).toEqual([]);
  });
});
