import { fromBase64, toBase64 } from "./encoding.ts";

/** Bytes of an endpoint's secret; Standard Webhooks wants 24 to 64. */
export const SECRET_BYTES = 32;
const SECRET_PREFIX = "whsec_";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits after each failed attempt; after the last there is no other. */
export const RETRY_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;
/** A wait is made longer by up to this part of it, so that what failed together does not come again together. */
const JITTER = 0.2;
/** What a receiver may ask for by `Retry-After` at most. */
export const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/** What came of an attempt; `status` is null where there was no answer. */
export interface Attempt {
  status: number | null;
  /** ms */
  retry_after_ms: number | null;
  /** For people, where there was no answer. */
  why: string;
}

/** disable: the receiver wants nothing any more. `due_at`: ms. */
export type AfterAttempt =
  | { outcome: "delivered" | "disable" | "failed"; reason: string }
  | { outcome: "retry"; due_at: number; reason: string };

/**
 * What follows an attempt.
 * @param attempts with this one.
 * @param random 0 to 1.
 */
export function afterAttempt(attempt: Attempt, attempts: number, now: number, random: number): AfterAttempt {
  const { status, retry_after_ms, why } = attempt;
  if (status !== null && status >= 200 && status < 300) return { outcome: "delivered", reason: `${status}` };
  if (status === 410) return { outcome: "disable", reason: "the receiver answered 410" };
  const reason = status === null ? why : `the receiver answered ${status}`;
  const wait_ms = RETRY_MS[attempts - 1];
  if (wait_ms === undefined) return { outcome: "failed", reason };
  const asked_ms = Math.min(retry_after_ms ?? 0, LONGEST_RETRY_AFTER_MS);
  return {
    outcome: "retry",
    due_at: now + Math.max(Math.round(wait_ms * (1 + JITTER * random)), asked_ms),
    reason,
  };
}

/** What `Retry-After` asks for, seconds or a date, in ms from now; null where it says nothing that can be read. */
export function retryAfterOf(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND;
  const at = / GMT$/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** As an endpoint's owner is shown it. */
export function secretText(bytes: Uint8Array): string {
  return `${SECRET_PREFIX}${toBase64(bytes)}`;
}

/**
 * The headers of one attempt, as Standard Webhooks has them.
 * @param id the same for each attempt.
 * @param secrets each signs: two while one is rotated.
 */
export async function signedHeaders(
  id: string,
  now: number,
  body: string,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(now / SECOND));
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map(async (secret) => `v1,${await sign(secret, content)}`));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}

async function sign(secret: string, content: Uint8Array): Promise<string> {
  const bytes = fromBase64(secret.slice(SECRET_PREFIX.length));
  if (bytes === null) throw new Error("a webhook's secret is no base64");
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, content)));
}

/** Names that only a private network resolves. */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa)$/;

/** Why webhooks can't be sent to the URL, for people; null where they can. What a public name resolves to is not looked at. */
export function faultOfTarget(text: string): string | null {
  if (!URL.canParse(text)) return "must be a whole URL";
  const { protocol, hostname, username, password } = new URL(text);
  if (protocol !== "https:") return "must start with https://";
  if (username !== "" || password !== "")
    return "must not hold a user name or a password: deliveries are signed";
  const host = hostname.replace(/\.$/, "");
  if (host.startsWith("[")) return isPublicV6(host.slice(1, -1)) ? null : "must be a public host";
  // The URL parser writes an address as four numbers, however it was spelled.
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) return isPublicV4(host) ? null : "must be a public host";
  if (!host.includes(".") || PRIVATE_NAMES.test(host)) return "must be a public host";
  return null;
}

/** First and last numbers of the networks that are not on the Internet. */
const PRIVATE_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

function isPublicV4(host: string): boolean {
  const address = numberOf(host);
  return !PRIVATE_V4.some(([network, bits]) => {
    const size = 2 ** (32 - bits);
    return Math.floor(address / size) === Math.floor(numberOf(network) / size);
  });
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Global unicast alone, without what stands for an IPv4 address or for documentation. */
function isPublicV6(host: string): boolean {
  const [first = "", second = ""] = host.split(":");
  const high = Number.parseInt(first || "0", 16);
  if (high < 0x2000 || high > 0x3fff) return false;
  const isTunnel = high === 0x2002 || (high === 0x2001 && Number.parseInt(second || "0", 16) === 0);
  return !isTunnel && !(high === 0x2001 && second === "db8");
}
