import { describe, expect, it } from 'vitest';
import { requests } from './requests.ts';
import { WireProblem } from './wire-problem.ts';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>' +
  '<dp:request xmlns:dp="http://www.datapower.com/schemas/management" domain="';
const TAIL = '</dp:request></env:Body></env:Envelope>';

function inDefault(body: string): string {
  return `${HEAD}default">${body}${TAIL}`;
}

function inAction(body: string): string {
  return inDefault(`<dp:do-action>${body}</dp:do-action>`);
}

describe('the text of a request', () => {
  it.each([
    ['a status', requests.getStatus('DomainStatus'), inDefault('<dp:get-status class="DomainStatus"/>')],
    ['a configuration', requests.getConfig('Domain'), inDefault('<dp:get-config class="Domain"/>')],
    [
      'a named configuration in another domain',
      requests.getConfig('CryptoCertificate', { name: 'dr-cert', domain: 'A' }),
      `${HEAD}A"><dp:get-config class="CryptoCertificate" name="dr-cert"/>${TAIL}`,
    ],
    [
      'a backup of two domains with a comment',
      requests.doBackup({ domains: ['default', 'A'], isPersisted: false, comment: 'nightly' }),
      inDefault(
        '<dp:do-backup format="ZIP" persisted="false"><dp:user-comment>nightly</dp:user-comment><dp:domain name="default"/><dp:domain name="A"/></dp:do-backup>',
      ),
    ],
    [
      'a backup of all domains',
      requests.doBackup({ domains: 'all-domains', isPersisted: true }),
      inDefault('<dp:do-backup format="ZIP" persisted="true"><dp:domain name="all-domains"/></dp:do-backup>'),
    ],
    [
      'a file',
      requests.getFile('temporary:///sb/root.tgz'),
      inDefault('<dp:get-file name="temporary:///sb/root.tgz"/>'),
    ],
    [
      'a listing',
      requests.getFilestore('temporary:'),
      inDefault(
        '<dp:get-filestore location="temporary:" annotated="false" layout-only="false" no-subdirectories="false"/>',
      ),
    ],
    [
      'a secure backup',
      requests.secureBackup({
        certificate: 'dr-cert',
        destination: 'temporary:///sb-1',
        includesIscsi: true,
        includesRaid: false,
      }),
      inAction(
        '<SecureBackup><cert>dr-cert</cert><destination>temporary:///sb-1</destination><include-iscsi>on</include-iscsi><include-raid>off</include-raid></SecureBackup>',
      ),
    ],
    [
      'a new directory',
      requests.createDirectory('temporary:/x'),
      inAction('<CreateDir><Dir>temporary:/x</Dir></CreateDir>'),
    ],
    [
      'no directory',
      requests.removeDirectory('temporary:/x'),
      inAction('<RemoveDir><Dir>temporary:/x</Dir></RemoveDir>'),
    ],
    [
      'no file',
      requests.deleteFile('local:///a'),
      inAction('<DeleteFile><File>local:///a</File></DeleteFile>'),
    ],
    [
      'a quiesced domain',
      requests.quiesceDomain('A', 60),
      inAction('<DomainQuiesce><name>A</name><timeout>60</timeout></DomainQuiesce>'),
    ],
    [
      'a domain set moving',
      requests.unquiesceDomain('A'),
      inAction('<DomainUnquiesce><name>A</name></DomainUnquiesce>'),
    ],
    [
      'a quiesced device',
      requests.quiesceDevice(120),
      inAction('<QuiesceDP><timeout>120</timeout></QuiesceDP>'),
    ],
    ['a device set moving', requests.unquiesceDevice(), inAction('<UnquiesceDP/>')],
  ])('asks for %s byte for byte as the schema wants it', (_what, text, expected) => {
    expect(text).toBe(expected);
  });

  it('keeps markup in a name from becoming markup', () => {
    expect(requests.unquiesceDomain('<a> & "b" \'c\'\n')).toBe(
      inAction(
        '<DomainUnquiesce><name>&lt;a&gt; &amp; &quot;b&quot; &apos;c&apos;&#10;</name></DomainUnquiesce>',
      ),
    );
    expect(requests.getConfig('X', { name: '"/><evil/>' })).toBe(
      inDefault('<dp:get-config class="X" name="&quot;/&gt;&lt;evil/&gt;"/>'),
    );
  });

  it.each([
    ['a NUL in a name', () => requests.unquiesceDomain('a\0b')],
    ['a lone surrogate in a name', () => requests.unquiesceDomain('a\ud800')],
    ['a backup of no domain', () => requests.doBackup({ domains: [], isPersisted: true })],
    ['a domain without a name', () => requests.doBackup({ domains: [''], isPersisted: true })],
    [
      'the pseudo-name among real names',
      () => requests.doBackup({ domains: ['all-domains'], isPersisted: true }),
    ],
    ['a negative time-out', () => requests.quiesceDevice(-1)],
    ['half a second', () => requests.quiesceDomain('A', 60.5)],
    ['a time-out beyond the schema', () => requests.quiesceDomain('A', 65_536)],
  ])('refuses %s', (_what, build) => {
    expect(build).toThrowError(WireProblem);
    expect(build).toThrowError(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
