import type { Call } from "./call.ts";

/** What is kept of a call, so that its decision can be computed again: what rules may look at, and no secret. */
export type KeptCall = Omit<Call, "keyed" | "details">;

/** A kept call, and the paths of what was left out of it, e.g. `headers.authorization`. */
export interface Keeping {
  call: KeptCall;
  left_out: string[];
}

/** Names under which secrets travel, wherever in a longer name. */
const SECRET_NAME =
  /auth|token|secret|passw|passcode|passphrase|pwd|cookie|credential|api[-_]?key|bearer|signature|digits|^prompt_|cvv/i;
/** Two words that make a secret's name, however they are joined. */
const SECRET_PAIR = /(access|security|verification|pin|card)[^a-z]?(code|number)|one[^a-z]?time/i;
/** Words too short to be looked for inside of others: a name holds one of them, or a word that ends with `pin` or `otp`. */
const SECRET_WORD = /^(pins?|otps?|cvc|csc|mfa|pw|\w*(pin|otp))$/;
/** Values that are secrets under whatever name: schemes of HTTP, JSON Web Tokens, tokens in a URL's query. */
const SECRET_VALUE =
  /^\s*(bearer|basic|digest|token)\s|^eyJ[\w-]+\.[\w-]+\.|[?&][\w-]*(token|key|sig|secret)[\w-]*=/i;
/** Characters of one value, and of a whole kept call, as JSON. */
const VALUE_LENGTH = 1_024;
const CALL_LENGTH = 8_192;

/** The call without secrets, keyed digits and anything large. */
export function keepCall({ keyed: _, details: __, ...call }: Call): Keeping {
  const left_out: string[] = [];
  const kept: KeptCall = {
    ...call,
    headers: clean(call.headers, "headers", left_out),
    vars: clean(call.vars, "vars", left_out),
    params: clean(call.params, "params", left_out),
  };
  for (const part of ["vars", "params", "headers"] as const) {
    if (JSON.stringify(kept).length <= CALL_LENGTH) break;
    kept[part] = {};
    left_out.push(part);
  }
  return { call: kept, left_out };
}

/** What `decide` takes, made of what was kept. */
export function callOf(kept: KeptCall): Call {
  return { ...kept, details: {} };
}

/**
 * Whether a sentence shows something that was left out of the call: by its path, or by the value itself.
 * @param call as it came.
 */
export function showsLeftOut(sentence: string, call: Call, left_out: readonly string[]): boolean {
  return left_out.some((path) => {
    if (sentence.includes(path)) return true;
    const dot = path.indexOf(".");
    const part = path.slice(0, dot);
    if (part !== "headers" && part !== "params" && part !== "vars") return false;
    const value = [call[part][path.slice(dot + 1)]].flat()[0];
    return typeof value === "string" && value.length > 3 && sentence.includes(value.slice(0, 12));
  });
}

function clean<Value>(values: Record<string, Value>, at: string, left_out: string[]): Record<string, Value> {
  const kept: [string, Value][] = [];
  for (const [name, value] of Object.entries(values)) {
    if (isSecret(name, value, 0) || JSON.stringify(value).length > VALUE_LENGTH)
      left_out.push(`${at}.${name}`);
    else kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}

/** Whether a secret stands anywhere in the value; nested deeper than that nobody looks, and it is taken for one. */
function isSecret(name: string, value: unknown, depth: number): boolean {
  if (
    SECRET_NAME.test(name) ||
    SECRET_PAIR.test(name) ||
    wordsOf(name).some((word) => SECRET_WORD.test(word))
  )
    return true;
  if (typeof value === "string") return SECRET_VALUE.test(value);
  if (typeof value !== "object" || value === null) return false;
  if (depth > 8) return true;
  return Object.entries(value).some(([key, inner]) =>
    isSecret(Array.isArray(value) ? "" : key, inner, depth + 1),
  );
}

/** `x-userPIN_2` is x, user and pin. */
function wordsOf(name: string): string[] {
  const apart = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  return apart.toLowerCase().split(/[^a-z]+/);
}
