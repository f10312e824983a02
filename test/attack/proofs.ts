import { signBody, signForm } from "../carrier/webhooks.ts";
import type { StagedTenant } from "./environment.ts";

/** What there is to sign, and with which keys. */
export interface Signing {
  /** Where SignalWire reaches the Worker. */
  base: string;
  /** Path and query as they are sent. */
  path: string;
  body: Buffer;
  /** SignalWire's way for such a request. */
  scheme: "json" | "form";
  /** Whether the body is a form: its fields are signed, too. */
  isForm: boolean;
  key: string;
  other_key: string;
  tenant: string;
  other: string;
}

type Headers = [string, string][];

const SHA1 = "x-signalwire-signature";
const SHA256 = "x-signalwire-sha256-signature";
const TWILIO = "x-twilio-signature";

/** Each way in which a request can be signed; all but `right` must be refused. */
const signatures = {
  none: () => [],
  right: (signing: Signing) => headersOf(signing),
  wrong_key: (signing: Signing) => headersOf({ ...signing, key: "PSKmadeup" }),
  empty_key: (signing: Signing) => headersOf({ ...signing, key: "" }),
  tenants_name_as_key: (signing: Signing) => headersOf({ ...signing, key: signing.tenant }),
  another_host: (signing: Signing) => headersOf({ ...signing, base: "https://partyline.example.com" }),
  another_scheme: (signing: Signing) =>
    headersOf({ ...signing, base: signing.base.replace("http:", "https:") }),
  another_path: (signing: Signing) => headersOf({ ...signing, path: `/x${signing.path}` }),
  another_query: (signing: Signing) =>
    headersOf({ ...signing, path: `${signing.path}${signing.path.includes("?") ? "&" : "?"}x=1` }),
  fragment_added: (signing: Signing) => headersOf({ ...signing, path: `${signing.path}#rt=8000` }),
  another_body: (signing: Signing) =>
    headersOf({ ...signing, body: Buffer.concat([signing.body, Buffer.from("&x=1")]) }),
  url_alone: (signing: Signing) => headersOf({ ...signing, body: Buffer.alloc(0) }),
  another_tenants_key: (signing: Signing) => headersOf({ ...signing, key: signing.other_key }),
  /** Right where it was made: for another tenant's URL. */
  replayed: (signing: Signing) =>
    headersOf({ ...signing, path: signing.path.replace(/^\/hooks\/[^/?]*/, `/hooks/${signing.other}`) }),
  other_scheme: (signing: Signing) =>
    headersOf({ ...signing, scheme: signing.scheme === "json" ? "form" : "json" }),
  truncated: (signing: Signing) =>
    headersOf(signing).map(([name, value]): [string, string] => [name, value.slice(0, -4)]),
  doubled: (signing: Signing) => headersOf(signing).flatMap((header): Headers => [header, header]),
  beside_another: (signing: Signing) =>
    headersOf(signing).flatMap(
      ([name, value]): Headers => [
        [name, "0".repeat(value.length)],
        [name, value],
      ],
    ),
  /** Of the two the longer one counts. */
  sha1_beside_wrong_sha256: (signing: Signing) => [
    [SHA1, signedBody(signing, "sha1")],
    [SHA256, "0".repeat(64)],
  ],
  sha256_in_sha1s_place: (signing: Signing) => [[SHA1, signedBody(signing, "sha256")]],
  /** Of JSON this header says nothing. */
  jsons_in_twilios_place: (signing: Signing) => [[TWILIO, signedBody(signing, "sha1")]],
  /** Hex counts in either case: there it is made wrong by more. */
  other_case: (signing: Signing) =>
    signing.scheme === "form"
      ? [[SHA1, swapped(signedForm(signing))]]
      : [[SHA1, `${signedBody(signing, "sha1").toUpperCase()} 0`]],
  empty: () => [
    [SHA1, ""],
    [SHA256, ""],
  ],
  zeros: () => [[SHA1, "0".repeat(40)]],
  long: () => [[SHA1, "A".repeat(4_000)]],
  odd: () => [
    [SHA1, "\u00e9 ' OR 1=1 --"],
    [TWILIO, "null"],
  ],
} satisfies Record<string, (signing: Signing) => Headers>;

export type Signature = keyof typeof signatures;
export const signatureKinds = Object.keys(signatures) as Signature[]; // The record's own keys.

