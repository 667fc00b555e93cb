import type { Reply } from '@stillpoint/core';
import type { SecureBackupOrder } from '@stillpoint/datapower';
import { type Clock, pause } from '@stillpoint/engine';
import type { Conversation } from './conversation.ts';

const LONGEST_WRITING_MS = 20 * 60_000;
/** A device that is idle and has written nothing for this long has finished, well or badly. */
const LONGEST_STANDSTILL_MS = 2 * 60_000;
const LONGEST_FINISHING_MS = 60_000;
const POLL_MS = 1_000;

/** A device that lets nobody make a directory makes the one of a secure backup itself. */
const mayBeMadeByTheDevice: ReadonlySet<string> = new Set(['ACTION_REFUSED', 'NOT_AUTHORISED']);

/**
 * Has a device write a secure backup into a directory and waits until it is there. Accepted is not done: the device may
 * still be writing, and says so by the command that it is busy with. One that stops without a manifest is not waited for
 * any longer, for it may be quiesced meanwhile: the download then says what is missing.
 */
export async function createSecureBackup(
  talk: Conversation,
  order: SecureBackupOrder,
  signal: AbortSignal,
  clock: Clock,
): Promise<Reply<null>> {
  const made = await talk.act((appliance, call) => appliance.createDirectory(order.destination, call));
  if (!made.ok && !mayBeMadeByTheDevice.has(made.fault.code)) return made;
  const accepted = await talk.act((appliance, call) => appliance.createSecureBackup(order, call));
  if (!accepted.ok) return accepted;
  const deadline = clock.elapsed() + LONGEST_WRITING_MS;
  let written = '';
  let writtenAt = clock.elapsed();
  while (clock.elapsed() < deadline && !signal.aborted) {
    const isWriting = await isBusy(talk);
    if (!isWriting.ok) return isWriting;
    const content = isWriting.value ? null : await contentOf(talk, order.destination);
    if (content === null || content.text !== written) {
      written = content?.text ?? written;
      writtenAt = clock.elapsed();
    }
    const isOver = content?.hasManifest === true || clock.elapsed() - writtenAt >= LONGEST_STANDSTILL_MS;
    if (isOver) return { ok: true, value: null };
    // An abort ends the pause, and then the loop.
    await pause(clock, POLL_MS, signal);
  }
  const detail = `${talk.device} had not finished its secure backup after ${LONGEST_WRITING_MS / 60_000} minutes.`;
  return {
    ok: false,
    fault: { code: 'SECURE_BACKUP_TIMED_OUT', effect: 'unknown', retryable: true, detail },
  };
}

/**
 * Removes the directory of a secure backup, after waiting for one that may still be written into it. A device that does
 * not answer is asked again for a while: what is left behind takes up its temporary storage.
 */
export async function removeSecureBackup(
  talk: Conversation,
  directory: string,
  signal: AbortSignal,
  clock: Clock,
): Promise<Reply<null>> {
  const deadline = clock.elapsed() + LONGEST_FINISHING_MS;
  for (;;) {
    const removed = await tryToRemove(talk, directory);
    const isWorthAnotherTry = removed === 'still writing' || (!removed.ok && removed.fault.retryable);
    if (isWorthAnotherTry && clock.elapsed() < deadline && !signal.aborted)
      await pause(clock, POLL_MS, signal);
    else return removed === 'still writing' ? stillWriting(talk.device) : removed;
  }
}

async function tryToRemove(talk: Conversation, directory: string): Promise<Reply<null> | 'still writing'> {
  const isWriting = await isBusy(talk);
  if (!isWriting.ok) return isWriting;
  if (isWriting.value) return 'still writing';
  const listing = await talk.ask((appliance, call) => appliance.listFiles('temporary:', call));
  if (listing.ok && !listing.value.directories.includes(directory)) return { ok: true, value: null };
  return talk.act((appliance, call) => appliance.removeDirectory(directory, call));
}

function stillWriting(device: string): Reply<null> {
  const detail = `${device} was still busy, so the directory of its secure backup was left there.`;
  return {
    ok: false,
    fault: { code: 'SECURE_BACKUP_LEFT_ON_DEVICE', effect: 'none', retryable: true, detail },
  };
}

async function isBusy(talk: Conversation): Promise<Reply<boolean>> {
  const rows = await talk.ask((appliance, call) => appliance.readDomainStatus(call));
  if (!rows.ok) return rows;
  const own = rows.value.find(({ domain }) => domain === 'default');
  return { ok: true, value: (own?.currentCommand ?? '') !== '' };
}

/** What a directory holds, as a text that differs when anything in it does; null when the device does not say. */
async function contentOf(
  talk: Conversation,
  directory: string,
): Promise<{ text: string; hasManifest: boolean } | null> {
  const listing = await talk.ask((appliance, call) => appliance.listFiles('temporary:', call));
  if (!listing.ok) return null;
  const files = listing.value.files.filter(({ path }) => path.startsWith(`${directory}/`));
  const hasManifest = files.some(({ path }) => path === `${directory}/backupmanifest.xml`);
  return { text: JSON.stringify(files), hasManifest };
}
