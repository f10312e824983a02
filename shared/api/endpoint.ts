import type * as z from "zod";
import type { Scope } from "./scopes.ts";

/** One path of the API: all that a Worker needs to register it. What it answers is in `answers.ts`, under the same name. */
export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Under `/api`. */
  path: `/${string}`;
  /** What a token needs; `admin`: only the Worker's own `ADMIN_TOKEN` will do. */
  scope: Scope | "admin";
  /**
   * For tokens that are restricted to some rooms. named: the path's `:name` must be one of them. listed: the handler shows, and
   * changes, only what is in one of them. none: the path is about the whole tenant, so they may not use it.
   */
  rooms: "named" | "listed" | "none";
  /** One line for the OpenAPI document. */
  summary: string;
  request: {
    /** Of `path`; those that are not named here are any text. */
    params?: z.ZodObject;
    query?: z.ZodObject;
    body?: z.ZodType;
  };
  /** Bytes of the largest body that is read as JSON and checked against `request.body`; absent: the handler reads the body itself. */
  body_limit?: number;
  /** What the audit calls it, for what changes something. */
  action?: string;
}

/** The names of the parameters in a path. */
export type ParamsIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamsIn<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/** The names of the parameters in a path, in order. */
export function paramsIn(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
}
