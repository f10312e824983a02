import { Hono } from "hono";
import { swmlHook } from "./hooks/swml.ts";

export { RelaySession } from "./session/relay-session.ts";

export default new Hono<{ Bindings: Env }>().route("/hooks", swmlHook) satisfies ExportedHandler<Env>;
