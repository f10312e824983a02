import type { Context, Hono } from "hono";
import type * as z from "zod";
import type { AnswersOf } from "../../shared/api/answers.ts";
import type { Endpoint, ParamsIn } from "../../shared/api/endpoint.ts";
import { type Endpoints, endpoints, type Operation } from "../../shared/api/endpoints.ts";
import { readBody } from "../webhooks/read-body.ts";
import { jsonOf } from "./json-body.ts";
import { faultsOf, refusal } from "./refusal.ts";

export type ApiEnv = { Bindings: Env };
export type Api = Hono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;

type Schema<O extends Operation, Part extends "query" | "body"> =
  Endpoints[O]["request"] extends Record<Part, infer S extends z.ZodType> ? z.output<S> : undefined;

/** A request as the table has it. */
export interface Asked<O extends Operation> {
  params: Record<ParamsIn<Endpoints[O]["path"]>, string>;
  query: Schema<O, "query">;
  /** Undefined where the handler reads the body itself. */
  body: Endpoints[O] extends { body_limit: number } ? Schema<O, "body"> : undefined;
  /** Answers as the table says; what is refused goes by `refusal`. */
  answer<Status extends Successes<O>>(status: Status, value: AnswerOf<O, Status>): Response;
}

type Successes<O extends Operation> = keyof AnswersOf[O] & (200 | 202);

type AnswerOf<
  O extends Operation,
  Status extends keyof AnswersOf[O],
> = AnswersOf[O][Status] extends infer S extends z.ZodType ? z.input<S> : never;

/** Registers the handler of an operation: its path, and what is checked before the handler sees the request, are the table's. */
export function route<O extends Operation>(
  api: Api,
  operation: O,
  handler: (c: ApiContext, asked: Asked<O>) => Promise<Response>,
): void {
  const { method, path, request, body_limit }: Endpoint = endpoints[operation];
  api.on(method, path, async (c: ApiContext) => {
    const query = request.query?.safeParse(c.req.query());
    if (query && !query.success) return refusal(c, 400, "bad_request", faultsOf(query.error, "the query"));
    let body: unknown;
    if (request.body && body_limit !== undefined) {
      const raw = await readBody(c.req.raw, body_limit);
      if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${body_limit} bytes.`);
      const read = request.body.safeParse(jsonOf(raw));
      if (!read.success) return refusal(c, 422, "bad_request", faultsOf(read.error, "the body"));
      body = read.data;
    }
    const asked = {
      params: c.req.param(),
      query: query?.data,
      body,
      answer: (status: 200 | 202, value: object) => c.json(value, status),
    };
    // Read by the schemas that the type is made from.
    return await handler(c, asked as unknown as Asked<O>);
  });
}
