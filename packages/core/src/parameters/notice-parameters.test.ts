import { describe, expect, it } from 'vitest';
import { channels, noticeParametersInForce, parameterMissing } from './notice-parameters.ts';
import { isSecretParameter, type ParameterName, parameterDefinitions } from './parameters.ts';

const refusalOf = (name: ParameterName, value: unknown) => parameterDefinitions[name].refusal(value);

describe('the parameters of notices', () => {
  it.each<[ParameterName, string]>([
    ['mail.server', 'mail.example.com:587'],
    ['mail.server', '192.168.7.2:25'],
    ['syslog.server', '[fd00::1]:6514'],
    ['mail.from', 'backup+dp@ops.example.com'],
    ['mail.to', 'a@example.com, b@example.com'],
    ['mail.security', 'none'],
    ['syslog.transport', 'tls'],
    ['webhook.url', 'https://chat.example.com:8443/hooks/x?y=1'],
    ['webhook.url', 'http://10.0.0.7/'],
    ['heartbeat.url', 'https://[fd00::1]:8443'],
    ['webhook.secret', '0123456789abcdef'],
    ['mail.password', 'pass word'],
    ['notices.caPem', '-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----\n'],
  ])('%s can be %s', (name, value) => {
    expect(refusalOf(name, value)).toBeNull();
  });

  it.each<[ParameterName, unknown]>([
    ['mail.server', 'mail.example.com'],
    ['mail.server', 'mail.example.com:0'],
    ['mail.server', 'mail.example.com:65536'],
    ['mail.server', 'mail.example.com:25\r\nRCPT TO:<x@example.com>'],
    ['mail.server', null],
    ['mail.from', 'backup'],
    ['mail.from', 'a@example.com\r\nBcc: b@example.com'],
    ['mail.from', 'a@example.com\n'],
    ['mail.from', 'Backup <a@example.com>'],
    ['mail.to', 'a@example.com,,b@example.com'],
    ['mail.to', 'a@example.com,\nb@example.com\nBcc: c@example.com'],
    ['mail.to', Array.from({ length: 51 }, (_, index) => `a${index}@example.com`).join(',')],
    ['mail.security', 'ssl'],
    ['mail.security', ''],
    ['syslog.transport', 'sctp'],
    ['webhook.url', 'ftp://example.com/'],
    ['webhook.url', 'file:///etc/passwd'],
    ['webhook.url', 'https://user:secret@example.com/'],
    ['webhook.url', 'https://user@example.com/'],
    ['webhook.url', 'https://example.com/a b'],
    ['webhook.url', 'https://example.com/\r\nx: y'],
    ['webhook.url', 'https://example.com:99999/'],
    ['webhook.url', 'https:///nowhere'],
    ['webhook.url', `https://example.com/${'x'.repeat(2_000)}`],
    ['heartbeat.url', 'javascript:alert(1)'],
    ['heartbeat.everySeconds', 9],
    ['heartbeat.everySeconds', 86_401],
    ['webhook.secret', 'too short'],
    ['webhook.secret', 'long enough, but\ntwo lines'],
    ['mail.password', 7],
    ['notices.caPem', 'not a certificate'],
  ])('%s cannot be %s', (name, value) => {
    expect(refusalOf(name, value)).toMatch(/^must be /);
  });

  it('are all unset or have a default, and an empty text unsets them again', () => {
    expect(noticeParametersInForce({})).toMatchObject({ 'mail.server': '', 'mail.security': 'starttls' });
    expect(noticeParametersInForce({ 'mail.server': 'a:25' })).toMatchObject({ 'mail.server': 'a:25' });
    expect(refusalOf('mail.server', '')).toBeNull();
  });

  it('hold no secret: those are kept apart', () => {
    const names = Object.keys(noticeParametersInForce({ 'mail.password': 'x', 'webhook.secret': 'y' }));
    expect(names.filter(isSecretParameter)).toEqual([]);
    expect(Object.keys(parameterDefinitions).filter(isSecretParameter)).toEqual([
      'mail.password',
      'webhook.secret',
    ]);
  });

  it('say what a channel still needs', () => {
    const missing = (values: Record<string, unknown>) =>
      channels.map((channel) => parameterMissing(channel, noticeParametersInForce(values)));
    expect(missing({})).toEqual(['mail.server', 'syslog.server', 'webhook.url']);
    expect(missing({ 'mail.server': 'a:25', 'mail.from': 'a@b', 'webhook.url': 'http://a' })).toEqual([
      'mail.to',
      'syslog.server',
      null,
    ]);
  });
});
