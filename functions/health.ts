import { Hono } from "hono";
import { log } from "./log.ts";

/** What every Worker needs. */
const ALWAYS = ["ADMIN_TOKEN", "CREDENTIALS_KEY"] as const;
/** The one-tenant start needs all of these; where every project has a record in KV there is none of them. */
const ONE_TENANT = [
  "SIGNALWIRE_SPACE",
  "SIGNALWIRE_PROJECT_ID",
  "SIGNALWIRE_API_TOKEN",
  "SIGNALWIRE_SIGNING_KEY",
] as const;

/** `GET /health`: whether the Worker runs and has its secrets. Reads no storage, so frequent checks cost little. */
export const health = new Hono<{ Bindings: Env }>().get("/", (c) => {
  const missing = missingSecrets(c.env);
  c.header("cache-control", "no-store");
  return missing.length === 0 ? c.json({ ok: true }) : c.json({ ok: false, missing }, 503);
});

let isLogged = false;

/** Says once in each isolate which secrets the Worker lacks. */
export function logMissingSecrets(env: Env): void {
  if (isLogged) return;
  isLogged = true;
  const missing = missingSecrets(env);
  if (missing.length > 0) log("error", "worker.secrets_missing", { missing });
}

function missingSecrets(env: Env): string[] {
  const isOneTenant = ONE_TENANT.some((name) => env[name]);
  return [...ALWAYS, ...(isOneTenant ? ONE_TENANT : [])].filter((name) => !env[name]);
}
