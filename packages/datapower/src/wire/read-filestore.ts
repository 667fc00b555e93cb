import { printable } from './printable.ts';
import type { Content } from './read-answer.ts';
import { WireProblem } from './wire-problem.ts';
import { textOf, type XmlElement } from './xml-element.ts';

/** One file on the appliance; the path is a URL such as `temporary:///directory/file`. */
export interface StoredFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** `YYYY-MM-DD hh:mm:ss` by the appliance's clock; null where it does not say. */
  readonly modifiedText: string | null;
}

/** Everything in one location of the appliance, flat. */
export interface FileListing {
  readonly files: readonly StoredFile[];
  /** URLs of the directories, without a slash at the end. */
  readonly directories: readonly string[];
}

/** Reads a file store answer for one location such as `temporary:`. */
export function readFileListing(content: Content | null, location: string): FileListing {
  if (content?.name !== 'filestore') {
    throw new WireProblem(
      'REPLY_UNEXPECTED',
      `The answer is not the file listing of ${printable(location)}.`,
    );
  }
  const found = content.element.children.find((child) => child.attributes.get('name') === location);
  if (!found) {
    throw new WireProblem('REPLY_UNEXPECTED', `The file listing does not hold ${printable(location)}.`);
  }
  const listing = { files: [] as StoredFile[], directories: [] as string[] };
  collect(found, `${location}//`, listing);
  return listing;
}

function collect(
  parent: XmlElement,
  path: string,
  listing: { files: StoredFile[]; directories: string[] },
): void {
  for (const child of parent.children) {
    if (child.name !== 'file' && child.name !== 'directory') continue;
    const childPath = `${path}/${lastPart(child)}`;
    if (child.name === 'directory') {
      listing.directories.push(childPath);
      collect(child, childPath, listing);
    } else {
      listing.files.push({
        path: childPath,
        sizeBytes: sizeOf(child),
        modifiedText: textOf(child, 'modified') || null,
      });
    }
  }
}

// A directory is named in full and a file by its last part; the nesting already says what stands before.
function lastPart(entry: XmlElement): string {
  const name = entry.attributes.get('name') ?? '';
  const part = entry.name === 'directory' ? name.replace(/\/+$/u, '').replace(/^.*[/:]/u, '') : name;
  if (part === '' || part === '.' || part === '..' || part.includes('/')) {
    throw new WireProblem('REPLY_UNEXPECTED', `The file listing names an entry "${printable(name)}".`);
  }
  return part;
}

function sizeOf(file: XmlElement): number {
  const text = textOf(file, 'size') ?? '';
  if (/^\d{1,15}$/u.test(text)) return Number(text);
  throw new WireProblem('REPLY_UNEXPECTED', `The file listing gives a size of "${printable(text)}".`);
}
