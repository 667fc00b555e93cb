import { type BackupManifest, parseBackupManifest } from './backup-manifest.ts';
import { type Fault, FaultError } from './fault.ts';

/** Reads the bytes of backupmanifest.xml: the list of what else there is to download. Touches no disk. */
export function readBackupManifest(
  bytes: Uint8Array,
): { readonly ok: true; readonly value: BackupManifest } | { readonly ok: false; readonly fault: Fault } {
  try {
    return { ok: true, value: parseBackupManifest(bytes) };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return {
      ok: false,
      fault: { code: error.code, effect: 'none', retryable: false, detail: error.message },
    };
  }
}
