import { describe, expect, it } from 'vitest';
import { EnvelopeReader } from './envelope-reader.ts';
import type { Content } from './read-answer.ts';
import { hasEnabledObject, readCertificate, readDomains, readField } from './read-config.ts';
import { readFileListing } from './read-filestore.ts';
import {
  quiesceStateOf,
  readDateTimeRow,
  readDomainStatusRows,
  readFilesystemStatusRow,
  readFirmwareRow,
  readObjectStatusRows,
} from './read-status.ts';

const UNEXPECTED = expect.objectContaining({ code: 'REPLY_UNEXPECTED' });

function content(text: string): Content {
  const reader = new EnvelopeReader({ envelopeMaxBytes: 100_000 });
  reader.write(Buffer.from(text));
  const element = reader.finish().root;
  return { name: element.name, element, stampedAt: '2023-05-17T05:07:12-04:00' };
}

function domainRow({ saveNeeded = 'off', name = '<Domain>A</Domain>' } = {}): string {
  return `<DomainStatus>${name}<SaveNeeded>${saveNeeded}</SaveNeeded><CurrentCommand/><QuiesceState/></DomainStatus>`;
}

describe('the quiesce state', () => {
  it.each([
    ['', 'normal'],
    ['  ', 'normal'],
    ['quiesced', 'quiesced'],
    ['Quiesced', 'quiesced'],
    ['error', 'error'],
    ['Error', 'error'],
    ['unknown quiesce state', 'error'],
    ['Unknown quiesce state', 'error'],
    ['unquiescing', 'unquiescing'],
    ['Unquiesce started', 'unquiescing'],
    ['Unquiesce done', 'unquiescing'],
    ['quiescing', 'quiescing'],
    ['Stopping new connections', 'quiescing'],
    ['Waiting for persistent connections to complete', 'quiescing'],
    ['Waiting for services to stop', 'quiescing'],
    ['anything else', 'quiescing'],
  ])('reads "%s" as %s', (text, state) => {
    expect(quiesceStateOf(text)).toBe(state);
  });
});

describe('status rows', () => {
  it.each([
    ['no row', '<status/>'],
    ['a row of another class', '<status><ObjectStatus/></status>'],
    ['a row without a domain', `<status>${domainRow({ name: '' })}</status>`],
    ['a toggle that is neither on nor off', `<status>${domainRow({ saveNeeded: 'maybe' })}</status>`],
    ['a configuration', '<config/>'],
  ])('refuse %s where domains are asked for', (_what, text) => {
    expect(() => readDomainStatusRows(content(text))).toThrowError(UNEXPECTED);
  });

  it('refuse a plain OK where a status is asked for', () => {
    expect(() => readDomainStatusRows(null)).toThrowError(UNEXPECTED);
  });

  it('give free space in megabytes and null where the appliance does not say', () => {
    const text =
      '<status><FilesystemStatus><FreeEncrypted>1200</FreeEncrypted><TotalEncrypted>2000</TotalEncrypted><FreeTemporary> 812 </FreeTemporary><TotalTemporary>1024</TotalTemporary></FilesystemStatus></status>';
    expect(readFilesystemStatusRow(content(text))).toEqual({
      freeEncryptedMb: 1200,
      totalEncryptedMb: 2000,
      freeTemporaryMb: 812,
      totalTemporaryMb: 1024,
      freeInternalMb: null,
      totalInternalMb: null,
    });
    expect(() => readFilesystemStatusRow(content(text.replace('1200', 'plenty')))).toThrowError(UNEXPECTED);
    expect(() => readFilesystemStatusRow(content('<status/>'))).toThrowError(UNEXPECTED);
  });

  it('give the firmware, or null when the class has no row', () => {
    const text =
      '<status><FirmwareVersion3><Serial>0000001</Serial><Version>IDG.10.5.0.2</Version><Build>345566</Build><DeliveryType>LTS</DeliveryType><MachineType>8436</MachineType><ModelType>52X</ModelType></FirmwareVersion3></status>';
    expect(readFirmwareRow(content(text), 'FirmwareVersion3')).toEqual({
      serial: '0000001',
      version: 'IDG.10.5.0.2',
      build: '345566',
      machineType: '8436',
      modelType: '52X',
      deliveryType: 'LTS',
    });
    expect(readFirmwareRow(content('<status/>'), 'FirmwareVersion3')).toBeNull();
  });

  it('give the clock with the time stamp of the answer', () => {
    const text =
      '<status><DateTimeStatus><time>Tue Apr 25 13:39:36 2023</time><timezone>EDT</timezone></DateTimeStatus></status>';
    expect(readDateTimeRow(content(text))).toEqual({
      stampedAt: '2023-05-17T05:07:12-04:00',
      timeText: 'Tue Apr 25 13:39:36 2023',
      timezoneText: 'EDT',
    });
  });

  it('give the state of each object', () => {
    const text =
      '<status><ObjectStatus><Class>CryptoCertificate</Class><OpState>up</OpState><AdminState>enabled</AdminState><Name>dr-cert</Name><EventCode>0x00000000</EventCode><ErrorCode/><ConfigState>saved</ConfigState></ObjectStatus></status>';
    expect(readObjectStatusRows(content(text))).toEqual([
      {
        className: 'CryptoCertificate',
        name: 'dr-cert',
        opState: 'up',
        adminState: 'enabled',
        eventCode: '0x00000000',
        errorCode: '',
        configState: 'saved',
      },
    ]);
    expect(readObjectStatusRows(content('<status/>'))).toEqual([]);
  });
});

