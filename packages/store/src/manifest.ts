import { dirname } from 'node:path/posix';
import { z } from 'zod';
import { ownFolder } from './layout.ts';

const publishedPath = z.string().refine(isPublishedPath, 'not a path of a published file');

const target = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('secure-backup') }),
  z.object({ kind: z.literal('domain'), domain: z.string() }),
  z.object({ kind: z.literal('all-domains') }),
]);

const device = z.object({
  name: z.string().min(1),
  serialNumber: z.string().nullable(),
  model: z.string().nullable(),
  firmwareVersion: z.string().nullable(),
  firmwareBuild: z.string().nullable(),
});

const file = z.object({
  /** Below the root of the store, segments joined by `/`. */
  path: publishedPath,
  /** Below the incoming folder of the task, from which it is renamed into place. */
  incomingPath: z.string().regex(/^(export|secure-backup)\/(?!\.{1,2}$)[^/\0]+$/),
  sizeBytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of an export: whether it holds the saved or the running configuration; null in a secure backup. */
  isPersisted: z.boolean().nullable(),
});

/** The form of `.stillpoint/catalog/<task>.json`: what one backup is and which files it consists of. */
export const manifestShape = z
  .object({
    formatVersion: z.literal(1),
    taskId: z.string(),
    action: z.enum(['SECURE_BACKUP', 'EXPORT_DOMAIN']),
    target,
    /** Of an all-domains export: the domains in it; of a domain: that one; empty for a secure backup. */
    domains: z.array(z.string()),
    device,
    /** ISO 8601 instants in UTC. */
    takenAt: z.iso.datetime(),
    completedAt: z.iso.datetime(),
    stillpointVersion: z.string(),
    files: z.array(file).min(1),
  })
  .refine(isOneFolder, 'the files of a secure backup lie in one folder');

/** What one backup is and which files it consists of. */
export type Manifest = z.infer<typeof manifestShape>;

/** One file of a manifest. */
export type ManifestFile = Manifest['files'][number];

// A secure backup is renamed and removed as the folder that it is.
function isOneFolder({ action, files }: { action: string; files: readonly { path: string }[] }): boolean {
  return action !== 'SECURE_BACKUP' || new Set(files.map(({ path }) => dirname(path))).size === 1;
}

/** Reads the text of a manifest; nothing when it is not one. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    const parsed = manifestShape.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a path, as found in a manifest, can be that of a published file: plain, and outside of our own folder. */
export function isPublishedPath(path: string): boolean {
  const segments = path.split('/');
  if (segments.length < 3 || segments[0] === ownFolder || path.includes('\0')) return false;
  return segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}
