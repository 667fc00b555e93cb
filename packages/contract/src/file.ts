import { z } from 'zod';

/** A stored file: path relative to the store, size in bytes, SHA-256 in lower-case hex. */
export const fileShape = z
  .object({
    path: z.string(),
    sizeBytes: z.number().int().min(0),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })
  .meta({ id: 'File' });

/** A stored file: path relative to the store, size in bytes, SHA-256 in lower-case hex. */
export type File = z.output<typeof fileShape>;