describe('configuration objects', () => {
  it('give each domain and whether it is enabled', () => {
    const text =
      '<config><Domain name="default" intrinsic="true"><mAdminState>enabled</mAdminState></Domain><Domain name="B"><mAdminState>disabled</mAdminState></Domain></config>';
    expect(readDomains(content(text))).toEqual([
      { name: 'default', isEnabled: true },
      { name: 'B', isEnabled: false },
    ]);
    expect(() => readDomains(content('<config/>'))).toThrowError(UNEXPECTED);
    expect(() => readDomains(content('<config><Domain/></config>'))).toThrowError(UNEXPECTED);
    expect(() => readDomains(content('<config><User name="a"/></config>'))).toThrowError(UNEXPECTED);
  });

  it('find a certificate by its exact name only', () => {
    const text =
      '<config><CryptoCertificate name="dr-cert"><mAdminState>enabled</mAdminState><Filename>cert:///dr.pem</Filename></CryptoCertificate></config>';
    expect(readCertificate(content(text), 'dr-cert')).toEqual({
      name: 'dr-cert',
      isEnabled: true,
      filename: 'cert:///dr.pem',
    });
    expect(readCertificate(content(text), 'DR-CERT')).toBeNull();
    expect(readCertificate(content('<config/>'), 'dr-cert')).toBeNull();
  });

  it('tell whether one of them is enabled, and read one field', () => {
    const gateway = (state: string) =>
      content(
        `<config><APIConnectGatewayService name="g"><mAdminState>${state}</mAdminState></APIConnectGatewayService></config>`,
      );
    expect(hasEnabledObject(gateway('enabled'), 'APIConnectGatewayService')).toBe(true);
    expect(hasEnabledObject(gateway('disabled'), 'APIConnectGatewayService')).toBe(false);
    expect(hasEnabledObject(content('<config/>'), 'APIConnectGatewayService')).toBe(false);
    const settings = content(
      '<config><SystemSettings name="s"><BackupMode>secure</BackupMode></SystemSettings></config>',
    );
    expect(readField(settings, 'SystemSettings', 'BackupMode')).toBe('secure');
    expect(readField(settings, 'SystemSettings', 'Other')).toBeNull();
  });
});

describe('a file listing', () => {
  const text =
    '<filestore><location name="temporary:"><directory name="temporary:/sb"><file name="backupmanifest.xml"><size>4848</size><modified>2023-05-05 18:19:41</modified></file><directory name="temporary:/sb/deep"><file name="y"><size>0</size></file></directory></directory><file name="x.txt"><size>6</size></file></location></filestore>';

  it('is flat, with the path of each file as a URL', () => {
    expect(readFileListing(content(text), 'temporary:')).toEqual({
      files: [
        { path: 'temporary:///sb/backupmanifest.xml', sizeBytes: 4848, modifiedText: '2023-05-05 18:19:41' },
        { path: 'temporary:///sb/deep/y', sizeBytes: 0, modifiedText: null },
        { path: 'temporary:///x.txt', sizeBytes: 6, modifiedText: null },
      ],
      directories: ['temporary:///sb', 'temporary:///sb/deep'],
    });
  });

  it.each([
    ['another location', text.replace('"temporary:"', '"local:"')],
    ['a name that climbs', text.replace('x.txt', '..')],
    ['a name with a slash', text.replace('x.txt', '../../etc/passwd')],
    ['a size that is no number', text.replace('>6<', '>many<')],
    ['a file without a size', text.replace('<size>6</size>', '')],
  ])('refuses %s', (_what, changed) => {
    expect(() => readFileListing(content(changed), 'temporary:')).toThrowError(UNEXPECTED);
  });
});
