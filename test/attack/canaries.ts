import { randomBytes } from "node:crypto";

/**
 * Where a secret may be seen. never: nowhere. rules: in the documents of its own tenant's authentic calls, and where the operator reads
 * that tenant's rules. calls: in those documents alone. pins: where the operator lists that tenant's PINs.
 */
export type MayShow = "never" | "rules" | "calls" | "pins";

/** A secret that is recognised wherever it comes out. */
export interface Canary {
  /** What it is, whosever it is. */
  kind: string;
  name: string;
  value: string;
  /** Null: it is no tenant's own. */
  tenant: string | null;
  may_show: MayShow;
}

/** The secrets of a run. */
export class Canaries {
  readonly #known = new Map<string, { canary: Canary; forms: readonly string[] }>();

  /** A new secret, good for a URL as it is. */
  make(name: string, tenant: string | null, may_show: MayShow): string {
    return this.add(name, `canary-${name}-${randomBytes(6).toString("hex")}`, tenant, may_show);
  }

  /** A secret whose value has a form of its own, such as a PIN. */
  add(name: string, value: string, tenant: string | null, may_show: MayShow): string {
    const whose = tenant === null ? name : `${name} of ${tenant}`;
    const canary: Canary = { kind: name, name: whose, value, tenant, may_show };
    this.#known.set(value, { canary, forms: formsOf(value) });
    return value;
  }

  /** The secrets that stand in the text, as they are or encoded. */
  in(text: string): Canary[] {
    if (text === "") return [];
    return [...this.#known.values()].flatMap(({ canary, forms }) =>
      forms.some((form) => text.includes(form)) ? [canary] : [],
    );
  }
}

/** How a text looks in what is logged and answered: plain, in URLs, JSON and XML, in hex, and within longer base64. */
function formsOf(value: string): string[] {
  const hex = Buffer.from(value).toString("hex");
  const url = encodeURIComponent(value);
  return [
    ...new Set([
      value,
      url,
      encodeURIComponent(url),
      `${new URLSearchParams([["", value]])}`.slice(1),
      JSON.stringify(value).slice(1, -1),
      value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
      hex,
      hex.toUpperCase(),
      ...[0, 1, 2].flatMap((before) => base64Within(value, before)),
    ]),
  ];
}

/** What of the text's base64 is the same whatever comes before and after it, where `before` bytes (of each three) come before. */
function base64Within(value: string, before: number): string[] {
  const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(value)]);
  const core = bytes
    .toString("base64")
    .slice(Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6));
  return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
}
