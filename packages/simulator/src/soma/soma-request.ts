import { childOf, childText, type XmlElement } from '../xml/read-xml.ts';
import { type ActionBody, readAction } from './read-action.ts';

/** What a request asks for, read from its XML. */
export type SomaBody =
  | {
      kind: 'do-backup';
      domains: readonly string[];
      isPersisted: boolean;
      format: 'ZIP' | 'XML';
      comment: string;
    }
  | { kind: 'get-status'; class?: string; objectClass?: string; objectName?: string }
  | { kind: 'get-config'; class?: string; name?: string }
  | { kind: 'get-filestore'; location?: string; isLayoutOnly: boolean; hasSubdirectories: boolean }
  | { kind: 'get-file'; name: string }
  | { kind: 'set-file'; name: string; bytes: Buffer }
  | { kind: 'do-action'; action: ActionBody }
  | { kind: 'unsupported' };

/** One `dp:request`. */
export interface SomaRequest {
  /** The domain the request is sent to. */
  readonly domain: string;
  /** Operation, or for do-action the action, as the request log names it. */
  readonly operation: string;
  readonly body: SomaBody;
}

// Operations the schema has and this fleet does not carry out; they are answered as not permitted.
const UNSUPPORTED = [
  'do-export',
  'do-import',
  'do-restore',
  'do-cpa-import',
  'do-deploy-pattern',
  'get-log',
  'get-diff',
  'get-conformance-report',
  'get-samlart',
  'set-config',
  'modify-config',
  'del-config',
];

/** Reads all requests of an envelope; undefined when it is not a valid management message. */
export function readSomaRequests(document: XmlElement | undefined): SomaRequest[] | undefined {
  const body = document?.name === 'Envelope' ? childOf(document, 'Body') : undefined;
  if (body === undefined || body.children.length === 0) {
    return undefined;
  }
  const requests: SomaRequest[] = [];
  for (const child of body.children) {
    const request = child.name === 'request' ? readRequest(child) : undefined;
    if (request === undefined) {
      return undefined;
    }
    requests.push(request);
  }
  return requests;
}

function readRequest(request: XmlElement): SomaRequest | undefined {
  const [operation, ...others] = request.children;
  if (operation === undefined || others.length > 0) {
    return undefined;
  }
  const body = readBody(operation);
  const name = body?.kind === 'do-action' ? body.action.name : operation.name;
  return body && { domain: request.attributes.get('domain') || 'default', operation: name, body };
}

function readBody(operation: XmlElement): SomaBody | undefined {
  switch (operation.name) {
    case 'do-backup':
      return readBackup(operation);
    case 'get-status':
      return {
        kind: 'get-status',
        ...optional('class', operation.attributes.get('class')),
        ...optional('objectClass', operation.attributes.get('object-class')),
        ...optional('objectName', operation.attributes.get('object-name')),
      };
    case 'get-config':
      return {
        kind: 'get-config',
        ...optional('class', operation.attributes.get('class')),
        ...optional('name', operation.attributes.get('name')),
      };
    case 'get-filestore':
      return {
        kind: 'get-filestore',
        ...optional('location', operation.attributes.get('location')),
        isLayoutOnly: readBoolean(operation.attributes.get('layout-only')) ?? false,
        hasSubdirectories: !(readBoolean(operation.attributes.get('no-subdirectories')) ?? false),
      };
    case 'get-file':
      return named(operation, (name) => ({ kind: 'get-file', name }));
    case 'set-file':
      return named(operation, (name) => ({
        kind: 'set-file',
        name,
        bytes: Buffer.from(operation.text, 'base64'),
      }));
    case 'do-action':
      return readActionBody(operation);
    default:
      return UNSUPPORTED.includes(operation.name) ? { kind: 'unsupported' } : undefined;
  }
}

function readActionBody(operation: XmlElement): SomaBody | undefined {
  const [child, ...others] = operation.children;
  const action = child === undefined || others.length > 0 ? undefined : readAction(child);
  return action && { kind: 'do-action', action };
}

function readBackup(operation: XmlElement): SomaBody | undefined {
  const format = operation.attributes.get('format') ?? 'ZIP';
  const isPersisted = readBoolean(operation.attributes.get('persisted') ?? 'false');
  const order = operation.children.map((child) => child.name).join(' ');
  const isInSequence = /^(user-comment )?domain( domain)*( deployment-policy)?$/.test(order);
  const names = operation.children
    .filter((child) => child.name === 'domain')
    .map((child) => child.attributes.get('name'));
  if ((format !== 'ZIP' && format !== 'XML') || isPersisted === undefined || !isInSequence) {
    return undefined;
  }
  // A well-known client always sends an empty name between the others, and appliances put up with it.
  const domains = names.filter((name) => name !== undefined && name !== '') as string[];
  const comment = childText(operation, 'user-comment') ?? '';
  return { kind: 'do-backup', domains: [...new Set(domains)], isPersisted, format, comment };
}

function named(operation: XmlElement, body: (name: string) => SomaBody): SomaBody | undefined {
  const name = operation.attributes.get('name');
  return name === undefined ? undefined : body(name);
}

function readBoolean(text: string | undefined): boolean | undefined {
  if (text === 'true' || text === '1') {
    return true;
  }
  return text === 'false' || text === '0' ? false : undefined;
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
