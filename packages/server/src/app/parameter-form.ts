import type { Parameter, ParameterValue } from '@stillpoint/contract';
import { type ParameterName, parameterDefinitions } from '@stillpoint/core';

/** A value of the contract in the words of core, where a list of windows is one text. */
export function parameterFrom(value: ParameterValue): unknown {
  return Array.isArray(value) ? value.join(',') : value;
}

/** A parameter as clients see it. */
export function parameterShown(name: ParameterName, values: Readonly<Record<string, unknown>>): Parameter {
  const { defaultValue, meaning } = parameterDefinitions[name];
  const value = Object.hasOwn(values, name) ? (values[name] as ParameterValue | null) : defaultValue;
  return { name, value, defaultValue, meaning };
}
