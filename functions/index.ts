import { Hono } from "hono";
import { api } from "./api/index.ts";
import { schemas } from "./api/schemas.ts";
import { cxmlHook } from "./hooks/cxml.ts";
import { statusHooks } from "./hooks/status.ts";
import { swmlHook } from "./hooks/swml.ts";

export { RelaySession } from "./session/relay-session.ts";

export default new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/hooks", cxmlHook)
  .route("/hooks", statusHooks)
  .route("/schemas", schemas)
  .route("/api", api) satisfies ExportedHandler<Env>;
