import { type Parameters, parametersInForce } from '@stillpoint/core';
import type { Definitions } from '../app/ports.ts';

/** The parameters in force, read anew whenever somebody asks. */
export class LatestParameters {
  readonly #definitions: Pick<Definitions, 'parameterValues'>;
  #devicesParallel = 0;

  constructor(definitions: Pick<Definitions, 'parameterValues'>) {
    this.#definitions = definitions;
  }

  async read(): Promise<Parameters> {
    const parameters = parametersInForce(await this.#definitions.parameterValues());
    this.#devicesParallel = parameters['devices.parallel'];
    return parameters;
  }

  /** How many devices may be worked on at once, as last read, for who cannot wait; 0 before the first time. */
  devicesParallel(): number {
    return this.#devicesParallel;
  }
}