/** Where a mistake would make no difference, such as another body where none is signed, the key is a wrong one. */
export function signatureOf(kind: Signature, signing: Signing): Headers {
  const made: Headers = signatures[kind](signing);
  const isRight = `${made}` === `${headersOf(signing)}`;
  return kind !== "right" && isRight ? signatures.wrong_key(signing) : made;
}

const tokens = {
  none: () => [],
  right: (own: StagedTenant) => [["token", own.token]],
  empty: () => [["token", ""]],
  wrong: () => [["token", "x".repeat(32)]],
  another_tenants: (own: StagedTenant, other: StagedTenant) => [
    ["token", other.name === own.name ? "another" : other.token],
  ],
  prefix: (own: StagedTenant) => [["token", own.token.slice(0, -1)]],
  longer: (own: StagedTenant) => [["token", `${own.token}A`]],
  other_case: (own: StagedTenant) => [["token", swapped(own.token)]],
  /** What counts is the first. */
  behind_a_wrong_one: (own: StagedTenant) => [
    ["token", "wrong"],
    ["token", own.token],
  ],
  by_another_name: (own: StagedTenant) => [
    ["Token", own.token],
    ["token[]", own.token],
    ["__proto__[token]", own.token],
  ],
  with_a_blank: (own: StagedTenant) => [["token", ` ${own.token}`]],
} satisfies Record<string, (own: StagedTenant, other: StagedTenant) => [string, string][]>;

export type Token = keyof typeof tokens;
export const tokenKinds = Object.keys(tokens) as Token[]; // The record's own keys.

export function tokenOf(kind: Token, own: StagedTenant, other: StagedTenant): [string, string][] {
  return tokens[kind](own, other);
}

const bearers = {
  none: () => [],
  right: (token: string) => [["authorization", `Bearer ${token}`]],
  wrong: () => [["authorization", "Bearer wrong"]],
  empty: () => [["authorization", "Bearer "]],
  prefix: (token: string) => [["authorization", `Bearer ${token.slice(0, -1)}`]],
  longer: (token: string) => [["authorization", `Bearer ${token}a`]],
  other_case: (token: string) => [["authorization", `Bearer ${token.toUpperCase()}`]],
  doubled: (token: string) => [["authorization", `Bearer ${token}, Bearer ${token}`]],
  bare: (token: string) => [["authorization", token]],
  basic: (token: string) => [["authorization", `Basic ${btoa(`admin:${token}`)}`]],
  in_a_cookie: (token: string) => [["cookie", `token=${token}; authorization=Bearer ${token}`]],
  in_other_headers: (token: string) => [
    ["x-api-key", token],
    ["proxy-authorization", `Bearer ${token}`],
  ],
  signing_key: (_: string, { tenant }: Whose) => [["authorization", `Bearer ${tenant.project.signing_key}`]],
  api_token: (_: string, { other }: Whose) => [["authorization", `Bearer ${other.project.token}`]],
  callback_token: (_: string, { tenant }: Whose) => [["authorization", `Bearer ${tenant.token}`]],
  undefined: () => [["authorization", "Bearer undefined"]],
  long: () => [["authorization", `Bearer ${"a".repeat(6_000)}`]],
  many_blanks: () => [["authorization", `Bearer${" ".repeat(6_000)}x`]],
  latin: () => [["authorization", "Bearer \u00e9\u00ff"]],
} satisfies Record<string, (token: string, whose: Whose) => Headers>;

interface Whose {
  tenant: StagedTenant;
  other: StagedTenant;
}

export type Bearer = keyof typeof bearers;
export const bearerKinds = Object.keys(bearers) as Bearer[]; // The record's own keys.

export function bearerOf(kind: Bearer, admin_token: string, whose: Whose): Headers {
  return bearers[kind](admin_token, whose);
}

/** As SignalWire would sign it. */
function headersOf(signing: Signing): Headers {
  if (signing.scheme === "form") return [[SHA1, signedForm(signing)]];
  return [
    [SHA1, signedBody(signing, "sha1")],
    [SHA256, signedBody(signing, "sha256")],
  ];
}

function signedBody({ key, base, path, body }: Signing, algorithm: "sha1" | "sha256"): string {
  return signBody(key, base + path, body, algorithm);
}

function signedForm({ key, base, path, body, isForm }: Signing): string {
  // Escaped, for where an escape is no good Node takes other letters than ASCII's for single bytes.
  const text = new TextDecoder().decode(body).replace(/[^\0-\x7f]+/g, encodeURIComponent);
  const fields = isForm ? [...new URLSearchParams(text)] : [];
  return signForm(key, base + path, fields);
}

function swapped(text: string): string {
  return text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
  );
}
