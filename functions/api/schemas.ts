import { Hono } from "hono";
import { rulesetJsonSchema } from "../../shared/rules/schema/json-schema.ts";

const CACHED_S = 3_600;

/** Made when first asked for: a start that serves calls does not wait for it. */
let text: string | undefined;

/** `GET /schemas/ruleset.json`: the language's JSON Schema, for editors. It holds no secret and wants no token. */
export const schemas = new Hono().get("/ruleset.json", (c) => {
  text ??= JSON.stringify(rulesetJsonSchema());
  return c.body(text, 200, {
    "content-type": "application/schema+json",
    "cache-control": `public, max-age=${CACHED_S}`,
  });
});
