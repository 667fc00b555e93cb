import { readFile, writeFile } from 'node:fs/promises';
import type { DemoFolder } from './demo-folder.ts';
import type { PretendFleet } from './start-pretend-fleet.ts';

const template = new URL('apply.yaml', import.meta.url);

/** Writes the document to be applied: the template, with the store and the devices as they listen now. */
export async function writeApplyFile(
  { applyFile, store }: DemoFolder,
  { fleet, description }: PretendFleet,
): Promise<void> {
  const devices = description.devices.map(({ name, username, password }) => {
    const { host, port: somaPort, certificateSha256: pin } = fleet.device(name).address;
    // A JSON object on one line is YAML too.
    return `\n  - ${JSON.stringify({ name, host, somaPort, username, password, tls: { pin } })}`;
  });
  const text = (await readFile(template, 'utf8'))
    .replace('{{storePath}}', () => JSON.stringify(store))
    .replace(' {{devices}}', () => devices.join(''));
  await writeFile(applyFile, text, { mode: 0o600 });
}
