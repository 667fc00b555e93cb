import { escapeXml } from './escape-xml.ts';
import { WireProblem } from './wire-problem.ts';

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOMA = 'http://www.datapower.com/schemas/management';
const QUIESCE_TIMEOUT_MAX_SECONDS = 65_535;

/** What a backup shall hold: named domains, or every domain of the device in one archive. */
export type BackupScope = readonly string[] | 'all-domains';

export interface SecureBackupOrder {
  /** Name of a crypto certificate object in the default domain. */
  readonly certificate: string;
  /** Directory URL on the appliance. */
  readonly destination: string;
  readonly includesIscsi: boolean;
  readonly includesRaid: boolean;
}

/**
 * The text of each request. Operations are qualified, actions and their children are not, and children stand in the
 * order of the appliance's schema. Bad values are refused with a `WireProblem` (code `REQUEST_INVALID`).
 */
export const requests = {
  getStatus(className: string): string {
    return request('default', `<dp:get-status class="${escapeXml(className)}"/>`);
  },

  getConfig(
    className: string,
    { name, domain = 'default' }: { name?: string; domain?: string } = {},
  ): string {
    const named = name === undefined ? '' : ` name="${escapeXml(name)}"`;
    return request(domain, `<dp:get-config class="${escapeXml(className)}"${named}/>`);
  },

  doBackup(order: { domains: BackupScope; isPersisted: boolean; comment?: string }): string {
    const comment =
      order.comment === undefined ? '' : `<dp:user-comment>${escapeXml(order.comment)}</dp:user-comment>`;
    const domains = backupNames(order.domains).map((name) => `<dp:domain name="${escapeXml(name)}"/>`);
    return request(
      'default',
      `<dp:do-backup format="ZIP" persisted="${order.isPersisted}">${comment}${domains.join('')}</dp:do-backup>`,
    );
  },

  getFile(url: string): string {
    return request('default', `<dp:get-file name="${escapeXml(url)}"/>`);
  },

  getFilestore(location: string): string {
    const attributes = 'annotated="false" layout-only="false" no-subdirectories="false"';
    return request('default', `<dp:get-filestore location="${escapeXml(location)}" ${attributes}/>`);
  },

  secureBackup(order: SecureBackupOrder): string {
    return action(
      `<SecureBackup><cert>${escapeXml(order.certificate)}</cert>` +
        `<destination>${escapeXml(order.destination)}</destination>` +
        `<include-iscsi>${toggle(order.includesIscsi)}</include-iscsi>` +
        `<include-raid>${toggle(order.includesRaid)}</include-raid></SecureBackup>`,
    );
  },

  createDirectory(url: string): string {
    return action(`<CreateDir><Dir>${escapeXml(url)}</Dir></CreateDir>`);
  },

  removeDirectory(url: string): string {
    return action(`<RemoveDir><Dir>${escapeXml(url)}</Dir></RemoveDir>`);
  },

  deleteFile(url: string): string {
    return action(`<DeleteFile><File>${escapeXml(url)}</File></DeleteFile>`);
  },

  quiesceDomain(domain: string, timeoutSeconds: number): string {
    const name = escapeXml(domain);
    return action(
      `<DomainQuiesce><name>${name}</name><timeout>${quiesceTimeout(timeoutSeconds)}</timeout></DomainQuiesce>`,
    );
  },

  unquiesceDomain(domain: string): string {
    return action(`<DomainUnquiesce><name>${escapeXml(domain)}</name></DomainUnquiesce>`);
  },

  // `delay` is left out although newer schemas have it: firmware before 7.5 refuses the whole request for it.
  quiesceDevice(timeoutSeconds: number): string {
    return action(`<QuiesceDP><timeout>${quiesceTimeout(timeoutSeconds)}</timeout></QuiesceDP>`);
  },

  unquiesceDevice(): string {
    return action('<UnquiesceDP/>');
  },
} as const;

function action(body: string): string {
  return request('default', `<dp:do-action>${body}</dp:do-action>`);
}

function request(domain: string, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${SOAP}"><env:Body>` +
    `<dp:request xmlns:dp="${SOMA}" domain="${escapeXml(domain)}">${body}</dp:request></env:Body></env:Envelope>`
  );
}

function backupNames(scope: BackupScope): readonly string[] {
  if (scope === 'all-domains') return ['all-domains'];
  if (scope.length === 0) throw new WireProblem('REQUEST_INVALID', 'A backup must name at least one domain.');
  for (const name of scope) {
    if (name === '') throw new WireProblem('REQUEST_INVALID', 'A domain to back up has an empty name.');
    // The appliance reads this name as "every domain", which is not what a list of names means.
    if (name === 'all-domains') {
      throw new WireProblem('REQUEST_INVALID', 'A domain named "all-domains" cannot be backed up by name.');
    }
  }
  return scope;
}

function quiesceTimeout(seconds: number): string {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > QUIESCE_TIMEOUT_MAX_SECONDS) {
    throw new WireProblem(
      'REQUEST_INVALID',
      `The quiesce time-out ${seconds} is not a whole number of seconds from 0 to ${QUIESCE_TIMEOUT_MAX_SECONDS}.`,
    );
  }
  return String(seconds);
}

function toggle(isOn: boolean): 'on' | 'off' {
  return isOn ? 'on' : 'off';
}
