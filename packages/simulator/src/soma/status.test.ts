import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fleet } from '../fleet/fleet.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { callAction, callOperation, textsOf } from '../testing/call-device.ts';

let fleet: Fleet;
let now = Date.parse('2023-05-05T18:00:00Z');

beforeAll(async () => {
  fleet = await startFleet(
    {
      devices: [
        {
          name: 'dp1',
          backupMode: 'normal',
          certificates: [{ name: 'good' }, { name: 'expired', opState: 'down' }],
          freeTemporaryMb: 700,
          quiesce: { quiesceMs: 5000, unquiesceMs: 3000 },
          domains: [
            { name: 'A', saveNeeded: true },
            { name: 'gw', isApiConnect: true },
          ],
        },
        { name: 'old', firmware: { version: 'XI50.3.8.2' } },
        { name: 'lax', quiesce: { quiesceMs: 0, allowsShortTimeout: true }, domains: [{ name: 'A' }] },
      ],
    },
    { now: () => now },
  );
});
afterAll(() => fleet.stop());

const status = async (className: string, device = 'dp1', domain?: string): Promise<string> =>
  (await callOperation(fleet.device(device).address, `<dp:get-status class="${className}"/>`, domain)).text;
const config = async (attributes: string, domain?: string): Promise<string> =>
  (await callOperation(fleet.device('dp1').address, `<dp:get-config ${attributes}/>`, domain)).text;
const act = async (action: string, device = 'dp1'): Promise<string> =>
  (await callAction(fleet.device(device).address, action)).text;

describe('a status', () => {
  test.each([
    'ActiveUsers',
    'DateTimeStatus',
    'DateTimeStatus2',
    'DomainSummary',
    'FilesystemStatus',
    'FirmwareStatus',
    'FirmwareStatus2',
    'FirmwareVersion',
    'FirmwareVersion2',
    'FirmwareVersion3',
    'LicenseStatus',
    'VirtualPlatform',
    'VirtualPlatform2',
    'VirtualPlatform3',
  ])('%s has rows', async (className) => {
    expect(await status(className)).toContain(`<dp:status><${className} xmlns:env=`);
  });

  test('has the fields in the order of the schema', async () => {
    const names = (text: string): string[] =>
      [...text.slice(text.indexOf('<dp:status>')).matchAll(/<([A-Z]\w*)[/>]/g)].map(
        (match) => match[1] ?? '',
      );
    expect(names(await status('FirmwareVersion3'))).toEqual(
      'Serial Version Build BuildDate DeliveryType WatchdogBuild InstalledDPOS RunningDPOS XMLAccelerator MachineType ModelType Tenant'.split(
        ' ',
      ),
    );
    expect(names(await status('DomainStatus', 'dp1', 'A'))).toEqual(
      'Domain SaveNeeded TraceEnabled DebugEnabled ProbeEnabled DiagEnabled CurrentCommand QuiesceState InterfaceState FailsafeMode'.split(
        ' ',
      ),
    );
    expect(names(await status('DomainStatus', 'old'))).not.toContain('FailsafeMode');
  });

  test('without rows is empty', async () => {
    expect(await status('Battery')).toContain('<dp:status/>');
    expect(await status('FirmwareVersion', 'dp1', 'A')).toContain('<dp:status/>');
    expect(await config('class="CryptoCertificate" name="nobody"')).toContain('<dp:config/>');
  });

  test('that the firmware does not have yet is a SOAP fault', async () => {
    expect(await status('FirmwareVersion3', 'old')).toContain('<env:Fault>');
    expect(await status('FirmwareVersion', 'old')).toContain('<Version>XI50.3.8.2</Version>');
  });

  test('without a class is the rows of all', async () => {
    const { text } = await callOperation(fleet.device('dp1').address, '<dp:get-status/>');
    expect(text).toContain('<DomainStatus ');
    expect(text).toContain('<FilesystemStatus ');
  });

  test('of objects can be narrowed by class and name', async () => {
    const address = fleet.device('dp1').address;
    const narrow =
      '<dp:get-status class="ObjectStatus" object-class="CryptoCertificate" object-name="expired"/>';
    const { text } = await callOperation(address, narrow);
    expect(textsOf(text, 'Name')).toEqual(['expired']);
    expect(textsOf(text, 'OpState')).toEqual(['down']);
  });

  test('of file systems is in megabytes', async () => {
    expect(textsOf(await status('FilesystemStatus'), 'FreeTemporary')).toEqual(['700']);
  });
});

