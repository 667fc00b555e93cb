import { z } from 'zod';

/** Name of a system parameter, e.g. `store.path`. */
export const parameterNameShape = z
  .string()
  .max(64)
  .regex(/^[a-z][A-Za-z]*(\.[a-z][A-Za-z]*)*$/, 'must be a parameter name like store.path');

/** Value of a system parameter; a list is for windows. */
export const parameterValueShape = z
  .union([z.string().max(32_768), z.number(), z.boolean(), z.array(z.string().max(4096)).max(50)])
  .meta({ id: 'ParameterValue' });

/** Value of a system parameter. */
export type ParameterValue = z.output<typeof parameterValueShape>;

/** A system parameter; `value` is null while one without a default has not been set, and of a secret one always. */
export const parameterShape = z
  .object({
    name: z.string(),
    value: parameterValueShape.nullable(),
    defaultValue: parameterValueShape.nullable(),
    meaning: z.string(),
    isSecret: z.boolean().describe('its value is shown to nobody'),
    isSet: z.boolean().describe('somebody has given it a value'),
  })
  .meta({ id: 'Parameter' });

/** A system parameter. */
export type Parameter = z.output<typeof parameterShape>;

/** The new value of a parameter. */
export const parameterChangeShape = z
  .strictObject({ value: parameterValueShape })
  .meta({ id: 'ParameterChange' });
