import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Refusal } from '@stillpoint/contract';

/** Reads a file of the operator without the line break at its end. */
export async function readTextFile(
  file: string,
  workingDirectory: string,
): Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly refusal: Refusal }> {
  try {
    const text = await readFile(resolve(workingDirectory, file), 'utf8');
    return { ok: true, text: text.replace(/\r?\n$/, '') };
  } catch (error) {
    const detail = `The file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}.`;
    return { ok: false, refusal: { code: 'FILE_NOT_READABLE', detail } };
  }
}
