import { z } from 'zod';
import { instantShape } from './instant.ts';
import { objectNameShape } from './object-name.ts';

const tlsFields = {
  ca: z.string().min(1).max(256_000).optional().describe('PEM bundle of the authorities that are trusted'),
  pin: z
    .string()
    .regex(/^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$/, 'must be a SHA-256 in hex: 64 digits, colons allowed')
    .optional()
    .describe('SHA-256 of the certificate that is trusted'),
  system: z.literal(true).optional().describe('trust the authorities of the host'),
  insecure: z.literal(true).optional().describe('trust anything; shown as a warning everywhere'),
};

/** How the appliance's certificate is judged: exactly one of `ca`, `pin`, `system`, `insecure`. */
const tlsShape = z
  .strictObject(tlsFields)
  .refine((tls) => Object.values(tls).filter((way) => way !== undefined).length === 1, {
    error: 'must have exactly one of ca, pin, system, insecure',
    params: { code: 'EXACTLY_ONE' },
  })
  .meta({ id: 'TlsDefinition' });

const portShape = z.number().int().min(1).max(65535);

const deviceFields = {
  name: objectNameShape.describe("the appliance's System Identifier"),
  host: z.string().min(1).max(253).regex(/^\S+$/, 'must be a host name or an address, without blanks'),
  somaPort: portShape.default(5550),
  restPort: portShape.nullable().default(null),
  username: z.string().min(1).max(128),
  tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
  enabled: z.boolean().default(true).describe('a disabled device is not matched by patterns'),
};

/** A device as an apply document gives it; without `password` the stored one stays. */
export const deviceDefinitionShape = z
  .strictObject({
    ...deviceFields,
    password: z.string().min(1).max(1024).optional().describe('stored encrypted and never shown again'),
    tls: tlsShape,
  })
  .meta({ id: 'DeviceDefinition' });

/** A device of an apply document, defaults filled in. */
export type DeviceDefinition = z.output<typeof deviceDefinitionShape>;

/** A device as it is shown; there is no password in it. */
export const deviceShape = z
  .object({
    ...deviceFields,
    tls: z.object(tlsFields),
    warnings: z.array(z.string()).describe('sentences, e.g. that its certificate is not checked'),
  })
  .meta({ id: 'Device' });

/** A device as it is shown; there is no password in it. */
export type Device = z.output<typeof deviceShape>;

/** What `device test` found, one entry per check, in the order they were made. */
export const deviceTestShape = z
  .object({
    device: z.string(),
    isUsable: z.boolean(),
    sentence: z.string().describe('the whole finding in one sentence'),
    checks: z.array(
      z.object({
        name: z
          .string()
          .describe('reachability, login, identity, firmware, backupMode, clock, domains or another check'),
        outcome: z.enum(['passed', 'warning', 'failed', 'skipped']),
        sentence: z.string(),
      }),
    ),
    firmwareVersion: z.string().nullable(),
    model: z.string().nullable(),
    serial: z.string().nullable(),
    backupMode: z.string().nullable(),
    clockDifferenceMs: z.number().nullable().describe('clock of the appliance minus clock of the server'),
    domains: z.array(z.string()),
    testedAt: instantShape,
  })
  .meta({ id: 'DeviceTest' });

/** What `device test` found. */
export type DeviceTest = z.output<typeof deviceTestShape>;
