import type { Context } from "hono";
import { log } from "./log.ts";
import { timeoutOr } from "./timeout.ts";

/** The limiter counts in the same location; a slower answer is not worth waiting for. */
const LIMITER_MS = 100;

/**
 * Refuses a request that names no tenant or does not authenticate. The answer is the same for all, so it does not tell which
 * tenants exist. Such requests are counted by address after they failed; past the limit they cost no log line. A request that
 * verifies never comes here: SignalWire calls from few addresses, and an attack from one of them must not refuse a call.
 */
export async function refuse(
  c: Context<{ Bindings: Env }>,
  event: "webhook.refused" | "callback.refused",
  tenant: string,
  why: string,
): Promise<Response> {
  if (await isOverLimit(c)) return c.text("Too many requests", 429, { "retry-after": "60" });
  log("warn", event, { tenant: tenant.slice(0, 40), why });
  return c.text("Forbidden", 403);
}

/** Counts one failure of the address. False if there is no limiter, or it fails. */
export async function isOverLimit<E extends { Bindings: Env }>(c: Context<E>): Promise<boolean> {
  const limiter = c.env.REFUSALS;
  const address = c.req.header("cf-connecting-ip");
  if (!limiter || !address) return false;
  try {
    const outcome = await timeoutOr(LIMITER_MS, limiter.limit({ key: networkOf(address) }), null);
    return outcome?.success === false;
  } catch {
    return false;
  }
}

/** An IPv4 address, or the /64 of an IPv6 address: one machine has a whole /64. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = [], tail] = address.split("::").map((part) => (part === "" ? [] : part.split(":")));
  const left_out = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(left_out).fill("0"), ...(tail ?? [])];
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
