import {
  type FieldError,
  jsonPointer,
  type PlanCalendarQuery,
  type PlanDefinition,
  type Plan as PlanShown,
} from '@stillpoint/contract';
import {
  describeSchedule,
  nextFires,
  type Parameters,
  type Plan,
  parametersInForce,
  parseSchedule,
  validatePlan,
} from '@stillpoint/core';
import type { Application, Outcome } from './application.ts';
import { planCalendar } from './plan-calendar.ts';
import { planFields, planFrom } from './plan-form.ts';
import type { PlanHistory } from './plan-history.ts';
import type { Definitions, History } from './ports.ts';
import { type PreviewPorts, previewPlan } from './preview-plan.ts';

/** What plans are looked at through. */
export type PlanPorts = Omit<PreviewPorts, 'definitions' | 'planHistory'> & {
  readonly definitions: Pick<Definitions, 'devices' | 'plans' | 'parameterValues'>;
  readonly history: Pick<History, 'lastRuns'>;
  readonly planHistory: PlanHistory;
};

const NEXT_FIRES_SHOWN = 5;
const DAY_MS = 86_400_000;

/** The use cases that look at plans. */
export class PlanDesk {
  readonly #ports: PlanPorts;

  constructor(ports: PlanPorts) {
    this.#ports = ports;
  }

  async list(): ReturnType<Application['listPlans']> {
    const { definitions, history, planHistory } = this.#ports;
    const [plans, lastRuns, leftOut, parameters] = await Promise.all([
      definitions.plans(),
      history.lastRuns(),
      planHistory.leftOutFires(),
      this.#parameters(),
    ]);
    const value = plans.map((plan) => ({
      ...planFields(plan),
      ...this.#scheduleShown(plan, parameters),
      leftOutFires: leftOut.get(plan.name) ?? [],
      lastRun: lastRuns.get(plan.name) ?? null,
    }));
    return { ok: true, value };
  }

  async get(name: string): Promise<Outcome<PlanShown>> {
    const plans = await this.list();
    if (!plans.ok) return plans;
    const plan = plans.value.find((known) => known.name === name);
    return plan === undefined ? noPlan(name) : { ok: true, value: plan };
  }

  /** Undefined for a plan that is not defined. */
  async find(name: string): Promise<Plan | undefined> {
    const plans = await this.#ports.definitions.plans();
    return plans.find((plan) => plan.name === name);
  }

  async preview(name: string): ReturnType<Application['previewPlan']> {
    const plan = await this.find(name);
    if (plan === undefined) return noPlan(name);
    return { ok: true, value: await previewPlan(plan, await this.#parameters(), this.#ports) };
  }

  /** Judges the plan as applying it would. */
  async previewDefinition(definition: PlanDefinition): ReturnType<Application['previewDefinition']> {
    const plan = planFrom(definition);
    const parameters = await this.#parameters();
    const refusals = validatePlan(plan, this.#zoneOf(parameters), this.#ports.now());
    const errors: FieldError[] = refusals.map(({ kind, path, detail }) => ({
      path: jsonPointer(path),
      code: kind,
      message: `Plan ${plan.name}: ${detail}`,
    }));
    if (errors.length === 0) return { ok: true, value: await previewPlan(plan, parameters, this.#ports) };
    const detail = errors.map(({ message }) => message).join(' ');
    return { ok: false, problem: { code: 'DOCUMENT_REFUSED', detail, errors } };
  }

  async calendar({ days }: PlanCalendarQuery): ReturnType<Application['getPlanCalendar']> {
    const { definitions, planHistory, hostTimezone, now } = this.#ports;
    const [plans, devices, durationsMs, parameters] = await Promise.all([
      definitions.plans(),
      definitions.devices(),
      planHistory.lastDurationsMs(),
      this.#parameters(),
    ]);
    const from = now();
    const facts = { plans, devices, parameters, hostTimezone, durationsMs };
    return { ok: true, value: planCalendar(facts, from, from + days * DAY_MS) };
  }

  #scheduleShown(plan: Plan, parameters: Parameters): Pick<PlanShown, 'scheduleRead' | 'nextFireAts'> {
    const now = this.#ports.now();
    const zone = plan.timezone ?? this.#zoneOf(parameters);
    const schedule = plan.schedule === null ? null : parseSchedule(plan.schedule, zone, now);
    if (schedule === null || 'kind' in schedule) return { scheduleRead: null, nextFireAts: [] };
    return {
      scheduleRead: { expression: schedule.expression, words: describeSchedule(schedule) },
      nextFireAts: nextFires(schedule, now, NEXT_FIRES_SHOWN).map((at) => new Date(at).toISOString()),
    };
  }

  #zoneOf(parameters: Parameters): string {
    return parameters.timezone ?? this.#ports.hostTimezone;
  }

  async #parameters(): Promise<Parameters> {
    return parametersInForce(await this.#ports.definitions.parameterValues());
  }
}

/** The refusal for a plan that is not defined. */
export function noPlan(name: string): Extract<Outcome<never>, { ok: false }> {
  return { ok: false, problem: { code: 'PLAN_NOT_FOUND', detail: `There is no plan "${name}".` } };
}
