import type { FieldError } from '@stillpoint/contract';

/** Carries the mistakes of a request from Fastify's validation to its error handler. */
export class ShapeRefused extends Error {
  readonly errors: readonly FieldError[];
  /** Set by Fastify: the part of the request that is wrong. */
  validationContext?: string;

  constructor(errors: readonly FieldError[]) {
    super('The request does not have the right shape');
    this.errors = errors;
  }
}
