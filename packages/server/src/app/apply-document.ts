import { isDeepStrictEqual } from 'node:util';
import {
  type ApplyDocument,
  type ApplyOutcome,
  type DeviceDefinition,
  type FieldError,
  jsonPointer,
} from '@stillpoint/contract';
import {
  isParameterName,
  isSecretParameter,
  type Plan,
  parameterDefinitions,
  parametersInForce,
  validatePlan,
} from '@stillpoint/core';
import type { Outcome } from './application.ts';
import { parameterFrom } from './parameter-form.ts';
import { planFrom } from './plan-form.ts';
import type { Clock, Definitions, DeviceChange, DeviceRecord } from './ports.ts';

type Change<T> = { readonly outcome: 'created' | 'changed' | 'unchanged'; readonly value: T };

/** Applies a document as a whole or not at all; what it does not name stays as it is. */
export async function applyDocument(
  document: ApplyDocument,
  options: { readonly dryRun: boolean },
  definitions: Definitions,
  now: Clock,
  hostTimezone: string,
): Promise<Outcome<Omit<ApplyOutcome, 'warnings'>>> {
  const [values, devices, plans] = await Promise.all([
    definitions.parameterValues(),
    definitions.devices(),
    definitions.plans(),
  ]);
  const parameters = Object.entries(document.parameters).map(
    ([name, value]) => [name, parameterFrom(value)] as const,
  );
  // A zone that is refused must not have every schedule refused as well.
  const usable = parameters.filter(([name, value]) => parameterErrors(name, value).length === 0);
  const timezone = timezoneOf({ ...values, ...Object.fromEntries(usable) }, hostTimezone);
  const planDefinitions = document.plans.map(planFrom);
  const errors = [
    ...parameters.flatMap(([name, value]) => parameterErrors(name, value)),
    ...document.devices.flatMap((device, index) => deviceErrors(device, index, devices)),
    ...planDefinitions.flatMap((plan, index) => planErrors(plan, index, timezone, now())),
  ];
  if (errors.length > 0) {
    const detail = errors.map(({ message }) => message).join(' ');
    return { ok: false, problem: { code: 'DOCUMENT_REFUSED', detail, errors } };
  }
  const parameterChanges = await Promise.all(
    parameters.map((parameter) => parameterChange(parameter, values, definitions)),
  );
  const deviceChanges = await Promise.all(
    document.devices.map((device) => deviceChange(device, devices, definitions)),
  );
  const planChanges = planDefinitions.map((plan) => planChange(plan, plans));
  if (!options.dryRun) {
    await definitions.save({
      parameters: Object.fromEntries(changed(parameterChanges)),
      devices: changed(deviceChanges),
      plans: changed(planChanges),
    });
  }
  return {
    ok: true,
    value: {
      dryRun: options.dryRun,
      objects: [
        ...parameterChanges.map(({ outcome, value: [name] }) => ({
          kind: 'parameter' as const,
          name,
          outcome,
        })),
        ...deviceChanges.map(({ outcome, value }) => ({
          kind: 'device' as const,
          name: value.name,
          outcome,
        })),
        ...planChanges.map(({ outcome, value }) => ({ kind: 'plan' as const, name: value.name, outcome })),
      ],
    },
  };
}

function changed<T>(changes: readonly Change<T>[]): T[] {
  return changes.filter(({ outcome }) => outcome !== 'unchanged').map(({ value }) => value);
}

function timezoneOf(values: Readonly<Record<string, unknown>>, hostTimezone: string): string {
  return parametersInForce(values).timezone ?? hostTimezone;
}

function parameterErrors(name: string, value: unknown): FieldError[] {
  const path = jsonPointer(['parameters', name]);
  if (!isParameterName(name)) {
    return [
      {
        path,
        code: 'PARAMETER_UNKNOWN',
        message: `There is no parameter "${name}"; see "stillpoint params list".`,
      },
    ];
  }
  const refusal = parameterDefinitions[name].refusal(value);
  return refusal === null
    ? []
    : [{ path, code: 'PARAMETER_INVALID', message: `The parameter ${name} ${refusal}.` }];
}

async function parameterChange(
  [name, value]: readonly [string, unknown],
  values: Readonly<Record<string, unknown>>,
  definitions: Pick<Definitions, 'hasSecret'>,
): Promise<Change<readonly [string, unknown]>> {
  const isSet = Object.hasOwn(values, name);
  const isSame = isSecretParameter(name)
    ? value === ''
      ? !isSet
      : await definitions.hasSecret(name, String(value))
    : isSet && isDeepStrictEqual(values[name], value);
  return { outcome: isSame ? 'unchanged' : isSet ? 'changed' : 'created', value: [name, value] };
}

function deviceErrors(device: DeviceDefinition, index: number, known: readonly DeviceRecord[]): FieldError[] {
  const isKnown = known.some(({ name }) => name === device.name);
  if (isKnown || device.password !== undefined) return [];
  return [
    {
      path: jsonPointer(['devices', index, 'password']),
      code: 'PASSWORD_MISSING',
      message: `The device ${device.name} is new, so it needs a password or a passwordFile.`,
    },
  ];
}

function planErrors(plan: Plan, index: number, timezone: string, now: number): FieldError[] {
  return validatePlan(plan, timezone, now).map(({ kind, path, detail }) => ({
    path: jsonPointer(['plans', index, ...path]),
    code: kind,
    message: `Plan ${plan.name}: ${detail}`,
  }));
}

async function deviceChange(
  { enabled, password, ...device }: DeviceDefinition,
  known: readonly DeviceRecord[],
  definitions: Definitions,
): Promise<Change<DeviceChange>> {
  const record: DeviceRecord = { ...device, isEnabled: enabled };
  const before = known.find(({ name }) => name === record.name);
  const value = { ...record, password: password ?? null };
  if (before === undefined) return { outcome: 'created', value };
  const isSamePassword = password === undefined || (await definitions.hasPassword(record.name, password));
  const isSame = isSamePassword && isDeepStrictEqual(plain(before), plain(record));
  return { outcome: isSame ? 'unchanged' : 'changed', value };
}

function planChange(plan: Plan, known: readonly Plan[]): Change<Plan> {
  const before = known.find(({ name }) => name === plan.name);
  if (before === undefined) return { outcome: 'created', value: plan };
  return { outcome: isDeepStrictEqual(plain(before), plain(plan)) ? 'unchanged' : 'changed', value: plan };
}

/** Without fields that are there and undefined, as it comes back from the database. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
