import { createHash } from "node:crypto";
import { type Body, bodyBytes, FORM } from "./bodies.ts";
import type { Environment, TenantName } from "./environment.ts";
import { type Bearer, bearerOf, type Signature, signatureOf, type Token, tokenOf } from "./proofs.ts";

/** How a path is written otherwise than the route has it. */
export const pathTricks = {
  plain: (path: string) => path,
  slash_at_end: (path: string) => `${path}/`,
  doubled_slashes: (path: string) => path.replaceAll("/", "//"),
  dots: (path: string) => path.replace(/^\/[^/]+/, "$&/x/.."),
  encoded_dots: (path: string) => path.replace(/^\/[^/]+/, "$&/x/%2e%2e"),
  up_and_back: (path: string) => `/schemas/../..${path}`,
  encoded_slashes: (path: string) => `/${path.slice(1).replaceAll("/", "%2f")}`,
  encoded_letters: (path: string) =>
    path.replace(/[a-z](?=[^/]*$)/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  encoded_tenant: (path: string) =>
    path.replace(
      /^(\/\w+\/)(\w)/,
      (_, before: string, letter: string) => `${before}%${letter.charCodeAt(0).toString(16)}`,
    ),
  encoded_twice: (path: string) => `/${path.slice(1).replaceAll("/", "%252f")}`,
  capitals: (path: string) => path.toUpperCase(),
  nul: (path: string) => `${path}%00`,
  bad_percent: (path: string) => `${path}%zz%`,
  bad_utf8: (path: string) => `${path}%ff%fe%c0%af`,
  matrix: (path: string) => `${path};tenant=bravo`,
  backslashes: (path: string) => `/${path.slice(1).replaceAll("/", "%5c")}`,
  whole_url: (path: string) => `http://127.0.0.1:1${path}`,
  long: (path: string) => `${path}/${"a/".repeat(2_000)}`,
} as const;

export type PathTrick = keyof typeof pathTricks;

/** A request as it was drawn: small enough to be read, and the same on the next stage. */
export interface Input {
  /** Method and pattern, as the app has them. */
  route: string;
  /** Another one than the route's. */
  method?: string;
  /** By the names of the pattern; what is missing is "x". */
  params: Readonly<Record<string, string>>;
  path: PathTrick;
  query: readonly (readonly [string, string])[];
  headers: readonly (readonly [string, string])[];
  /** Whose keys and tokens the sender has, where the proof says so. */
  other: TenantName;
  signature: Signature;
  token: Token;
  bearer: Bearer;
  body: Body;
  /** The sender's, as Cloudflare tells it. */
  address: string;
}

export interface Request {
  method: string;
  path: string;
  headers: [string, string][];
  body: Buffer;
}

/** What stands for what is only known once the stage is set: the id of a tenant's conference. */
const CONFERENCE = /<conference (\w+)>/g;
/** What stands for so many letters. */
const LONG = /<long (\d+)>/g;

/** The request that an input is on this stage. */
export function requestOf(environment: Environment, input: Input): Request {
  const [verb = "", pattern = ""] = input.route.split(" ");
  const own = environment.tenants.get(input.params["tenant"] as TenantName); // None where it is no tenant's name.
  const other = environment.tenants.get(input.other) ?? missing(input.other);
  const tenant = own ?? other;
  const path = pathTricks[input.path](pathOf(pattern, input.params));
  const method = input.method ?? (verb === "ALL" ? "GET" : verb);
  const bare = method === "GET" || method === "HEAD" || method === "OPTIONS";
  const made = bare
    ? { bytes: Buffer.alloc(0), type: null }
    : bodyBytes(input.body, (text) => filled(environment, text));
  const body = made.bytes;
  const isType = (name: string) => name.toLowerCase() === "content-type";
  const type = input.headers.find(([name]) => isType(name))?.[1] ?? made.type;
  const family = familyOf(input.route);
  const query: [string, string][] = input.query.map(([name, value]) => [name, filled(environment, value)]);
  if (family === "callback") query.unshift(...tokenOf(input.token, tenant, other));
  const isForm =
    family === "cxml"
      ? !bare && !/^application\/json\b/i.test(type ?? "")
      : type?.toLowerCase().startsWith(FORM) === true;
  // A form that is JSON is signed by its digest in the URL.
  if (family === "cxml" && !bare && !isForm) {
    const signed = input.signature === "another_body" ? "another" : body;
    query.push(["bodySHA256", createHash("sha256").update(signed).digest("hex")]);
  }
  const asked = path + (query.length === 0 ? "" : `?${new URLSearchParams(query)}`);
  const scheme = family === "swml" || (family === "callback" && !isForm) ? "json" : "form";
  const headers: [string, string][] = [
    ["cf-connecting-ip", input.address],
    ...(type === null ? [] : [["content-type", type] satisfies [string, string]]),
    ...signatureOf(input.signature, {
      base: environment.worker.url,
      path: asked,
      body,
      scheme,
      isForm,
      key: tenant.project.signing_key,
      other_key: other.project.signing_key,
      tenant: tenant.name,
      other: other.name,
    }),
    ...bearerOf(input.bearer, environment.admin_token, { tenant, other }),
    ...input.headers
      .filter(([name]) => !isType(name))
      .map(([name, value]): [string, string] => [name, lengthened(value)]),
  ];
  return { method, path: asked, headers, body };
}

/** The part of the app that a route is of, by how it knows its callers. */
export function familyOf(route: string): "swml" | "cxml" | "callback" | "ticket" | "feed" | "api" | "open" {
  const [, path = ""] = route.split(" ");
  if (path.endsWith("/swml")) return "swml";
  if (path.endsWith("/cxml")) return "cxml";
  if (path.endsWith("/notice") || path.endsWith("/moved")) return "ticket";
  if (path.endsWith("/feed")) return "feed";
  if (path.startsWith("/hooks/")) return "callback";
  return path.startsWith("/api/") ? "api" : "open";
}

/** Whether the input shows that its sender may ask this. */
export function isAuthentic(
  { route, signature, token, bearer, params }: Input,
  tenants: Environment["tenants"],
): boolean {
  const isTenant = tenants.has(params["tenant"] as TenantName); // Or no tenant's name.
  switch (familyOf(route)) {
    case "swml":
    case "cxml":
      return isTenant && signature === "right";
    case "callback":
      return isTenant && token === "right" && (signature === "none" || signature === "right");
    case "api":
      return bearer === "right";
    // No input has a ticket that the Worker sealed.
    case "ticket":
    case "feed":
      return false;
    case "open":
      return true;
  }
}

function pathOf(pattern: string, params: Readonly<Record<string, string>>): string {
  return pattern
    .replace(/:(\w+)(\{[^}]*\})?/g, (_, name: string) => segment(params[name] ?? "x"))
    .replace(/\*$/, () => segment(params["rest"] ?? "x"));
}

/** Escaped as a careful client would; what no URL can hold becomes U+FFFD. */
function segment(text: string): string {
  return encodeURIComponent(lengthened(text).toWellFormed());
}

function filled({ tenants }: Environment, text: string): string {
  return lengthened(
    // Or no tenant's name.
    text.replace(CONFERENCE, (_, name: string) => tenants.get(name as TenantName)?.conference_id ?? "none"),
  );
}

function lengthened(text: string): string {
  return text.replace(LONG, (_, length: string) => "a".repeat(Number(length)));
}

function missing(what: string): never {
  throw new Error(`there is no tenant ${what}`);
}
