import { z } from 'zod';
import { fileShape } from './file.ts';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';
import { actionShape } from './task.ts';

/** One published backup of the catalogue; the ids are null when it was found again by a rescan. */
export const backupShape = z
  .object({
    id: identifierShape,
    device: z.string(),
    domain: z.string().nullable().describe('null for a secure backup'),
    action: actionShape,
    isPersisted: z
      .boolean()
      .nullable()
      .describe('export of the saved configuration; null for a secure backup'),
    state: z.enum(['good', 'damaged', 'missing']),
    files: z.array(fileShape),
    sizeBytes: z.number().int().min(0).describe('sum over its files'),
    takenAt: instantShape,
    plan: z.string().nullable(),
    runId: identifierShape.nullable(),
    taskId: identifierShape.nullable(),
    serial: z.string().nullable(),
    model: z.string().nullable(),
    firmwareVersion: z.string().nullable(),
    firmwareBuild: z.string().nullable(),
  })
  .meta({ id: 'Backup' });

/** One published backup of the catalogue. */
export type Backup = z.output<typeof backupShape>;

/** Which backups are listed, newest first. */
export const backupQueryShape = z.strictObject({
  device: z.string().min(1).max(128).optional(),
  domain: z.string().min(1).max(128).optional(),
  ...pageQueryFields,
});

/** Which backups are listed, newest first. */
export type BackupQuery = z.output<typeof backupQueryShape>;
