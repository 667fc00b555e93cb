import type { Parameter, ParameterValue } from '@stillpoint/contract';
import { type ParameterName, parameterDefinitions } from '@stillpoint/core';

/** A value of the contract in the words of core, where a list of windows is one text. */
export function parameterFrom(value: ParameterValue): unknown {
  return Array.isArray(value) ? value.join(',') : value;
}

/** A parameter as clients see it; of a secret one `values` only holds that it was set. */
export function parameterShown(name: ParameterName, values: Readonly<Record<string, unknown>>): Parameter {
  const { defaultValue, meaning, isSecret = false } = parameterDefinitions[name];
  const isSet = Object.hasOwn(values, name);
  if (isSecret) return { name, value: null, defaultValue: null, meaning, isSecret, isSet };
  const value = isSet ? (values[name] as ParameterValue | null) : defaultValue;
  return { name, value, defaultValue, meaning, isSecret, isSet };
}
