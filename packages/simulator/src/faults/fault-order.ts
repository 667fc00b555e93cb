import { z } from 'zod';

const target = {
  /** Operation or action name as in the request log; absent = any operation the kind can apply to. */
  operation: z.string().min(1).optional(),
  /** Class of a get-status or get-config. */
  class: z.string().min(1).optional(),
  /** Domain the operation is about. */
  domain: z.string().min(1).optional(),
  /** How many matching requests it strikes; -1 = all until it is withdrawn. */
  times: z
    .int()
    .refine((times) => times === -1 || times >= 1, 'must be -1 (always) or at least 1')
    .default(1),
  /** How many matching requests it lets pass first. */
  skip: z.int().min(0).default(0),
};

const PLAIN_KINDS = [
  'login-failure',
  'not-permitted',
  'error-log',
  'error-log-prefixed',
  'empty-file',
  'soap-fault',
  'reset',
  'lost-reply',
  'stall',
  'not-xml',
  'truncated-xml',
  'nul-bytes',
  'wrong-charset',
  'doctype',
  'redirect',
  'endless-body',
  'truncated-zip',
  'bad-crc',
  'no-export-xml',
  'other-domain',
  'wrong-inner-hash',
  'manifest-missing',
  'manifest-empty',
  'manifest-extra',
  'manifest-wrong-hash',
  'manifest-wrong-size',
  'manifest-unknown-algorithm',
  'quiesce-never',
  'quiesce-error',
  'unquiesce-never',
] as const;

const milliseconds = z.int().min(0);

/** A fault somebody orders for a device: what goes wrong, with which requests, and how often. */
export const faultOrderSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal(PLAIN_KINDS), ...target }),
  z.strictObject({ kind: z.literal('text'), text: z.string(), ...target }),
  z.strictObject({ kind: z.literal('http-status'), status: z.int().min(200).max(599), ...target }),
  /** A TCP reset: the client gets at most so many bytes, because a reset overtakes what is still on its way. */
  z.strictObject({ kind: z.literal('reset-after-bytes'), bytes: z.int().min(0), ...target }),
  /** The end of the stream without a farewell: the client gets exactly so many bytes. */
  z.strictObject({ kind: z.literal('close-after-bytes'), bytes: z.int().min(0), ...target }),
  z.strictObject({ kind: z.literal('late'), delayMs: milliseconds, ...target }),
  z.strictObject({ kind: z.literal('delay'), delayMs: milliseconds, ...target }),
  z.strictObject({ kind: z.literal('trickle'), bytes: z.int().min(1), everyMs: milliseconds, ...target }),
  z.strictObject({
    kind: z.literal('bad-base64'),
    damage: z.enum(['alphabet', 'padding', 'length']).default('alphabet'),
    ...target,
  }),
  z.strictObject({ kind: z.literal('deep-xml'), depth: z.int().min(1).default(1_000_000), ...target }),
  z.strictObject({ kind: z.literal('reboot'), downMs: milliseconds.default(0), ...target }),
  z.strictObject({
    kind: z.literal('raw'),
    status: z.int().min(200).max(599).default(200),
    contentType: z.string().default('text/xml'),
    bodyBase64: z.base64(),
    ...target,
  }),
]);

/** A fault order with its defaults filled in. */
export type FaultOrder = z.output<typeof faultOrderSchema>;

/** A fault order as somebody writes it. */
export type FaultOrderInput = z.input<typeof faultOrderSchema>;

/** The kinds of faults that can be ordered. */
export type FaultKind = FaultOrder['kind'];
