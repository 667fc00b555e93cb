import { afterEach, describe, expect, it } from 'vitest';
import { type DeviceBehaviour, envelope, says } from './testing/test-device.ts';
import { faultOf, TEST_PASSWORD, TestScene } from './testing/test-scene.ts';

const scene = new TestScene();
afterEach(() => scene.close());

const REJECTED =
  '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body><env:Fault><faultcode>env:Client</faultcode><faultstring>Internal Error (from client)</faultstring></env:Fault></env:Body></env:Envelope>';
const FIRMWARE =
  '<Serial>0000001</Serial><Version>IDG.10.5.0.2</Version><Build>345566</Build><MachineType>8436</MachineType><ModelType>52X</ModelType>';
const CERTIFICATE =
  '<dp:config><CryptoCertificate name="dr-cert"><mAdminState>enabled</mAdminState><Filename>cert:///dr.pem</Filename></CryptoCertificate></dp:config>';

async function openWith(behaviour: DeviceBehaviour) {
  const device = await scene.device();
  device.answer(behaviour);
  return { device, appliance: scene.trusting(device) };
}

/** Answers by the class that the request names; a class it does not know is a schema error, as on a real device. */
function knows(answers: Readonly<Record<string, string>>): DeviceBehaviour {
  return ({ body }, response) => {
    const className = /class="([^"]+)"/u.exec(body)?.[1] ?? '';
    const answer = answers[className];
    response.writeHead(answer === undefined ? 500 : 200, { 'content-type': 'text/xml' });
    response.end(answer === undefined ? REJECTED : envelope(answer));
  };
}

