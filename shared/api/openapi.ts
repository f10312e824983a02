import * as z from "zod";
import { paramsIn } from "./endpoint.ts";
import { refusalSchema } from "./refusal.ts";
import { apiTable, type TableEntry } from "./table.ts";

type Json = Record<string, unknown>;

const SAID: Record<number, string> = {
  200: "Done.",
  201: "Made.",
  202: "Accepted, not done yet.",
  204: "Done.",
  206: "A part.",
};

/** Statuses that any path may answer; docs/api.md says with which codes. */
const OF_ANY = [401, 403, 404, 429, 500, 503];

const refusal = { $ref: "#/components/schemas/Refusal" };

/** The OpenAPI 3.1 document of the API, made from its table. */
export function openApi(): Json {
  const paths: Record<string, Json> = {};
  for (const entry of apiTable) {
    const path = `/api${entry.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [entry.method.toLowerCase()]: operationOf(entry) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Partyline",
      version: "1",
      description:
        "Every path takes ADMIN_TOKEN or a tenant's token; x-scope is what a token needs, admin being ADMIN_TOKEN alone.",
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
      schemas: { Refusal: schemaOf(refusalSchema) },
      responses: {
        Refused: { description: "Refused.", content: { "application/json": { schema: refusal } } },
      },
    },
  };
}

function operationOf(entry: TableEntry): Json {
  const { operation, summary, scope, request, answers, path } = entry;
  const { params, query, body } = request;
  const own = Object.entries(answers).map(([status, schema]) => [status, responseOf(Number(status), schema)]);
  const any = OF_ANY.filter((status) => !(status in answers)).map((status) => [
    status,
    responseOf(status, refusalSchema),
  ]);
  return {
    operationId: operation,
    summary,
    "x-scope": scope,
    parameters: [
      ...paramsIn(path).map((name) => parameterOf("path", name, params?.shape[name], true)),
      ...Object.entries(query?.shape ?? {}).map(([name, schema]) =>
        parameterOf("query", name, schema, !z.safeParse(schema, undefined).success),
      ),
    ],
    ...(body
      ? { requestBody: { required: true, content: { "application/json": { schema: schemaOf(body) } } } }
      : {}),
    responses: Object.fromEntries([...own, ...any]),
  };
}

function responseOf(status: number, schema: z.ZodType | null): Json {
  if (schema === refusalSchema) return { $ref: "#/components/responses/Refused" };
  const description = SAID[status] ?? "Refused.";
  if (schema === null) return { description };
  const type = schema instanceof z.ZodFile ? "audio/*" : "application/json";
  return { description, content: { [type]: { schema: schemaOf(schema) } } };
}

function parameterOf(
  where: "path" | "query",
  name: string,
  schema: z.core.$ZodType | undefined,
  required: boolean,
): Json {
  return { name, in: where, required, schema: schema ? schemaOf(schema) : { type: "string" } };
}

/** As it is sent: defaults may be left out, and fields that a newer version adds are no fault. */
function schemaOf(schema: z.core.$ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      // What every integer of JavaScript has.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return rest;
}
