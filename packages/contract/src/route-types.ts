import type { z } from 'zod';
import type { routes } from './routes.ts';

/** Name of a call. */
export type RouteName = keyof typeof routes;

type Part<Name extends RouteName, Key extends 'params' | 'query' | 'body'> =
  (typeof routes)[Name] extends Record<Key, infer Shape extends z.ZodType> ? Shape : never;

/** What a call is given once its parts were read: defaults filled in, numbers are numbers. */
export type RouteInput<Name extends RouteName> = {
  readonly [Key in 'params' | 'query' | 'body' as [Part<Name, Key>] extends [never] ? never : Key]: z.output<
    Part<Name, Key>
  >;
};

type Loose<Shape extends z.ZodType, Key extends string> =
  Record<never, never> extends z.input<Shape>
    ? { readonly [K in Key]?: z.input<Shape> }
    : { readonly [K in Key]: z.input<Shape> };

/** What a client says to make a call: defaults may be left out. */
export type RouteRequest<Name extends RouteName> = ([Part<Name, 'params'>] extends [never]
  ? unknown
  : Loose<Part<Name, 'params'>, 'params'>) &
  ([Part<Name, 'query'>] extends [never] ? unknown : Loose<Part<Name, 'query'>, 'query'>) &
  ([Part<Name, 'body'>] extends [never] ? unknown : Loose<Part<Name, 'body'>, 'body'>);

type ReplyShapes<Name extends RouteName> = (typeof routes)[Name]['replies'];

/** What a call that went well answers. */
export type RouteReply<Name extends RouteName> = z.output<ReplyShapes<Name>[keyof ReplyShapes<Name>]>;