describe('asking an appliance', () => {
  it('sends the login with the first request, to the current interface', async () => {
    const { device, appliance } = await openWith(says(envelope('<dp:result>OK</dp:result>')));
    await appliance.unquiesceDevice();
    const login = Buffer.from(`admin:${TEST_PASSWORD}`).toString('base64');
    expect(device.received[0]).toMatchObject({
      path: '/service/mgmt/current',
      headers: { authorization: `Basic ${login}`, 'content-type': 'text/xml; charset=UTF-8' },
    });
  });

  it('gives one row per domain', async () => {
    const row = (name: string, saveNeeded: string, quiesce: string) =>
      `<DomainStatus xmlns:env="http://www.w3.org/2003/05/soap-envelope"><Domain>${name}</Domain><SaveNeeded>${saveNeeded}</SaveNeeded><CurrentCommand></CurrentCommand><QuiesceState>${quiesce}</QuiesceState></DomainStatus>`;
    const { appliance } = await openWith(
      says(envelope(`<dp:status>${row('default', 'off', '')}${row('A', 'on', 'Quiesced')}</dp:status>`)),
    );
    expect(await appliance.readDomainStatus()).toEqual({
      ok: true,
      value: [
        {
          domain: 'default',
          isSaveNeeded: false,
          currentCommand: '',
          quiesceState: 'normal',
          quiesceText: '',
        },
        {
          domain: 'A',
          isSaveNeeded: true,
          currentCommand: '',
          quiesceState: 'quiesced',
          quiesceText: 'Quiesced',
        },
      ],
    });
  });

  it.each(['FirmwareVersion3', 'FirmwareVersion2', 'FirmwareVersion'])(
    'finds the firmware in %s',
    async (name) => {
      const { appliance } = await openWith(
        knows({ [name]: `<dp:status><${name}>${FIRMWARE}</${name}></dp:status>` }),
      );
      const value = expect.objectContaining({
        serial: '0000001',
        version: 'IDG.10.5.0.2',
        deliveryType: null,
      });
      expect(await appliance.readFirmware()).toEqual({ ok: true, value });
    },
  );

  it('goes on to the older firmware class when the newer one has no row, and says when none has', async () => {
    const older = await openWith(
      knows({
        FirmwareVersion3: '<dp:status/>',
        FirmwareVersion2: '<dp:result>Cannot read status</dp:result>',
        FirmwareVersion: `<dp:status><FirmwareVersion>${FIRMWARE}</FirmwareVersion></dp:status>`,
      }),
    );
    expect((await older.appliance.readFirmware()).ok).toBe(true);
    const none = await openWith(says(envelope('<dp:status/>')));
    expect(faultOf(await none.appliance.readFirmware()).code).toBe('REPLY_UNEXPECTED');
  });

  it('does not try older classes when the login is refused', async () => {
    const { device, appliance } = await openWith(
      says(envelope('<dp:result>Authentication failure</dp:result>', { isStamped: false })),
    );
    expect(faultOf(await appliance.readFirmware())).toMatchObject({
      code: 'AUTHENTICATION_FAILED',
      effect: 'none',
    });
    expect(device.received).toHaveLength(1);
  });

  it('says that a status is not available when text comes in its place', async () => {
    const { appliance } = await openWith(says(envelope('<dp:result>Something is wrong</dp:result>')));
    expect(faultOf(await appliance.readFilesystemStatus())).toMatchObject({
      code: 'STATUS_UNAVAILABLE',
      effect: 'none',
    });
  });

  it.each([
    [
      'secure',
      {
        SystemSettings:
          '<dp:config><SystemSettings><BackupMode>secure</BackupMode></SystemSettings></dp:config>',
      },
    ],
    [
      'normal',
      {
        SystemSettings:
          '<dp:config><SystemSettings><BackupMode>normal</BackupMode></SystemSettings></dp:config>',
      },
    ],
    [
      'secure',
      {
        SystemSettings: '<dp:config><SystemSettings/></dp:config>',
        SecureBackupMode: '<dp:config><SecureBackupMode><mode>secure</mode></SecureBackupMode></dp:config>',
      },
    ],
    ['unknown', {}],
    ['unknown', { SystemSettings: '<dp:config/>', SecureBackupMode: '<dp:config/>' }],
  ])('reads the backup mode %s', async (mode, answers) => {
    const { appliance } = await openWith(knows(answers as Record<string, string>));
    expect(await appliance.readBackupMode()).toEqual({ ok: true, value: mode });
  });

  it('finds a certificate with its operational state, or null', async () => {
    const { appliance } = await openWith(
      knows({
        CryptoCertificate: CERTIFICATE,
        ObjectStatus:
          '<dp:status><ObjectStatus><Class>CryptoCertificate</Class><OpState>down</OpState><Name>dr-cert</Name></ObjectStatus></dp:status>',
      }),
    );
    expect(await appliance.findCertificate('dr-cert')).toEqual({
      ok: true,
      value: { name: 'dr-cert', isEnabled: true, filename: 'cert:///dr.pem', opState: 'down' },
    });
    expect(await appliance.findCertificate('other')).toEqual({ ok: true, value: null });
    const without = await openWith(knows({ CryptoCertificate: CERTIFICATE }));
    expect(await without.appliance.findCertificate('dr-cert')).toEqual({
      ok: true,
      value: { name: 'dr-cert', isEnabled: true, filename: 'cert:///dr.pem' },
    });
  });

  it('asks the domain itself for an API Connect gateway, which older firmware cannot have', async () => {
    const gateway =
      '<dp:config><APIConnectGatewayService name="g"><mAdminState>enabled</mAdminState></APIConnectGatewayService></dp:config>';
    const { device, appliance } = await openWith(knows({ APIConnectGatewayService: gateway }));
    expect(await appliance.findApiConnectGateway('apic')).toEqual({ ok: true, value: true });
    expect(device.received[0]?.body).toContain('domain="apic"');
    const older = await openWith(knows({}));
    expect(await older.appliance.findApiConnectGateway('apic')).toEqual({ ok: true, value: false });
  });

  it('lists domains and files', async () => {
    const { appliance } = await openWith(({ body }, response) => {
      response.end(
        body.includes('get-filestore')
          ? envelope(
              '<dp:filestore><location name="temporary:"><file name="x"><size>6</size></file></location></dp:filestore>',
            )
          : envelope(
              '<dp:config><Domain name="default"><mAdminState>enabled</mAdminState></Domain></dp:config>',
            ),
      );
    });
    expect(await appliance.listDomains()).toEqual({
      ok: true,
      value: [{ name: 'default', isEnabled: true }],
    });
    expect(await appliance.listFiles('temporary:')).toEqual({
      ok: true,
      value: { files: [{ path: 'temporary:///x', sizeBytes: 6, modifiedText: null }], directories: [] },
    });
  });

  it('refuses a value that cannot be sent, without sending anything', async () => {
    const { device, appliance } = await openWith(says(''));
    const fault = faultOf(await appliance.quiesceDomain({ domain: 'a\0b', timeoutSeconds: 60 }));
    expect(fault).toMatchObject({ code: 'REQUEST_INVALID', effect: 'none', retryable: false });
    expect(device.received).toEqual([]);
  });

  it('reads the clock and the objects, and performs each action', async () => {
    const { device, appliance } = await openWith((request, response) => {
      if (request.body.includes('DateTimeStatus')) {
        const row =
          '<DateTimeStatus><time>Tue Apr 25 13:39:36 2023</time><timezone>UTC</timezone></DateTimeStatus>';
        return says(envelope(`<dp:status>${row}</dp:status>`))(request, response);
      }
      if (request.body.includes('ObjectStatus')) return says(envelope('<dp:status/>'))(request, response);
      says(envelope('<dp:result>\n      OK\n    </dp:result>'))(request, response);
    });
    expect(await appliance.readDateTime()).toMatchObject({ ok: true, value: { timezoneText: 'UTC' } });
    expect(await appliance.readObjectStatus()).toEqual({ ok: true, value: [] });
    const order = {
      certificate: 'c',
      destination: 'temporary:///sb',
      includesIscsi: false,
      includesRaid: false,
    };
    const done = [
      await appliance.createSecureBackup(order),
      await appliance.createDirectory('temporary:///sb'),
      await appliance.deleteFile('temporary:///sb/x'),
      await appliance.removeDirectory('temporary:///sb'),
      await appliance.quiesceDomain({ domain: 'A', timeoutSeconds: 60 }),
      await appliance.unquiesceDomain('A'),
      await appliance.quiesceDevice({ timeoutSeconds: 60 }),
      await appliance.unquiesceDevice(),
    ];
    expect(done.every((reply) => reply.ok)).toBe(true);
    const actions = device.received
      .map(({ body }) => /<dp:do-action><(\w+)/u.exec(body)?.[1])
      .filter(Boolean);
    expect(actions).toEqual([
      'SecureBackup',
      'CreateDir',
      'DeleteFile',
      'RemoveDir',
      'DomainQuiesce',
      'DomainUnquiesce',
      'QuiesceDP',
      'UnquiesceDP',
    ]);
  });
});
