import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApplyDocumentInput } from '../../../packages/contract/src/index.ts';
import type { DeviceDescriptionInput } from '../../../packages/simulator/src/index.ts';

type Activity = NonNullable<NonNullable<ApplyDocumentInput['plans']>[number]['activities']>[number];
type Kind = {
  readonly device: Omit<DeviceDescriptionInput, 'name'>;
  readonly activity: (device: string) => Activity;
};

/** The script of all kinds that have one; it waits while there is a pipe for its device and moment. */
const SCRIPT = 'gate.sh';
const scripts = { preTaskScript: SCRIPT, postTaskScript: { script: SCRIPT, when: 'always' } } as const;
const domains = 'A';
const certificate = 'dr-cert';
const quick = { quiesceMs: 0, unquiesceMs: 0 };

/** Every kind of task: secure backup and export, with and without quiesce, scripts and unsaved changes. */
export const kindsOfTasks: Readonly<Record<string, Kind>> = {
  export: {
    device: { domains: [{ name: domains }], quiesce: quick },
    activity: (devices) => ({ exportDomain: { devices, domains } }),
  },
  'quiesced-export': {
    device: { domains: [{ name: domains, saveNeeded: true }], quiesce: quick },
    activity: (devices) => ({ exportDomain: { devices, domains, quiesce: true, ...scripts } }),
  },
  secure: {
    device: { domains: [{ name: domains }], quiesce: quick, secureBackup: { files: ['root.tgz'] } },
    activity: (devices) => ({ secureBackup: { devices, certificate } }),
  },
  'quiesced-secure': {
    device: { domains: [{ name: domains }, { name: 'B' }], quiesce: quick },
    activity: (devices) => ({ secureBackup: { devices, certificate, quiesce: true, ...scripts } }),
  },
};

/** A device of a kind with a plan of its own and the same name; `own` says what is different about it. */
export function ofKind(
  kind: string,
  name: string,
  own: Kind['device'] = {},
): { device: DeviceDescriptionInput; plan: PlanOfKind } {
  const found = kindsOfTasks[kind];
  if (found === undefined) throw new Error(`there is no kind of task called ${kind}`);
  return { device: { ...found.device, ...own, name }, plan: { name, activities: [found.activity(name)] } };
}

type PlanOfKind = NonNullable<ApplyDocumentInput['plans']>[number];

/** Where the pipe for a device and a moment (`PRE`, `POST`) lies, beside the scripts. */
export function gatePath(room: { readonly path: string }, device: string, moment: string): string {
  return join(room.path, 'gates', `${device}-${moment}`);
}

/** Writes the script of the kinds; answers the folder for the parameter `scripts.path`. */
export function writeScripts(room: { readonly path: string }): string {
  const folder = join(room.path, 'scripts');
  for (const path of [folder, join(room.path, 'gates')]) mkdirSync(path);
  const lines = [
    '#!/bin/sh',
    // Of a task before it, the device is the sixth argument; after it, the tenth.
    'moment=$2',
    '[ "$moment" = PRE ] || shift 4',
    `gate="${join(room.path, 'gates')}/$6-$moment"`,
    '[ ! -p "$gate" ] || read -r _ < "$gate"',
    'exit 0',
  ];
  writeFileSync(join(folder, SCRIPT), `${lines.join('\n')}\n`);
  chmodSync(join(folder, SCRIPT), 0o755);
  return folder;
}
