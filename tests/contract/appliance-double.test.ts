import type { Appliance, Reply } from '@stillpoint/datapower';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApplianceGround, pretendGround, realGround } from './testing/appliance-ground.ts';

const folder = 'temporary:///stillpoint-task';

describe.each([
  ['the client of an appliance', realGround],
  ['its double in the simulation', pretendGround],
])('%s', (_name, open) => {
  let ground: ApplianceGround;
  let appliance: Appliance;

  beforeEach(async () => {
    ground = await open();
    appliance = ground.appliance;
  });

  afterEach(() => ground.close());

  const codeOf = async (question: Promise<Reply<unknown>>): Promise<string> => {
    const reply = await ground.answer(question);
    return reply.ok ? 'ok' : `${reply.fault.code} ${reply.fault.effect}`;
  };

  const states = async (): Promise<Record<string, string>> => {
    const reply = await ground.answer(appliance.readDomainStatus());
    if (!reply.ok) throw new Error(reply.fault.detail);
    return Object.fromEntries(reply.value.map(({ domain, quiesceState }) => [domain, quiesceState]));
  };

  const moving = { default: 'normal', D1: 'normal', D2: 'normal' };

  it('tells the domains and what is not saved in them', async () => {
    const reply = await ground.answer(appliance.readDomainStatus());
    const rows = reply.ok ? reply.value.map(({ domain, isSaveNeeded }) => [domain, isSaveNeeded]) : [];
    expect(rows).toEqual([
      ['default', false],
      ['D1', true],
      ['D2', false],
    ]);
    expect(await states()).toEqual(moving);
  });

  it('quiesces one domain and nothing else, and sets it moving again', async () => {
    const order = { domain: 'D1', timeoutSeconds: 60 };
    expect(await codeOf(appliance.quiesceDomain(order))).toBe('ok');
    expect(await states()).toEqual({ ...moving, D1: 'quiesced' });
    expect(await codeOf(appliance.quiesceDomain(order))).toBe('ok');
    expect(await codeOf(appliance.unquiesceDomain('D1'))).toBe('ok');
    expect(await codeOf(appliance.unquiesceDomain('D1'))).toBe('ok');
    expect(await states()).toEqual(moving);
  });

  it('quiesces a device without its default domain', async () => {
    expect(await codeOf(appliance.quiesceDevice({ timeoutSeconds: 60 }))).toBe('ok');
    expect(await states()).toEqual({ default: 'normal', D1: 'quiesced', D2: 'quiesced' });
    expect(await codeOf(appliance.unquiesceDevice())).toBe('ok');
    expect(await states()).toEqual(moving);
  });

  it('refuses what is not there, and says that nothing happened', async () => {
    const refused = 'ACTION_REFUSED none';
    expect(await codeOf(appliance.quiesceDomain({ domain: 'D9', timeoutSeconds: 60 }))).toBe(refused);
    expect(await codeOf(appliance.quiesceDomain({ domain: 'default', timeoutSeconds: 60 }))).toBe(refused);
    expect(await codeOf(appliance.unquiesceDomain('D9'))).toBe(refused);
    const sink = { write: () => {} };
    expect(await codeOf(appliance.backUpDomains({ domains: ['D9'], isPersisted: true }, sink))).toBe(refused);
    expect(await codeOf(appliance.readFile(`${folder}/none`, sink))).toBe('FILE_NOT_READABLE none');
  });

  it('says who it is and what it can', async () => {
    const firmware = await ground.answer(appliance.readFirmware());
    expect(firmware).toMatchObject({ ok: true, value: { serial: '0000001', version: 'IDG.10.5.0.2' } });
    expect(await ground.answer(appliance.readBackupMode())).toEqual({ ok: true, value: 'secure' });
    const known = await ground.answer(appliance.findCertificate('dr-cert'));
    expect(known).toMatchObject({ ok: true, value: { name: 'dr-cert', isEnabled: true, opState: 'up' } });
    expect(await ground.answer(appliance.findCertificate('none'))).toEqual({ ok: true, value: null });
    expect(await ground.answer(appliance.findApiConnectGateway('D1'))).toEqual({ ok: true, value: false });
    const listed = await ground.answer(appliance.listDomains());
    expect(listed.ok && listed.value.map(({ name }) => name)).toEqual(['default', 'D1', 'D2']);
  });

  it('writes a secure backup into a directory, which can be read and removed', async () => {
    const order = { destination: folder, certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
    const sink = { write: () => {} };
    expect(await codeOf(appliance.createDirectory(folder))).toBe('ok');
    expect(await codeOf(appliance.createSecureBackup({ ...order, certificate: 'none' }))).toBe(
      'OPERATION_FAILED none',
    );
    expect(await codeOf(appliance.createSecureBackup(order))).toBe('ok');
    const listing = await ground.answer(appliance.listFiles('temporary:'));
    expect(listing.ok && listing.value.directories).toContain(folder);
    expect(listing.ok && listing.value.files.map(({ path }) => path)).toContain(
      `${folder}/backupmanifest.xml`,
    );
    expect(await codeOf(appliance.readFile(`${folder}/backupmanifest.xml`, sink))).toBe('ok');
    expect(await codeOf(appliance.removeDirectory(folder))).toBe('ok');
    const after = await ground.answer(appliance.listFiles('temporary:'));
    expect(after.ok && after.value.directories).not.toContain(folder);
    expect(await codeOf(appliance.removeDirectory(folder))).toBe('ACTION_REFUSED none');
  });

  it('streams an export', async () => {
    let sizeBytes = 0;
    const sink = {
      write(chunk: Uint8Array) {
        sizeBytes += chunk.length;
      },
    };
    const order = { domains: ['D1'], isPersisted: true };
    const reply = await ground.answer(appliance.backUpDomains(order, sink));
    expect(reply).toEqual({ ok: true, value: { sizeBytes } });
    expect(sizeBytes).toBeGreaterThan(0);
  });

  it('cannot be reached, and then certainly nothing happened', async () => {
    ground.trouble('down');
    const action = await ground.answer(appliance.unquiesceDevice());
    const look = await ground.answer(appliance.readDomainStatus());
    for (const reply of [action, look])
      expect(reply).toMatchObject({ ok: false, fault: { effect: 'none', retryable: true } });
  });

  it('loses a reply, and then it may have happened, and has', async () => {
    ground.trouble('replyLost');
    expect(await codeOf(appliance.quiesceDomain({ domain: 'D1', timeoutSeconds: 60 }))).toBe(
      'CONNECTION_LOST unknown',
    );
    ground.trouble(null);
    expect(await states()).toEqual({ ...moving, D1: 'quiesced' });
    ground.trouble('replyLost');
    expect(await codeOf(appliance.readDomainStatus())).toBe('CONNECTION_LOST none');
  });

  it('answers nothing until the asker gives up, by its deadline or by an abort', async () => {
    const order = { domain: 'D1', timeoutSeconds: 60 };
    ground.trouble('silent');
    expect(await codeOf(appliance.quiesceDomain(order, { deadlineMs: 300 }))).toBe(
      'DEADLINE_EXCEEDED unknown',
    );
    expect(await codeOf(appliance.quiesceDomain(order, { signal: AbortSignal.abort() }))).toBe(
      'ABORTED none',
    );
  });

  it('answers what nobody can read, or no', async () => {
    ground.trouble('unreadable');
    expect(await codeOf(appliance.unquiesceDomain('D1'))).toBe('REPLY_NOT_XML unknown');
    ground.trouble('refused');
    expect(await codeOf(appliance.unquiesceDomain('D1'))).toBe('ACTION_REFUSED none');
  });

  it('sends nothing while it may not', async () => {
    ground.maySend = false;
    expect(await codeOf(appliance.quiesceDevice({ timeoutSeconds: 60 }))).toBe('SENDING_NOT_ALLOWED none');
    ground.maySend = true;
    expect(await states()).toEqual(moving);
  });
});
