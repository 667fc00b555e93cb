import type { ChangedParameter, ChangedParameterQuery, ParameterValue } from '@stillpoint/contract';
import { isParameterName, type ParameterName, parameterDefinitions } from '@stillpoint/core';
import type { Application, Outcome, Page } from './application.ts';
import { parameterFrom, parameterShown } from './parameter-form.ts';
import type { Definitions } from './ports.ts';

/** Who changed which parameter, as it was recorded with each change. */
export interface ChangedParameters {
  /** Newest first; null when the cursor is not one of ours. */
  page(query: ChangedParameterQuery): Promise<Page<ChangedParameter> | null>;
}

/** What parameters are reached through. */
export type ParameterPorts = {
  readonly definitions: Pick<Definitions, 'parameterValues' | 'save'>;
  readonly changedParameters: ChangedParameters;
};

/** The use cases about system parameters. */
export class ParameterDesk {
  readonly #ports: ParameterPorts;

  constructor(ports: ParameterPorts) {
    this.#ports = ports;
  }

  async list(): ReturnType<Application['listParameters']> {
    const values = await this.#ports.definitions.parameterValues();
    const names = Object.keys(parameterDefinitions) as ParameterName[];
    return { ok: true, value: names.map((name) => parameterShown(name, values)) };
  }

  async get(name: string): ReturnType<Application['getParameter']> {
    if (!isParameterName(name)) return noParameter(name);
    return { ok: true, value: parameterShown(name, await this.#ports.definitions.parameterValues()) };
  }

  async set(name: string, value: ParameterValue): ReturnType<Application['setParameter']> {
    if (!isParameterName(name)) return noParameter(name);
    const kept = parameterFrom(value);
    const refusal = parameterDefinitions[name].refusal(kept);
    if (refusal !== null) {
      const detail = `The parameter ${name} ${refusal}.`;
      return { ok: false, problem: { code: 'PARAMETER_REFUSED', detail } };
    }
    await this.#ports.definitions.save({ parameters: { [name]: kept }, devices: [], plans: [] });
    return this.get(name);
  }

  /** Also of a parameter that an earlier version had. */
  async changes(query: ChangedParameterQuery): ReturnType<Application['listChangedParameters']> {
    const page = await this.#ports.changedParameters.page(query);
    if (page !== null) return { ok: true, value: page };
    const detail = `"${query.cursor}" is not a cursor of this list.`;
    return { ok: false, problem: { code: 'CURSOR_NOT_VALID', detail } };
  }
}

function noParameter(name: string): Extract<Outcome<never>, { ok: false }> {
  return { ok: false, problem: { code: 'PARAMETER_NOT_FOUND', detail: `There is no parameter "${name}".` } };
}
