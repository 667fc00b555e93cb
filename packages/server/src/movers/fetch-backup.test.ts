import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Appliance, Secret } from '@stillpoint/datapower';
import { initStore, openStore, type StoreRoot } from '@stillpoint/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { fetchExport } from './fetch-export.ts';
import { fetchSecureBackup } from './fetch-secure-backup.ts';
import type { FetchSource, MoverOrder, MoverProgress, MoverReply } from './mover-orders.ts';
import { Permission, type Until } from './permission.ts';

let folder: string;
let root: StoreRoot;
const heard: MoverProgress[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-fetch-'));
  await initStore({ root: folder, requiresRemoteMount: false });
  const opened = await openStore({ root: folder, requiresRemoteMount: false, expectedStoreId: null });
  if (!opened.ok) throw new Error(opened.fault.detail);
  root = opened.value;
  heard.length = 0;
});

afterEach(async () => {
  await root[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const source: FetchSource = {
  address: { host: 'dp1', port: 5550, username: 'u', password: new Secret('p'), tls: { kind: 'system' } },
  deadlines: {},
  expectedSerialNumber: '0000001',
};
const permission = new Permission(null);
const codeOf = (reply: MoverReply): string => (reply.ok ? 'ok' : reply.fault.code);
const tell = (progress: MoverProgress): void => void heard.push(progress);
const refusing = (code: 'FILE_NOT_READABLE' | 'EMPTY_FILE' | 'CONNECTION_LOST' | 'SINK_FAILED') =>
  ({ ok: false, fault: { code, effect: 'none', retryable: true, detail: 'planted' } }) as const;

// Sends the files it was given, in chunks; what it was not given cannot be read.
function applianceWith(
  files: Readonly<Record<string, Buffer>>,
): Pick<Appliance, 'readFile' | 'backUpDomains'> {
  const send: Appliance['readFile'] = async (url, sink) => {
    const content = files[url];
    if (content === undefined) return refusing('FILE_NOT_READABLE');
    try {
      for (let at = 0; at < content.length; at += 100) await sink.write(content.subarray(at, at + 100));
    } catch {
      return refusing('SINK_FAILED');
    }
    return content.length === 0 ? refusing('EMPTY_FILE') : { ok: true, value: { sizeBytes: content.length } };
  };
  return {
    readFile: send,
    backUpDomains: async (order, sink) => send(JSON.stringify([order.domains, order.isPersisted]), sink),
  };
}

async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return buffer(zip.outputStream);
}

async function exportOf(domain: string): Promise<Buffer> {
  const inner = `<datapower-configuration><configuration domain="${domain}"/></datapower-configuration>`;
  return zipOf({
    [`${domain}.zip`]: await zipOf({ 'export.xml': inner }),
    'export.xml': `<datapower-configuration><export-details><serial-number>0000001</serial-number></export-details><domains><domain name="${domain}"/></domains></datapower-configuration>`,
  });
}

const exportOrder: MoverOrder<'fetchExport'> = {
  kind: 'fetchExport',
  store: { root: '/', requiresRemoteMount: false, expectedStoreId: null },
  source,
  taskId: 'task-1',
  domains: ['A'],
  isPersisted: true,
  comment: '',
  verifiesHashes: true,
};

test('an export arrives in the incoming folder, verified, with size and hash', async () => {
  const content = await exportOf('A');
  const reply = await fetchExport(
    applianceWith({ '[["A"],true]': content }),
    root,
    exportOrder,
    tell,
    permission,
  );
  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(reply).toMatchObject({
    ok: true,
    value: {
      file: { name: 'persisted.zip', sizeBytes: content.length, sha256 },
      verified: { domains: ['A'] },
    },
  });
  expect(await readFile(join(folder, '.stillpoint/incoming/task-1/export/persisted.zip'))).toEqual(content);
  expect(heard.at(-1)).toEqual({ files: 1, bytes: content.length });
});

test('an export of all domains is asked for as such', async () => {
  const appliance = applianceWith({ '["all-domains",false]': await exportOf('A') });
  const order = { ...exportOrder, domains: { allDomains: ['A'] }, isPersisted: false };
  expect(codeOf(await fetchExport(appliance, root, order, tell, permission))).toBe('ok');
});

test('an export that does not verify is a fault, and so is one that never came', async () => {
  const wrong = applianceWith({ '[["A"],true]': await exportOf('B') });
  expect(codeOf(await fetchExport(wrong, root, exportOrder, tell, permission))).toBe('EXPORT_WRONG_DOMAINS');
  expect(codeOf(await fetchExport(applianceWith({}), root, exportOrder, tell, permission))).toBe(
    'FILE_NOT_READABLE',
  );
});

const directoryUrl = 'temporary:///sb-1';
const secureOrder: MoverOrder<'fetchSecureBackup'> = {
  kind: 'fetchSecureBackup',
  store: exportOrder.store,
  source,
  taskId: 'task-2',
  directoryUrl,
};

function secureFiles(files: Readonly<Record<string, string>>): Record<string, Buffer> {
  const listed = Object.entries(files).map(([name, text]) => {
    const checksum = createHash('sha1').update(text).digest('hex');
    return `<file><filename>${name}</filename><checksum>${checksum}</checksum><filesize>${text.length}</filesize></file>`;
  });
  const manifest = `<SecureBackupManifest><backupmanifest><serialnumber>0000001</serialnumber><files>${listed.join('')}<file><filename>backupmanifest.xml</filename></file></files></backupmanifest></SecureBackupManifest>`;
  const all = Object.entries({ ...files, 'backupmanifest.xml': manifest });
  return Object.fromEntries(all.map(([name, text]) => [`${directoryUrl}/${name}`, Buffer.from(text)]));
}

const goodFiles = { 'root.tgz': 'r'.repeat(1000), 'config.tgz': 'config', 'local.tgz': '' };

test('a secure backup is fetched as its manifest lists it, an empty file included', async () => {
  const reply = await fetchSecureBackup(
    applianceWith(secureFiles(goodFiles)),
    root,
    secureOrder,
    tell,
    permission,
  );
  expect(codeOf(reply)).toBe('ok');
  const names = ['backupmanifest.xml', 'config.tgz', 'local.tgz', 'root.tgz'];
  expect((await readdir(join(folder, '.stillpoint/incoming/task-2/secure-backup'))).sort()).toEqual(names);
  expect(reply.ok ? reply.value.files.map((file) => file.name).sort() : []).toEqual(names);
  expect(heard.at(-1)?.files).toBe(4);
});

test('a directory without a manifest, or without a file of it, is told apart', async () => {
  const files = secureFiles(goodFiles);
  const fetch = async (given: Record<string, Buffer>) =>
    codeOf(await fetchSecureBackup(applianceWith(given), root, secureOrder, tell, permission));
  expect(await fetch({})).toBe('BACKUP_MANIFEST_MISSING');
  const { [`${directoryUrl}/config.tgz`]: _left, ...others } = files;
  expect(await fetch(others)).toBe('BACKUP_FILE_MISSING');
  expect(await fetch({ ...files, [`${directoryUrl}/config.tgz`]: Buffer.from('CONFIG') })).toBe(
    'BACKUP_HASH_MISMATCH',
  );
  expect(await fetch({ ...files, [`${directoryUrl}/config.tgz`]: Buffer.alloc(0) })).toBe('EMPTY_FILE');
});

test('a file that goes on after its stated size is broken off', async () => {
  const endless = { ...secureFiles(goodFiles), [`${directoryUrl}/config.tgz`]: Buffer.alloc(10_000) };
  const reply = await fetchSecureBackup(applianceWith(endless), root, secureOrder, tell, permission);
  expect(codeOf(reply)).toBe('BACKUP_SIZE_MISMATCH');
  expect(
    (await readFile(join(folder, '.stillpoint/incoming/task-2/secure-backup/config.tgz'))).length,
  ).toBeLessThan(200);
});

test('who may not act any more begins no file, for its place may be taken by whoever may', async () => {
  const already = join(folder, '.stillpoint/incoming/task-1/export/persisted.zip');
  expect(
    codeOf(
      await fetchExport(
        applianceWith({ '[["A"],true]': await exportOf('A') }),
        root,
        exportOrder,
        tell,
        permission,
      ),
    ),
  ).toBe('ok');
  const before = await readFile(already);
  const over: Until = { monotonicMs: 0, uptimeMs: 0 };
  using ended = new Permission(over);
  const asked = {
    backUpDomains: async () => {
      throw new Error('the appliance was asked');
    },
    readFile: async () => {
      throw new Error('the appliance was asked');
    },
  };
  expect(codeOf(await fetchExport(asked, root, exportOrder, tell, ended))).toBe('NODE_MAY_NOT_ACT');
  expect(await readFile(already)).toEqual(before);
  expect(codeOf(await fetchSecureBackup(asked, root, secureOrder, tell, ended))).toBe('NODE_MAY_NOT_ACT');
});
