import { z } from 'zod';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';

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
    unit: z.string().nullable(),
    limits: z.string().describe('what is allowed'),
    takesEffect: z.string().describe('when a new value begins to count'),
  })
  .meta({ id: 'Parameter' });

/** A system parameter. */
export type Parameter = z.output<typeof parameterShape>;

/** The new value of a parameter. */
export const parameterChangeShape = z
  .strictObject({ value: parameterValueShape })
  .meta({ id: 'ParameterChange' });

/** A change of a parameter that was made; values of a secret one are null. */
export const changedParameterShape = z
  .object({
    id: z.string(),
    name: z.string(),
    changedAt: instantShape,
    changedBy: z.string(),
    isSecret: z.boolean(),
    before: parameterValueShape.nullable().describe('null: it was not set, or is secret'),
    after: parameterValueShape.nullable().describe('null: it is no longer set, or is secret'),
  })
  .meta({ id: 'ChangedParameter' });

/** A change of a parameter that was made. */
export type ChangedParameter = z.output<typeof changedParameterShape>;

/** Which changes of parameters are listed, newest first. */
export const changedParameterQueryShape = z.strictObject({
  name: parameterNameShape.optional(),
  ...pageQueryFields,
});

/** Which changes of parameters are listed, newest first. */
export type ChangedParameterQuery = z.output<typeof changedParameterQueryShape>;
