import type * as z from "zod";
import type { AnswersOf } from "../../shared/api/answers.ts";
import type { Endpoint, ParamsIn } from "../../shared/api/endpoint.ts";
import { type Endpoints, endpoints, type Operation } from "../../shared/api/endpoints.ts";
import { maskNumbers } from "../../shared/api/mask-numbers.ts";
import { type WithoutIso, withIso } from "../../shared/api/times.ts";
import { readBody } from "../webhooks/read-body.ts";
import { audited } from "./audited.ts";
import { denial, sees } from "./caller.ts";
import type { Api, ApiContext } from "./context.ts";
import { readJson } from "./json-body.ts";
import { faultsOf, refusal } from "./refusal.ts";

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
  /** Whether the caller may see what is in the room; null: in none. For paths whose `rooms` are listed. */
  sees(room: string | null): boolean;
}

type Success = 200 | 201 | 202;

type Successes<O extends Operation> = keyof AnswersOf[O] & Success;

type AnswerOf<
  O extends Operation,
  Status extends keyof AnswersOf[O],
> = AnswersOf[O][Status] extends infer S extends z.ZodType ? WithoutIso<z.input<S>> : never;

/** Registers the handler of an operation: its path, and what is checked before the handler sees the request, are the table's. */
export function route<O extends Operation>(
  api: Api,
  operation: O,
  handler: (c: ApiContext, asked: Asked<O>) => Promise<Response>,
): void {
  const endpoint: Endpoint = endpoints[operation];
  const { method, path } = endpoint;
  api.on(method, path, async (c: ApiContext) => {
    const caller = c.get("caller");
    const params = c.req.param();
    const respond = async (): Promise<Response> => {
      const denied = denial(caller, endpoint, params);
      if (denied !== null) return refusal(c, 403, "scope", denied);
      const read = await readRequest(c, endpoint);
      if (read instanceof Response) return read;
      const asked = {
        ...read,
        params,
        answer: (status: Success, value: object) => c.json(withIso(value), status),
        sees: (room: string | null) => sees(caller, room),
      };
      // Read by the schemas that the type is made from.
      return await handler(c, asked as unknown as Asked<O>);
    };
    const response = await audited(c, endpoint, respond);
    return caller.kind !== "admin" && caller.mask_numbers ? await masked(response) : response;
  });
}

async function readRequest(
  c: ApiContext,
  { request, body_limit }: Endpoint,
): Promise<{ query: unknown; body: unknown } | Response> {
  const query = request.query?.safeParse(c.req.query());
  if (query && !query.success)
    return refusal(c, 400, "bad_request", faultsOf(query.error, c.req.query(), "the query"));
  if (!request.body || body_limit === undefined) return { query: query?.data, body: undefined };
  const raw = await readBody(c.req.raw, body_limit);
  if (raw === "too large") return refusal(c, 413, "too_large", `The body is over ${body_limit} bytes.`);
  // A body of which everything may be left out may be left out itself.
  const isLeftOut = raw.length === 0 && request.body.safeParse(undefined).success;
  const json = isLeftOut ? { ok: true as const, value: undefined } : readJson(raw);
  if (!json.ok) return refusal(c, 422, "bad_request", `The body ${json.why}.`);
  const body = request.body.safeParse(json.value);
  if (!body.success) return refusal(c, 422, "bad_request", faultsOf(body.error, json.value, "the body"));
  return { query: query?.data, body: body.data };
}

async function masked(response: Response): Promise<Response> {
  if (!response.headers.get("content-type")?.startsWith("application/json")) return response;
  return new Response(JSON.stringify(maskNumbers(await response.json())), response);
}
