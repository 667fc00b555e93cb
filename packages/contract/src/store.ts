import { z } from 'zod';

/** The state of the store as it was just looked at; a size is null when it could not be read. */
export const storeShape = z
  .object({
    path: z.string().nullable().describe('the parameter store.path'),
    isUsable: z.boolean().describe('a task could write a backup now'),
    isInitialised: z.boolean().describe('the marker file of this installation is there'),
    isRemoteMount: z.boolean().nullable(),
    fileSystem: z.string().nullable().describe('kind of file system, e.g. nfs4'),
    totalBytes: z.number().int().min(0).nullable(),
    freeBytes: z.number().int().min(0).nullable(),
    problems: z.array(z.object({ code: z.string(), sentence: z.string(), remedy: z.string() })),
  })
  .meta({ id: 'Store' });

/** The state of the store as it was just looked at. */
export type Store = z.output<typeof storeShape>;

const countShape = z.number().int().min(0);

/** What a rescan found on the disk and changed in the catalogue. */
export const rescanShape = z
  .object({
    manifestsRead: countShape,
    backupsAdded: countShape.describe('on the disk, not in the catalogue before'),
    backupsUnchanged: countShape,
    backupsMissing: countShape.describe('in the catalogue, no longer on the disk'),
    backupsDamaged: countShape,
    problems: z.array(z.object({ path: z.string(), sentence: z.string() })),
  })
  .meta({ id: 'Rescan' });

/** What a rescan found on the disk and changed in the catalogue. */
export type Rescan = z.output<typeof rescanShape>;
