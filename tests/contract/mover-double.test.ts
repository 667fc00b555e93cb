import type { MoverOrder, MoverReply } from '@stillpoint/server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MoverGround, pretendMovers, realMovers } from './testing/mover-ground.ts';

const folder = 'temporary:///stillpoint-task-1';
const AT = Date.parse('2026-03-29T12:00:00Z');

describe.each([
  ['the movers', realMovers],
  ['their double in the simulation', pretendMovers],
])('%s', (_name, open) => {
  let ground: MoverGround;

  beforeEach(async () => {
    ground = await open();
  });

  afterEach(() => ground.close());

  const carryOut = (order: MoverOrder, signal?: AbortSignal): Promise<MoverReply> =>
    ground.answer<MoverReply>(ground.order(order, { deadlineMs: 60_000, signal }));

  const codeOf = async (order: MoverOrder): Promise<string> => {
    const reply = await carryOut(order);
    return reply.ok ? 'ok' : `${reply.fault.code} ${reply.fault.effect}`;
  };

  const exportOf = (domains: readonly string[], serial = '0000001'): MoverOrder<'fetchExport'> => ({
    kind: 'fetchExport',
    store: ground.store,
    source: { address: ground.address, deadlines: {}, expectedSerialNumber: serial },
    taskId: 'task-1',
    domains,
    isPersisted: true,
    comment: 'a task',
    verifiesHashes: true,
  });

  const fetched = async (order: MoverOrder<'fetchExport'>) => {
    const reply = await ground.answer(ground.order(order, { deadlineMs: 60_000 }));
    if (!reply.ok) throw new Error(reply.fault.detail);
    return reply.value;
  };

  const publishOf = (
    files: MoverOrder<'publishBackup'>['request']['files'],
    more: Partial<MoverOrder<'publishBackup'>['request']> = {},
  ): MoverOrder<'publishBackup'> => ({
    kind: 'publishBackup',
    store: ground.store,
    request: {
      taskId: 'task-1',
      target: { kind: 'domain', domain: 'D1' },
      device: { name: 'dev-1', serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null },
      domains: ['D1'],
      files,
      takenAt: AT,
      completedAt: AT,
      timeZone: 'Europe/Zurich',
      stillpointVersion: 'test',
      ...more,
    },
  });

  const discard = (): MoverOrder => ({ kind: 'discardBackup', store: ground.store, taskId: 'task-1' });

  const published = async (order: MoverOrder<'publishBackup'>) => {
    const reply = await ground.answer(ground.order(order, { deadlineMs: 60_000 }));
    return reply.ok ? reply.value.files.map(({ path }) => path) : reply.fault.code;
  };

  it('say how much room the store has', async () => {
    const reply = await carryOut({ kind: 'checkStore', store: ground.store, minFreePercent: 0 });
    expect(reply).toMatchObject({ ok: true, value: { freePercent: expect.any(Number) } });
  });

  it('fetch an export and put it where it belongs, once, however often they are asked', async () => {
    const { file, verified } = await fetched(exportOf(['D1']));
    expect(file).toMatchObject({ name: 'persisted.zip', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(verified.domains).toEqual(['D1']);
    const order = publishOf([{ ...file, isPersisted: true }]);
    const paths = ['dev-1/domain/D1/D1-export-2026-03-29-14-00-00-000-persisted.zip'];
    expect(await published(order)).toEqual(paths);
    expect(await published(order)).toEqual(paths);
  });

  it('publish a second backup of the same instant beside the first', async () => {
    const { file } = await fetched(exportOf(['D1']));
    await published(publishOf([{ ...file, isPersisted: true }]));
    const again = await fetched({ ...exportOf(['D1']), taskId: 'task-2' });
    const order = publishOf([{ ...again.file, isPersisted: true }], { taskId: 'task-2' });
    expect(await published(order)).toEqual([
      'dev-1/domain/D1/D1-export-2026-03-29-14-00-00-001-persisted.zip',
    ]);
  });

  it('refuse an export of another device or of other domains, and what was never received', async () => {
    expect(await codeOf(exportOf(['D1'], '7654321'))).toBe('EXPORT_OF_ANOTHER_DEVICE none');
    expect(await codeOf(exportOf(['D9']))).toBe('ACTION_REFUSED none');
    const stranger = { name: 'persisted.zip', sizeBytes: 3, sha256: 'a'.repeat(64), isPersisted: true };
    const order = publishOf([stranger], { taskId: 'task-9' });
    expect(await codeOf(order)).toBe('STORE_FILE_MISSING none');
  });

  it('discard what was received or published, also twice, and then nothing can be published', async () => {
    const { file } = await fetched(exportOf(['D1']));
    const order = publishOf([{ ...file, isPersisted: true }]);
    expect(await codeOf(discard())).toBe('ok');
    expect(await published(order)).toBe('STORE_FILE_MISSING');
    await fetched(exportOf(['D1']));
    expect(await codeOf(order)).toBe('ok');
    expect(await codeOf(discard())).toBe('ok');
    expect(await codeOf(discard())).toBe('ok');
    expect(await published(order)).toBe('STORE_FILE_MISSING');
  });

  it('fetch a secure backup file by file, and say when its manifest is not there', async () => {
    const { store, address, appliance } = ground;
    const source = { address, deadlines: {}, expectedSerialNumber: '0000001' };
    const order = {
      kind: 'fetchSecureBackup',
      store,
      source,
      taskId: 'task-1',
      directoryUrl: folder,
    } as const;
    expect(await codeOf(order)).toBe('BACKUP_MANIFEST_MISSING none');
    await ground.answer(appliance.createDirectory(folder));
    const kinds = { certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
    await ground.answer(appliance.createSecureBackup({ destination: folder, ...kinds }));
    const reply = await ground.answer(ground.order(order, { deadlineMs: 60_000 }));
    expect(reply.ok && reply.value.files.map(({ name }) => name)).toContain('backupmanifest.xml');
  });

  it('end an order that is given up, and nobody knows how far it came', async () => {
    const stopping = new AbortController();
    const reply = ground.order(exportOf(['D1']), { deadlineMs: 60_000, signal: stopping.signal });
    stopping.abort();
    expect(await ground.answer<MoverReply>(reply)).toMatchObject({
      ok: false,
      fault: { code: 'ABORTED' },
    });
  });
});
