import { destinationOf, dialledKeys } from "./identity.ts";
import { addressKey, prefixLength } from "./rules/address.ts";

/** Whom a tenant may have called: a pattern, or one for which keys may be sent once it is answered. */
export type DialPermission = string | { to: string; send_digits: true };

/** What is to be dialled, as it is dialled. */
export interface Dialled {
  to: string;
  /** Sent once it is answered: behind a switchboard they lead anywhere. */
  send_digits?: string;
}

/** A pattern of addresses; of a SIP URI with the port, or `:*` for any and none, and the parameters that it may have. */
const PATTERN =
  /^(.*?@(?:\[[^\]]*\]|[^:;[\]]*)|[^@]*?)(?::(\d{1,5}|\*))?((?:;[A-Za-z0-9._~!*+'-]{1,64}(?:=[A-Za-z0-9._~!*+':[\]-]{1,128})?)*)$/;

interface Permission {
  key: string;
  /** "*" for any and none. */
  port: string;
  parameters: ReadonlyMap<string, string>;
  may_send_digits: boolean;
}

/** Whether this is a pattern that `permits` reads. */
export function isDialPattern(pattern: string): boolean {
  return readPermission(pattern) !== null;
}

/** Denied unless one entry allows all of it: digits_denied, where only the keys are not allowed. */
export function permits(
  permissions: readonly DialPermission[],
  { to, send_digits }: Dialled,
): "permitted" | "denied" | "digits_denied" {
  const read = permissions.map(readPermission).filter((one) => one !== null);
  const lengths = read.map(({ key }) => prefixLength(key)).filter((length) => length !== null);
  const keys = new Set(dialledKeys(to, [...new Set(lengths)]));
  const fitting = read.filter((one) => keys.has(one.key) && allowsDestination(one, to));
  if (fitting.length === 0) return "denied";
  return send_digits === undefined || fitting.some((one) => one.may_send_digits)
    ? "permitted"
    : "digits_denied";
}

function readPermission(permission: DialPermission): Permission | null {
  const pattern = typeof permission === "string" ? permission : permission.to;
  const isWhole = addressKey(pattern) !== null;
  const [, address = "", port = "", written = ""] = isWhole ? ["", pattern] : (PATTERN.exec(pattern) ?? []);
  const key = addressKey(address);
  if (key === null || (!isWhole && !key.startsWith("sip:"))) return null;
  const parameters = written
    .split(";")
    .slice(1)
    .map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.toLowerCase().split("=");
      return [name, value];
    });
  return { key, port, parameters: new Map(parameters), may_send_digits: typeof permission !== "string" };
}

/** A port leads to another service, and a parameter such as `maddr` to another host: what is not named is not allowed. */
function allowsDestination({ key, port, parameters }: Permission, to: string): boolean {
  if (!key.startsWith("sip:")) return true;
  const destination = destinationOf(to);
  if (destination === null || (port !== "*" && port !== destination.port)) return false;
  return destination.parameters.every(
    ([name, value]) => parameters.get(name) === value || parameters.get(name) === "*",
  );
}
