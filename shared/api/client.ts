import type * as z from "zod";
import { type AnswersOf, answers } from "./answers.ts";
import type { Endpoint, ParamsIn } from "./endpoint.ts";
import { type Endpoints, endpoints, type Operation } from "./endpoints.ts";

type Sent<O extends Operation, Part extends "query" | "body"> =
  Endpoints[O]["request"] extends Record<Part, infer S extends z.ZodType> ? S : never;

type Text = string | number | boolean;

/** JSON that is sent as it is written. No body of the API is a text itself. */
export type JsonText = string;

/** What an operation is asked with. */
export type ApiRequest<O extends Operation> = ([ParamsIn<Endpoints[O]["path"]>] extends [never]
  ? unknown
  : { params: Record<ParamsIn<Endpoints[O]["path"]>, string> }) &
  ([Sent<O, "query">] extends [never]
    ? unknown
    : { query?: { [Key in keyof z.input<Sent<O, "query">>]?: Text | undefined } }) &
  ([Sent<O, "body">] extends [never] ? unknown : { body: z.input<Sent<O, "body">> | JsonText });

/** An HTTP request to be sent, with a token, to where the API is. */
export interface Prepared {
  method: Endpoint["method"];
  /** Under `/api`, with its query. */
  path: string;
  /** JSON. */
  body?: string;
}

/** One of the answers that the table has for the operation. */
export type ApiAnswer<O extends Operation> = {
  [Status in keyof AnswersOf[O]]: {
    status: Status;
    data: AnswersOf[O][Status] extends infer S extends z.ZodType ? z.output<S> : null;
  };
}[keyof AnswersOf[O]];

export function prepare<O extends Operation>(operation: O, request: ApiRequest<O>): Prepared {
  const { method, path }: Endpoint = endpoints[operation];
  const {
    params = {},
    query = {},
    body,
  } = request as {
    params?: Record<string, string>;
    query?: Record<string, Text | undefined>;
    body?: unknown;
  };
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
  const asked = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const search = asked.length === 0 ? "" : `?${new URLSearchParams(asked)}`;
  return {
    method,
    path: `${filled}${search}`,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  };
}

/** What was answered; null where it is none of the operation's answers: another program's, or another version's. */
export function readAnswer<O extends Operation>(
  operation: O,
  status: number,
  json: unknown,
): ApiAnswer<O> | null {
  const told: Readonly<Record<number, z.ZodType | null>> = answers[operation];
  const schema = told[status];
  if (schema === undefined) return null;
  const read = schema === null ? { success: true, data: null } : schema.safeParse(json);
  // By the schema of this status.
  return read.success ? ({ status, data: read.data } as ApiAnswer<O>) : null;
}
