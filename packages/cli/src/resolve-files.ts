import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type FieldError, jsonPointer } from '@stillpoint/contract';

type Fields = Record<string, unknown>;

/**
 * Exchanges `passwordFile` and `caFile` of each device, and a parameter that is `file: x`, for what the files hold, because
 * the server cannot read the operator's files; whatever else is wrong with the document is left for others to say.
 */
export async function resolveFiles(
  document: unknown,
  directory: string,
): Promise<{ readonly document: unknown; readonly errors: FieldError[] }> {
  if (!isFields(document)) return { document, errors: [] };
  const errors: FieldError[] = [];
  const given = await resolveParameters(document, directory, errors);
  if (!Array.isArray(document.devices)) return { document: given, errors };
  const devices = await Promise.all(
    document.devices.map(async (device: unknown, index) => {
      if (!isFields(device)) return device;
      const place = `/devices/${index}`;
      const withPassword = await exchange(device, 'passwordFile', 'password', directory, place, errors);
      const tls = withPassword.tls;
      if (!isFields(tls)) return withPassword;
      return { ...withPassword, tls: await resolveTls(tls, directory, `${place}/tls`, errors) };
    }),
  );
  return { document: { ...given, devices }, errors };
}

async function resolveParameters(document: Fields, directory: string, errors: FieldError[]): Promise<Fields> {
  const { parameters } = document;
  if (!isFields(parameters)) return document;
  const entries = await Promise.all(
    Object.entries(parameters).map(async ([name, value]) => {
      if (!isFields(value) || Object.keys(value).join() !== 'file') return [name, value] as const;
      const place = jsonPointer(['parameters', name]);
      const { value: text } = await exchange(value, 'file', 'value', directory, place, errors);
      return [name, text ?? '-'] as const;
    }),
  );
  return { ...document, parameters: Object.fromEntries(entries) };
}

/** Both `caFile: x` and `ca: { caFile: x }` name a file. */
async function resolveTls(
  tls: Fields,
  directory: string,
  place: string,
  errors: FieldError[],
): Promise<Fields> {
  const { ca } = tls;
  if (!isFields(ca)) return exchange(tls, 'caFile', 'ca', directory, place, errors);
  const inner = await exchange(ca, 'caFile', 'pem', directory, `${place}/ca`, errors);
  return Object.keys(inner).join() === 'pem' ? { ...tls, ca: inner.pem } : tls;
}

async function exchange(
  fields: Fields,
  fileKey: string,
  key: string,
  directory: string,
  place: string,
  errors: FieldError[],
): Promise<Fields> {
  const { [fileKey]: file, ...rest } = fields;
  if (file === undefined) return fields;
  const path = `${place}/${fileKey}`;
  if (typeof file !== 'string' || file === '') {
    errors.push({ path, code: 'WRONG_TYPE', message: 'must be the path of a file' });
    return rest;
  }
  if (rest[key] !== undefined) {
    errors.push({ path, code: 'EXACTLY_ONE', message: `cannot stand beside ${key}` });
    return rest;
  }
  const absolute = resolve(directory, file);
  try {
    const text = (await readFile(absolute, 'utf8')).replace(/\r?\n$/, '');
    if (text === '') errors.push({ path, code: 'FILE_EMPTY', message: `names ${absolute}, which is empty` });
    return { ...rest, [key]: text === '' ? '-' : text };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    errors.push({
      path,
      code: 'FILE_NOT_READABLE',
      message: `names ${absolute}, which cannot be read (${reason})`,
    });
    // A stand-in, so that the missing value is not told as a second mistake; nothing is sent when there are errors.
    return { ...rest, [key]: '-' };
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
