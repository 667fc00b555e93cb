import type { DatapowerCode } from '../fault.ts';

/** Thrown inside the wire code only, to leave a parser in one step; the client turns it into a fault. */
export class WireProblem extends Error {
  readonly code: DatapowerCode;

  constructor(code: DatapowerCode, detail: string) {
    super(detail);
    this.name = 'WireProblem';
    this.code = code;
  }
}
