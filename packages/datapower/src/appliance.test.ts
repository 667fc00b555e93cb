import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAppliance, Secret } from './index.ts';
import { envelope, says, startTestDevice, type TestDevice } from './testing/test-device.ts';

const PASSWORD = 'p4ss-w0rd-never-printed';
let device: TestDevice;

beforeEach(async () => {
  device = await startTestDevice();
});
afterEach(async () => {
  await device.close();
});

async function withAppliance<T>(work: (appliance: ReturnType<typeof open>) => Promise<T>): Promise<T> {
  const appliance = open();
  try {
    return await work(appliance);
  } finally {
    await appliance.close();
  }
}

function open() {
  return openAppliance({
    host: 'localhost',
    port: device.port,
    username: 'admin',
    password: new Secret(PASSWORD),
    tls: { kind: 'ca', pem: device.certificate.certificatePem },
  });
}

function collect() {
  const parts: Buffer[] = [];
  return {
    write: (chunk: Uint8Array) => void parts.push(Buffer.from(chunk)),
    bytes: () => Buffer.concat(parts),
  };
}

describe('an appliance', () => {
  it('is asked for its domain status and gives one row per domain', async () => {
    device.answer(
      says(
        envelope(
          '<dp:status><DomainStatus xmlns:env="http://www.w3.org/2003/05/soap-envelope"><Domain>default</Domain><SaveNeeded>off</SaveNeeded><CurrentCommand></CurrentCommand><QuiesceState></QuiesceState></DomainStatus><DomainStatus><Domain>A</Domain><SaveNeeded>on</SaveNeeded><CurrentCommand>backup</CurrentCommand><QuiesceState>Waiting for services to stop</QuiesceState></DomainStatus></dp:status>',
        ),
      ),
    );
    const reply = await withAppliance((appliance) => appliance.readDomainStatus());
    expect(reply).toEqual({
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
          currentCommand: 'backup',
          quiesceState: 'quiescing',
          quiesceText: 'Waiting for services to stop',
        },
      ],
    });
    expect(device.received[0]?.path).toBe('/service/mgmt/current');
    const login = Buffer.from(`admin:${PASSWORD}`).toString('base64');
    expect(device.received[0]?.headers.authorization).toBe(`Basic ${login}`);
  });

  it('streams a backup to the sink and says how large it was', async () => {
    const archive = Buffer.from('PK\x03\x04 a backup of some bytes');
    device.answer(says(envelope(`<dp:file>${archive.toString('base64')}</dp:file>`)));
    const sink = collect();
    const reply = await withAppliance((appliance) =>
      appliance.backUpDomains({ domains: ['A'], isPersisted: true }, sink),
    );
    expect(reply).toEqual({ ok: true, value: { sizeBytes: archive.length } });
    expect(sink.bytes()).toEqual(archive);
  });

  it('accepts a quiesce that is answered with a padded OK', async () => {
    device.answer(says(envelope('<dp:result>\n      OK\n    </dp:result>')));
    const reply = await withAppliance((appliance) =>
      appliance.quiesceDomain({ domain: 'A', timeoutSeconds: 120 }),
    );
    expect(reply).toEqual({ ok: true, value: undefined });
    expect(device.received[0]?.body).toContain(
      '<DomainQuiesce><name>A</name><timeout>120</timeout></DomainQuiesce>',
    );
  });
});
