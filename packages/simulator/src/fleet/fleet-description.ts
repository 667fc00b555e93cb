import { z } from 'zod';
import { faultOrderSchema } from '../faults/fault-order.ts';

const milliseconds = z.int().min(0);
const megabytes = z.int().min(0);
const objectName = z.string().min(1).max(128);
const isTimezone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
};

const domainSchema = z.strictObject({
  name: objectName,
  /** Whether the running configuration differs from the saved one at the start. */
  saveNeeded: z.boolean().default(false),
  isApiConnect: z.boolean().default(false),
  /** Number of files in local:. */
  files: z.int().min(0).max(10_000).default(2),
  /** Sum of the sizes of those files. */
  sizeBytes: z.int().min(0).default(4096),
  /** Number of configuration objects. */
  objects: z.int().min(0).max(100_000).default(3),
});

const firmwareSchema = z.strictObject({
  version: z.string().min(1).default('IDG.10.5.0.2'),
  build: z.string().min(1).default('345566'),
  buildDate: z.string().min(1).default('2022/09/22 10:28:24'),
  deliveryType: z.enum(['LTS', 'CD']).default('LTS'),
  serial: z.string().min(1).default('0000001'),
  machineType: z.string().min(1).default('5725'),
  modelType: z.string().min(1).default('T09'),
});

const settings = {
  username: z.string().min(1).default('admin'),
  password: z.string().min(1).default('admin-password'),
  firmware: firmwareSchema.prefault({}),
  /** IANA zone of the appliance's own time. */
  timezone: z.string().refine(isTimezone, 'must be an IANA time zone').default('UTC'),
  /** How far the appliance's clock is ahead of ours. */
  clockOffsetMs: z.int().default(0),
  /** Connections are accepted and destroyed at once. */
  isDown: z.boolean().default(false),
  backupMode: z.enum(['secure', 'normal']).default('secure'),
  certificates: z
    .array(z.strictObject({ name: objectName, opState: z.enum(['up', 'down']).default('up') }))
    .default([{ name: 'dr-cert', opState: 'up' }]),
  freeTemporaryMb: megabytes.default(16_384),
  totalTemporaryMb: megabytes.default(16_384),
  freeEncryptedMb: megabytes.default(8192),
  totalEncryptedMb: megabytes.default(8192),
  /** Time every answer takes longer than needed. */
  latencyMs: milliseconds.default(0),
  quiesce: z
    .strictObject({
      quiesceMs: milliseconds.default(300),
      unquiesceMs: milliseconds.default(200),
      /** Accept quiesce time-outs under 60 seconds, which the documentation forbids. */
      allowsShortTimeout: z.boolean().default(false),
    })
    .prefault({}),
  secureBackup: z
    .strictObject({
      /** OK is answered at once and the files appear later, the manifest last. */
      isAsync: z.boolean().default(false),
      durationMs: milliseconds.default(0),
      checksum: z.enum(['sha1', 'sha512']).default('sha1'),
      /** Size of each encrypted file; a multiple of 8. */
      sizeBytes: z.int().min(8).multipleOf(8).default(1408),
      files: z
        .array(objectName)
        .min(1)
        .default(['root.tgz', 'config.tgz', 'cert.tgz', 'sharedcert.tgz', 'local.tgz', 'password-map.tgz']),
    })
    .prefault({}),
  base64: z.strictObject({ lineWidth: z.union([z.literal(0), z.literal(76)]).default(0) }).prefault({}),
  domains: z.array(domainSchema).default([]),
  faults: z.array(faultOrderSchema).default([]),
};

const deviceSchema = z
  .strictObject({
    name: objectName,
    /** Port on 127.0.0.1; 0 = any free one. */
    port: z.int().min(0).max(65_535).default(0),
    ...settings,
  })
  .check((context) => {
    const names = context.value.domains.map((domain) => domain.name);
    const doubled = names.find((name, at) => names.indexOf(name) !== at);
    if (doubled !== undefined) {
      context.issues.push({
        code: 'custom',
        input: doubled,
        path: ['domains'],
        message: `names the domain ${doubled} twice`,
      });
    }
  });

const fleetSchema = z.strictObject({ devices: z.array(deviceSchema).min(1) }).check((context) => {
  const names = context.value.devices.map((device) => device.name);
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled !== undefined) {
    context.issues.push({
      code: 'custom',
      input: doubled,
      path: ['devices'],
      message: `names the device ${doubled} twice`,
    });
  }
});

const draftSchema = z.strictObject({
  defaults: z.record(z.string(), z.unknown()).default({}),
  devices: z.array(z.record(z.string(), z.unknown())).min(1),
});

/** A domain of a pretend device with its defaults filled in. */
export type DomainDescription = z.output<typeof domainSchema>;

/** A pretend device with its defaults filled in. */
export type DeviceDescription = z.output<typeof deviceSchema>;

/** A pretend fleet with its defaults filled in. */
export type FleetDescription = z.output<typeof fleetSchema>;

/** A pretend device as somebody writes it: only the name is needed. */
export type DeviceDescriptionInput = z.input<typeof deviceSchema>;

/** A pretend fleet as somebody writes it; `defaults` are the settings of devices that say nothing else. */
export interface FleetDescriptionInput {
  readonly defaults?: Partial<Omit<DeviceDescriptionInput, 'name' | 'port'>>;
  readonly devices: readonly DeviceDescriptionInput[];
}

/** Either the fleet, or one sentence for each thing that is wrong with its description. */
export type FleetReading = { ok: true; value: FleetDescription } | { ok: false; problems: readonly string[] };

/** Checks a fleet description strictly and fills in the defaults. */
export function readFleetDescription(input: unknown): FleetReading {
  const draft = draftSchema.safeParse(input);
  if (!draft.success) {
    return { ok: false, problems: sentencesOf(draft.error) };
  }
  const { defaults } = draft.data;
  const defaultsReading = z.strictObject({ defaults: z.strictObject(settings) }).safeParse({ defaults });
  if (!defaultsReading.success) {
    return { ok: false, problems: sentencesOf(defaultsReading.error) };
  }
  const devices = draft.data.devices.map((device) => overlay(defaults, device));
  const reading = fleetSchema.safeParse({ devices });
  return reading.success
    ? { ok: true, value: withDefaultDomain(reading.data) }
    : { ok: false, problems: sentencesOf(reading.error) };
}

/** One sentence for each thing that is wrong, naming the place and the key. */
export function sentencesOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => {
    const place = issue.path.map(String).join('.');
    const where = place === '' ? 'the top level' : place;
    if (issue.code === 'unrecognized_keys') {
      return `${where} has the unknown key ${issue.keys.join(', ')}`;
    }
    return `${where}: ${issue.message}`;
  });
}

// A device that says only its serial keeps the rest of the firmware that the defaults name.
function overlay(below: Record<string, unknown>, above: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = below[key];
    merged[key] = isPlainObject(under) && isPlainObject(value) ? overlay(under, value) : value;
  }
  return merged;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withDefaultDomain(fleet: FleetDescription): FleetDescription {
  const implicit = domainSchema.parse({ name: 'default' });
  return {
    devices: fleet.devices.map((device) => ({
      ...device,
      domains: device.domains.some((domain) => domain.name === 'default')
        ? device.domains
        : [implicit, ...device.domains],
    })),
  };
}
