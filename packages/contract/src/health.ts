import { z } from 'zod';

/** That the server answers, and which version it is; told to anybody. */
export const healthShape = z.object({ status: z.literal('ok'), version: z.string() }).meta({ id: 'Health' });

/** That the server answers, and which version it is. */
export type Health = z.output<typeof healthShape>;
