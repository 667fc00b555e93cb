import type { Appliance } from '../appliance.ts';
import { bufferContent } from '../content/content.ts';
import {
  FILE_LOCATIONS,
  filesUnder,
  readFileUrl,
  type StoredDirectory,
  type StoredFile,
} from '../content/file-store.ts';
import { element, field, type XmlTree } from '../xml/write-xml.ts';
import {
  type Answer,
  dataAnswer,
  errorLogAnswer,
  fileAnswer,
  notPermittedAnswer,
  okAnswer,
  textAnswer,
} from './answer.ts';

// What an application domain of a current appliance allows, as its listing shows it.
const PERMISSIONS: Readonly<Record<string, string>> = {
  'local:': 'read write show exec del dir list',
  'logtemp:': 'read log show del dir list',
  'export:': 'read show del list',
  'cert:': 'write audit log del list',
  'pubcert:': 'read log show reference list',
  'chkpoints:': 'read write del list',
  'temporary:': 'read write show exec del dir list',
  'logstore:': 'read log show del list',
  'config:': 'read write audit log show exec del list',
  'sharedcert:': 'audit log reference list',
  'store:': 'read log show reference list',
  'policyframework:': 'read write show dir list',
  'image:': 'write del list',
  'tasktemplates:': 'read list',
};

/** Whether a location grants a permission such as `read` or `dir`. */
function permits(location: string, permission: string): boolean {
  return PERMISSIONS[location]?.split(' ').includes(permission) ?? false;
}

/** Lists one location or all; undefined when the schema has no such location. */
export function listFiles(
  appliance: Appliance,
  domain: string,
  asked: { location?: string; isLayoutOnly: boolean; hasSubdirectories: boolean },
): Answer | undefined {
  const locations = FILE_LOCATIONS.filter((name) => asked.location === undefined || asked.location === name);
  if (locations.length === 0) {
    return undefined;
  }
  const listed = locations.map((name) => {
    const root = appliance.files(domain).root(name);
    const inside = asked.isLayoutOnly
      ? layoutOf(root)
      : entriesOf(appliance, root, name, asked.hasSubdirectories);
    return element('location', { name, ...permissionAttributes(name) }, ...inside);
  });
  return dataAnswer(appliance, element('dp:filestore', {}, ...listed));
}

/** Hands over a file, echoing its name as it was asked for. */
export function getFile(appliance: Appliance, domain: string, url: string): Answer {
  const place = readFileUrl(url);
  const found =
    place && permits(place.location, 'read')
      ? appliance.files(domain).find(place, appliance.now())
      : undefined;
  return found?.kind === 'file'
    ? fileAnswer(appliance, found.content, url)
    : textAnswer(appliance, 'Cannot read the specified file');
}

/** Writes a file. */
export function setFile(appliance: Appliance, domain: string, url: string, bytes: Buffer): Answer {
  const place = readFileUrl(url);
  const isWritten =
    place !== undefined &&
    permits(place.location, 'write') &&
    appliance.files(domain).putFile(place, bufferContent(bytes), appliance.now());
  return isWritten ? okAnswer(appliance) : notPermittedAnswer(appliance);
}

/** Makes one directory. */
export function createDirectory(appliance: Appliance, domain: string, url: string): Answer {
  const place = readFileUrl(url);
  const isMade =
    place !== undefined && permits(place.location, 'dir') && appliance.files(domain).makeDirectory(place);
  return isMade
    ? okAnswer(appliance)
    : errorLogAnswer(appliance, `Cannot create the directory '${url}'.`, {
        domain,
        command: `mkdir "${url}"`,
      });
}

/** Removes a file, or a directory with everything in it. */
export function removeEntry(
  appliance: Appliance,
  domain: string,
  url: string,
  kind: 'file' | 'directory',
): Answer {
  const place = readFileUrl(url);
  const isRemoved =
    place !== undefined && permits(place.location, 'del') && appliance.files(domain).remove(place, kind);
  const command = kind === 'file' ? `delete "${url}"` : `rmdir "${url}"`;
  return isRemoved
    ? okAnswer(appliance)
    : errorLogAnswer(appliance, `No such file or directory named '${url}' exists`, { domain, command });
}

/** Moves a file; an existing target is kept unless overwriting was asked for. */
export function moveFile(
  appliance: Appliance,
  domain: string,
  order: { from: string; to: string; isOverwriting: boolean },
): Answer {
  const store = appliance.files(domain);
  const from = readFileUrl(order.from);
  const to = readFileUrl(order.to);
  const found = from && permits(from.location, 'del') ? store.find(from, appliance.now()) : undefined;
  const isFree = to && (order.isOverwriting || store.find(to, Number.POSITIVE_INFINITY) === undefined);
  if (from && to && found?.kind === 'file' && isFree && permits(to.location, 'write')) {
    const isSamePlace = from.location === to.location && from.segments.join('/') === to.segments.join('/');
    if (isSamePlace) {
      return okAnswer(appliance);
    }
    if (store.putFile(to, found.content, appliance.now())) {
      store.remove(from, 'file');
      return okAnswer(appliance);
    }
  }
  return errorLogAnswer(appliance, `Cannot move '${order.from}' to '${order.to}'.`, {
    domain,
    command: `move "${order.from}" "${order.to}"`,
  });
}

function entriesOf(
  appliance: Appliance,
  directory: StoredDirectory,
  path: string,
  hasSubdirectories: boolean,
): XmlTree[] {
  const location = path.slice(0, path.indexOf(':') + 1);
  const seen = [...directory.entries].filter(([, entry]) => isVisible(entry, appliance.now()));
  const directories = seen.flatMap(([name, entry]) => {
    if (entry.kind !== 'directory') {
      return [];
    }
    const fullName = `${path}/${name}`;
    const inside = hasSubdirectories ? entriesOf(appliance, entry, fullName, true) : [];
    return [element('directory', { name: fullName, ...permissionAttributes(location) }, ...inside)];
  });
  const files = seen.flatMap(([name, entry]) => {
    if (entry.kind !== 'file') {
      return [];
    }
    const modified = appliance.time(Math.max(entry.visibleAt, appliance.state.bootedAt));
    return [
      element(
        'file',
        { name },
        field('size', entry.content.sizeBytes),
        field('modified', `${modified.date} ${modified.time}`),
      ),
    ];
  });
  return [...directories, ...files];
}

function layoutOf(root: StoredDirectory): XmlTree[] {
  const countDirectories = (directory: StoredDirectory): number =>
    [...directory.entries.values()].reduce(
      (sum, entry) => (entry.kind === 'directory' ? sum + 1 + countDirectories(entry) : sum),
      0,
    );
  return [field('directories', countDirectories(root)), field('files', filesUnder(root).length)];
}

function isVisible(entry: StoredFile | StoredDirectory, now: number): boolean {
  return entry.kind === 'directory' || entry.visibleAt <= now;
}

function permissionAttributes(location: string): Record<string, string> {
  const names = PERMISSIONS[location]?.split(' ') ?? [];
  return Object.fromEntries(names.map((name) => [name, 'true']));
}
