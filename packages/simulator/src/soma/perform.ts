import type { Appliance } from '../appliance.ts';
import { buildExportPackage, type PackageDamage } from '../content/export-package.ts';
import type { DeviceCommand, QuiesceEnding } from '../device-state.ts';
import {
  type Answer,
  dataAnswer,
  emptyFileAnswer,
  errorLogAnswer,
  fileAnswer,
  notPermittedAnswer,
  okAnswer,
  soapFaultAnswer,
} from './answer.ts';
import { configOf } from './config-classes.ts';
import { createDirectory, getFile, listFiles, moveFile, removeEntry, setFile } from './file-operations.ts';
import type { ActionBody } from './read-action.ts';
import { type ManifestDamage, makeSecureBackup } from './secure-backup.ts';
import type { SomaBody, SomaRequest } from './soma-request.ts';
import { statusOf } from './status-classes.ts';

/** What is to go wrong while a request is carried out. */
export interface Misconduct {
  readonly quiesceEnding?: QuiesceEnding;
  readonly unquiesceEnding?: QuiesceEnding;
  readonly packageDamage?: PackageDamage;
  readonly manifestDamage?: ManifestDamage;
  readonly isForOtherDomain?: boolean;
}

const SHORTEST_QUIESCE_SECONDS = 60;

/** Carries out one request that has been let in, and says what the appliance answers. */
export function performRequest(
  appliance: Appliance,
  request: SomaRequest,
  misconduct: Misconduct,
): Answer | Promise<Answer> {
  const { domain, body } = request;
  if (appliance.domain(domain) === undefined) {
    return unknownDomain(appliance, domain, 'switch');
  }
  switch (body.kind) {
    case 'do-backup':
      return backUp(appliance, domain, body, misconduct);
    case 'get-status': {
      const status = statusOf(appliance, domain, body);
      return status ? dataAnswer(appliance, status) : soapFaultAnswer();
    }
    case 'get-config': {
      const config = configOf(appliance, domain, body);
      return config ? dataAnswer(appliance, config) : soapFaultAnswer();
    }
    case 'get-filestore':
      return listFiles(appliance, domain, body) ?? soapFaultAnswer();
    case 'get-file':
      return getFile(appliance, domain, body.name);
    case 'set-file':
      return setFile(appliance, domain, body.name, body.bytes);
    case 'do-action':
      return act(appliance, domain, body.action, misconduct);
    case 'unsupported':
      return notPermittedAnswer(appliance);
  }
}

async function backUp(
  appliance: Appliance,
  sentTo: string,
  body: Extract<SomaBody, { kind: 'do-backup' }>,
  misconduct: Misconduct,
): Promise<Answer> {
  const all = appliance.description.domains.map(({ name }) => name);
  const asked = body.domains.includes('all-domains') ? all : body.domains;
  const unknown = asked.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    return unknownDomain(appliance, unknown, 'backup');
  }
  if (asked.length === 0) {
    return errorLogAnswer(appliance, 'No domain to back up.', { domain: sentTo, command: 'backup' });
  }
  if (sentTo !== 'default' && asked.some((name) => name !== sentTo)) {
    return notPermittedAnswer(appliance);
  }
  const domains = misconduct.isForOtherDomain ? [otherThan(asked, all)] : asked;
  const { isPersisted, comment, format } = body;
  const damage = misconduct.packageDamage;
  const content = await buildExportPackage(appliance, { domains, isPersisted, comment, format, damage });
  return content.sizeBytes > appliance.freeTemporaryBytes()
    ? emptyFileAnswer(appliance)
    : fileAnswer(appliance, content);
}

// Where every domain was asked for, the other domain is a single one of them.
function otherThan(asked: readonly string[], all: readonly string[]): string {
  return all.find((name) => !asked.includes(name)) ?? all[0] ?? 'default';
}

function act(
  appliance: Appliance,
  domain: string,
  action: ActionBody,
  misconduct: Misconduct,
): Answer | Promise<Answer> {
  switch (action.name) {
    case 'SaveConfig':
      return carryOut(appliance, { kind: 'save-configuration', domain }, 'write memory');
    case 'QuiesceDP':
    case 'UnquiesceDP':
    case 'DomainQuiesce':
    case 'DomainUnquiesce':
      return domain === 'default'
        ? actOnQuiesce(appliance, action, misconduct)
        : notPermittedAnswer(appliance);
    case 'SecureBackup': {
      const damage = misconduct.manifestDamage;
      return domain === 'default'
        ? makeSecureBackup(appliance, { ...action, damage })
        : notPermittedAnswer(appliance);
    }
    case 'CreateDir':
      return createDirectory(appliance, domain, action.url);
    case 'RemoveDir':
      return removeEntry(appliance, domain, action.url, 'directory');
    case 'DeleteFile':
      return removeEntry(appliance, domain, action.url, 'file');
    case 'MoveFile':
      return moveFile(appliance, domain, action);
    default:
      return notPermittedAnswer(appliance);
  }
}

type QuiesceAction = Extract<
  ActionBody,
  { name: 'QuiesceDP' | 'UnquiesceDP' | 'DomainQuiesce' | 'DomainUnquiesce' }
>;

function actOnQuiesce(appliance: Appliance, action: QuiesceAction, misconduct: Misconduct): Answer {
  const { quiesceMs, unquiesceMs, allowsShortTimeout } = appliance.description.quiesce;
  const down = { takesMs: quiesceMs, ending: misconduct.quiesceEnding ?? 'reached' };
  const up = { takesMs: unquiesceMs, ending: misconduct.unquiesceEnding ?? 'reached' };
  switch (action.name) {
    case 'UnquiesceDP':
      return carryOut(appliance, { kind: 'unquiesce-device', pace: up }, 'unquiesce');
    case 'DomainUnquiesce':
      return carryOut(
        appliance,
        { kind: 'unquiesce-domain', domain: action.domain, pace: up },
        `domain-unquiesce ${action.domain}`,
      );
    case 'QuiesceDP':
    case 'DomainQuiesce': {
      const { timeoutSeconds, delaySeconds } = action;
      const command = action.name === 'QuiesceDP' ? 'quiesce' : `domain-quiesce ${action.domain}`;
      const line = `${command} ${timeoutSeconds}`;
      if (timeoutSeconds < SHORTEST_QUIESCE_SECONDS && !allowsShortTimeout) {
        const message = `The timeout ${timeoutSeconds} is below the minimum of ${SHORTEST_QUIESCE_SECONDS} seconds.`;
        return errorLogAnswer(appliance, message, { domain: 'default', command: line });
      }
      const terms = { timeoutSeconds, delaySeconds, pace: down };
      return carryOut(
        appliance,
        action.name === 'QuiesceDP'
          ? { kind: 'quiesce-device', ...terms }
          : { kind: 'quiesce-domain', domain: action.domain, ...terms },
        line,
      );
    }
  }
}

function carryOut(appliance: Appliance, command: DeviceCommand, line: string): Answer {
  const step = appliance.step(command);
  if (step.ok) {
    return okAnswer(appliance);
  }
  const domain = 'domain' in command ? command.domain : 'default';
  return step.refusal === 'DOMAIN_UNKNOWN'
    ? unknownDomain(appliance, domain, line)
    : errorLogAnswer(appliance, `The domain '${domain}' cannot be quiesced.`, {
        domain: 'default',
        command: line,
      });
}

function unknownDomain(appliance: Appliance, name: string, command: string): Answer {
  const message = `Domain '${name}' does not exist.`;
  return errorLogAnswer(appliance, message, { domain: 'default', command });
}
