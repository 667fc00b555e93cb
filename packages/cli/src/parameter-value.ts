import type { Parameter, ParameterValue } from '@stillpoint/contract';

/** All that is shown of a secret parameter. */
export function secretText(isSet: boolean): string {
  return isSet ? 'set' : 'not set';
}

/** A parameter's value on one line; null while it has none. */
export function valueText(value: ParameterValue | null): string | null {
  if (value === null || value === '') return null;
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
}

/** What somebody wrote, in the kind of the parameter where it fits; the server judges all the rest. */
export function readValue(text: string, { value, defaultValue }: Parameter): ParameterValue {
  const kind = typeof (defaultValue ?? value);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if (kind === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const list = /^\[(.*)\]$/.exec(text)?.[1];
  if (list === undefined) return text;
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