describe('a configuration', () => {
  test('lists domains, default among them as read-only', async () => {
    const text = await config('class="Domain"');
    expect([...text.matchAll(/<Domain name="([^"]*)"/g)].map((match) => match[1])).toEqual([
      'default',
      'A',
      'gw',
    ]);
    expect(text).toContain('<Domain name="default" intrinsic="true" read-only="true"');
    expect(await config('class="Domain" name="A"')).not.toContain('name="gw"');
  });

  test('tells the backup mode, certificates and API Connect gateways', async () => {
    expect(textsOf(await config('class="SystemSettings"'), 'BackupMode')).toEqual(['normal']);
    expect(textsOf(await config('class="SecureBackupMode"'), 'mode')).toEqual(['normal']);
    expect(textsOf(await config('class="CryptoCertificate" name="good"'), 'Filename')).toEqual([
      'cert:///good.pem',
    ]);
    expect(await config('class="APIConnectGatewayService"', 'gw')).toContain(
      '<mAdminState>enabled</mAdminState>',
    );
    expect(await config('class="APIConnectGatewayService"', 'A')).toContain('<dp:config/>');
  });
});

describe('quiescing', () => {
  const states = async (): Promise<string[]> => textsOf(await status('DomainStatus'), 'QuiesceState');

  test('takes the time it takes and shows on the way', async () => {
    expect(await states()).toEqual(['', '', '']);
    expect(
      await act('<DomainQuiesce><name>A</name><timeout>60</timeout><delay>0</delay></DomainQuiesce>'),
    ).toContain('>OK<');
    expect(await states()).toEqual(['', 'quiescing', '']);
    now += 5000;
    expect(await states()).toEqual(['', 'quiesced', '']);
    expect(await act('<DomainQuiesce><name>A</name><timeout>60</timeout></DomainQuiesce>')).toContain('>OK<');
    expect(await act('<DomainUnquiesce><name>A</name></DomainUnquiesce>')).toContain('>OK<');
    expect(await states()).toEqual(['', 'unquiescing', '']);
    now += 3000;
    expect(await states()).toEqual(['', '', '']);
  });

  test('a device takes all domains but default down', async () => {
    await act('<QuiesceDP><timeout>60</timeout></QuiesceDP>');
    now += 5000;
    expect(await states()).toEqual(['', 'quiesced', 'quiesced']);
    expect(textsOf(await status('DomainSummary'), 'Quiesce')).toEqual(['', 'quiesced', 'quiesced']);
    await act('<UnquiesceDP/>');
    now += 3000;
    expect(await states()).toEqual(['', '', '']);
  });

  test('is refused for default, for unknown domains and with a short time-out', async () => {
    for (const action of [
      '<DomainQuiesce><name>default</name><timeout>60</timeout></DomainQuiesce>',
      '<DomainQuiesce><name>nobody</name><timeout>60</timeout></DomainQuiesce>',
      '<DomainQuiesce><name>A</name><timeout>59</timeout></DomainQuiesce>',
      '<QuiesceDP><timeout>0</timeout></QuiesceDP>',
    ]) {
      expect(await act(action)).toContain('<error-log><log-event level="error">');
    }
    expect(await states()).toEqual(['', '', '']);
  });

  test('a short time-out can be allowed', async () => {
    expect(await act('<QuiesceDP><timeout>1</timeout></QuiesceDP>', 'lax')).toContain('>OK<');
    expect(fleet.device('lax').domain('A').phase).toBe('quiesced');
  });
});

test('saving a configuration clears the mark of unsaved changes', async () => {
  expect(textsOf(await status('DomainStatus'), 'SaveNeeded')).toEqual(['off', 'on', 'off']);
  await callAction(fleet.device('dp1').address, '<SaveConfig/>', 'A');
  expect(textsOf(await status('DomainStatus'), 'SaveNeeded')).toEqual(['off', 'off', 'off']);
});
