import { Hono } from "hono";
import { api } from "./api/index.ts";
import { swmlHook } from "./hooks/swml.ts";

export { RelaySession } from "./session/relay-session.ts";

export default new Hono<{ Bindings: Env }>()
  .route("/hooks", swmlHook)
  .route("/api", api) satisfies ExportedHandler<Env>;
