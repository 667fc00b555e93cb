import { createHash } from 'node:crypto';
import type { Appliance } from '../appliance.ts';
import { bufferContent, type Content, digestOf } from '../content/content.ts';
import { type FilePlace, readFileUrl } from '../content/file-store.ts';
import { seededContent } from '../content/seeded-content.ts';
import { element, field, writeXmlLines, type XmlTree } from '../xml/write-xml.ts';
import { type Answer, okAnswer, textAnswer } from './answer.ts';

/** A way in which the manifest of a secure backup can be wrong. */
export type ManifestDamage =
  | 'manifest-missing'
  | 'manifest-empty'
  | 'manifest-extra'
  | 'manifest-wrong-hash'
  | 'manifest-wrong-size'
  | 'manifest-unknown-algorithm';

interface BackupFile {
  readonly name: string;
  readonly content: Content;
  readonly checksum: string;
}

/** The only failure text an appliance has for a secure backup, whatever the cause. */
const FAILURE_TEXT = 'Error creating secure backup.';
const MANIFEST_NAME = 'backupmanifest.xml';

/** Writes a secure backup into the virtual files; asynchronous ones show their files one after the other. */
export async function makeSecureBackup(
  appliance: Appliance,
  order: { certificate: string; destination: string; damage: ManifestDamage | undefined },
): Promise<Answer> {
  const { secureBackup } = appliance.description;
  const destination = readFileUrl(order.destination);
  if (destination === undefined || !canBegin(appliance, order.certificate, destination)) {
    return textAnswer(appliance, FAILURE_TEXT);
  }
  const store = appliance.files('default');
  if (store.find(destination, appliance.now())?.kind !== 'directory' && !store.makeDirectory(destination)) {
    return textAnswer(appliance, FAILURE_TEXT);
  }
  const files = await backupFiles(appliance, destination);
  const manifest = bufferContent(
    Buffer.from(manifestText(appliance, order.certificate, files, order.damage)),
  );
  const takesMs = secureBackup.isAsync ? secureBackup.durationMs : 0;
  const beganAt = appliance.now();
  appliance.step({ kind: 'begin-command', domain: 'default', name: 'secure-backup', takesMs });
  files.forEach(({ name, content }, at) => {
    const visibleAt = beganAt + Math.floor((takesMs * (at + 1)) / (files.length + 1));
    store.putFile(inside(destination, name), content, visibleAt);
  });
  if (order.damage !== 'manifest-missing') {
    store.putFile(inside(destination, MANIFEST_NAME), manifest, beganAt + takesMs);
  }
  return okAnswer(appliance);
}

function canBegin(appliance: Appliance, certificateName: string, destination: FilePlace): boolean {
  const { certificates, secureBackup } = appliance.description;
  const certificate = certificates.find(({ name }) => name === certificateName);
  const isBusy = appliance.state.commands.some(
    ({ name, endsAt }) => name === 'secure-backup' && appliance.now() < endsAt,
  );
  const neededBytes = secureBackup.sizeBytes * secureBackup.files.length;
  return (
    ['temporary:', 'local:'].includes(destination.location) &&
    destination.segments.length > 0 &&
    appliance.settings.backupMode === 'secure' &&
    certificate?.opState === 'up' &&
    !isBusy &&
    neededBytes <= appliance.freeTemporaryBytes()
  );
}

function backupFiles(appliance: Appliance, destination: FilePlace): Promise<BackupFile[]> {
  const { name: device, secureBackup } = appliance.description;
  return Promise.all(
    secureBackup.files.map(async (name) => {
      // Encrypted anew each time: two backups never share their bytes.
      const seed = `${device}/${destination.segments.join('/')}/${appliance.now()}/${name}`;
      const content = seededContent(seed, secureBackup.sizeBytes);
      return { name, content, checksum: await digestOf(content, secureBackup.checksum, 'hex') };
    }),
  );
}

function manifestText(
  appliance: Appliance,
  certificate: string,
  files: readonly BackupFile[],
  damage: ManifestDamage | undefined,
): string {
  const { firmware } = appliance.description;
  const now = new Date(appliance.now()).toISOString();
  const manifest = element(
    'backupmanifest',
    {},
    field('version', firmware.version),
    field('timezone', appliance.description.timezone),
    field('config', 'autoconfig.cfg'),
    field('time', `${now.slice(0, 19)}Z`),
    field('build', firmware.build),
    field('builddate', firmware.buildDate),
    field('commoncriteria', 'off'),
    field('cryptomode', 'permissive'),
    field('mtm', `${firmware.machineType}${firmware.modelType}`),
    field('serialnumber', firmware.serial),
    element('cryptoCertificate', {}, certificate, field('FileName', `cert:///${certificate}.pem`)),
    element('licenses', {}, field('license', 'MQ')),
    field('ephemeralkey', pretendBase64(`${now}/ephemeral`)),
    field('datapowerephemeralkey', pretendBase64(`${now}/datapower`)),
    element('files', {}, ...listedFiles(files, damage)),
  );
  const signature = field('signature', pretendBase64(`${now}/signature`));
  return writeXmlLines(element('SecureBackupManifest', {}, manifest, signature), '\r\n');
}

function listedFiles(files: readonly BackupFile[], damage: ManifestDamage | undefined): XmlTree[] {
  if (damage === 'manifest-empty') {
    return [];
  }
  const listed = files.map(({ name, content, checksum }, at) => {
    const isDamaged = at === 0;
    const wrongHash = isDamaged && damage === 'manifest-wrong-hash' ? reversed(checksum) : checksum;
    const hash = isDamaged && damage === 'manifest-unknown-algorithm' ? wrongHash.slice(0, 32) : wrongHash;
    const size = content.sizeBytes + (isDamaged && damage === 'manifest-wrong-size' ? 8 : 0);
    return element('file', {}, field('filename', name), field('checksum', hash), field('filesize', size));
  });
  if (damage === 'manifest-extra') {
    const names = [field('filename', 'missing.tgz'), field('checksum', '0'.repeat(40)), field('filesize', 8)];
    listed.push(element('file', {}, ...names));
  }
  return [...listed, element('file', {}, field('filename', MANIFEST_NAME))];
}

// Keys and signatures are opaque to every client; they only have to look like what they are.
function pretendBase64(seed: string): string {
  return createHash('sha512').update(seed).digest('base64');
}

// A hash that reads the same backwards does not occur.
function reversed(checksum: string): string {
  return [...checksum].reverse().join('');
}

function inside(directory: FilePlace, name: string): FilePlace {
  return { location: directory.location, segments: [...directory.segments, name] };
}
