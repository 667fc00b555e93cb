import { childText, type XmlElement } from '../xml/read-xml.ts';

/** An action with its parameters. */
export type ActionBody =
  | { name: 'SaveConfig' }
  | { name: 'QuiesceDP'; timeoutSeconds: number; delaySeconds: number }
  | { name: 'UnquiesceDP' }
  | { name: 'DomainQuiesce'; domain: string; timeoutSeconds: number; delaySeconds: number }
  | { name: 'DomainUnquiesce'; domain: string }
  | { name: 'SecureBackup'; certificate: string; destination: string }
  | { name: 'CreateDir'; url: string }
  | { name: 'RemoveDir'; url: string }
  | { name: 'DeleteFile'; url: string }
  | { name: 'MoveFile'; from: string; to: string; isOverwriting: boolean }
  | { name: UnsupportedAction };

// Actions the schema has and this fleet does not carry out; they are answered as not permitted.
const UNSUPPORTED = [
  'ServiceQuiesce',
  'ServiceUnquiesce',
  'SaveCheckpoint',
  'RollbackCheckpoint',
  'RemoveCheckpoint',
  'SecureRestore',
  'Shutdown',
  'RestartDomain',
  'ResetDomain',
] as const;

type UnsupportedAction = (typeof UNSUPPORTED)[number];

// The schema fixes the order of the children; a question mark marks those that may be left out.
const SEQUENCES: Readonly<Record<string, readonly string[]>> = {
  SaveConfig: [],
  QuiesceDP: ['timeout', 'delay?'],
  UnquiesceDP: [],
  DomainQuiesce: ['name', 'timeout', 'delay?'],
  DomainUnquiesce: ['name'],
  SecureBackup: ['cert', 'destination', 'include-iscsi?', 'include-raid?'],
  CreateDir: ['Dir'],
  RemoveDir: ['Dir'],
  DeleteFile: ['File'],
  MoveFile: ['sURL', 'dURL', 'Overwrite?'],
};

/** Reads an action; undefined when the schema has no such action or not with these children in this order. */
export function readAction(action: XmlElement): ActionBody | undefined {
  const unsupported = UNSUPPORTED.find((name) => name === action.name);
  if (unsupported !== undefined) {
    return { name: unsupported };
  }
  const sequence = SEQUENCES[action.name];
  return sequence !== undefined && isInSequence(action, sequence) ? readParameters(action) : undefined;
}

function readParameters(action: XmlElement): ActionBody | undefined {
  const text = (name: string): string => childText(action, name) ?? '';
  switch (action.name) {
    case 'SaveConfig':
    case 'UnquiesceDP':
      return { name: action.name };
    case 'QuiesceDP': {
      const times = readTimes(action);
      return times && { name: 'QuiesceDP', ...times };
    }
    case 'DomainQuiesce': {
      const times = readTimes(action);
      return times && { name: 'DomainQuiesce', domain: text('name'), ...times };
    }
    case 'DomainUnquiesce':
      return { name: 'DomainUnquiesce', domain: text('name') };
    case 'SecureBackup': {
      const toggles = [text('include-iscsi') || 'off', text('include-raid') || 'off'];
      return toggles.every(isToggle)
        ? { name: 'SecureBackup', certificate: text('cert'), destination: text('destination') }
        : undefined;
    }
    case 'CreateDir':
    case 'RemoveDir':
      return { name: action.name, url: text('Dir') };
    case 'DeleteFile':
      return { name: 'DeleteFile', url: text('File') };
    case 'MoveFile': {
      const overwrite = text('Overwrite') || 'off';
      return isToggle(overwrite)
        ? { name: 'MoveFile', from: text('sURL'), to: text('dURL'), isOverwriting: overwrite === 'on' }
        : undefined;
    }
    default:
      return undefined;
  }
}

function isInSequence(action: XmlElement, sequence: readonly string[]): boolean {
  const given = action.children.map((child) => child.name);
  for (const expected of sequence) {
    const name = expected.replace('?', '');
    if (given[0] === name) {
      given.shift();
    } else if (!expected.endsWith('?')) {
      return false;
    }
  }
  return given.length === 0;
}

function readTimes(action: XmlElement): { timeoutSeconds: number; delaySeconds: number } | undefined {
  const timeoutSeconds = readUnsignedShort(childText(action, 'timeout'));
  const delaySeconds = readUnsignedShort(childText(action, 'delay') ?? '0');
  return timeoutSeconds === undefined || delaySeconds === undefined
    ? undefined
    : { timeoutSeconds, delaySeconds };
}

function readUnsignedShort(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return value <= 65_535 ? value : undefined;
}

function isToggle(text: string): boolean {
  return text === 'on' || text === 'off';
}
