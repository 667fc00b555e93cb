import type { Parameter, ParameterValue } from '@stillpoint/contract';
import { type ParameterName, parameterDefinitions, parameterFacts } from '@stillpoint/core';

/** A value of the contract in the words of core, where a list of windows is one text. */
export function parameterFrom(value: ParameterValue): unknown {
  return Array.isArray(value) ? value.join(',') : value;
}

/** A parameter as clients see it; of a secret one `values` only holds that it was set. */
export function parameterShown(name: ParameterName, values: Readonly<Record<string, unknown>>): Parameter {
  const { defaultValue, meaning, isSecret = false } = parameterDefinitions[name];
  const isSet = Object.hasOwn(values, name);
  const facts = { ...parameterFacts[name], meaning, isSecret, isSet };
  if (isSecret) return { name, value: null, defaultValue: null, ...facts };
  const value = isSet ? (values[name] as ParameterValue | null) : defaultValue;
  return { name, value, defaultValue, ...facts };
}
