import { ivBytes, openSecret, sealSecret } from "../../../shared/credentials.ts";
import type { Resume } from "../../../shared/relay/inputs.ts";
import { log } from "../../log.ts";
import type { Disk } from "./disk.ts";

type FactName =
  | "project_id"
  | "used_since"
  | "record"
  | "protocol"
  | "authorization_state"
  | "breaker"
  | "breaker_of_tenants"
  | "leaving"
  | "leaving_of_tenants"
  | "gaps";

/**
 * The few single values that a new incarnation needs. `record` is the project's as KV had it, its secrets sealed. `authorization_state` is a secret: it is kept sealed, and where
 * there is no key to seal it with it is not kept at all.
 */
export class Settings {
  readonly #disk: Disk;
  readonly #key: string | undefined;
  /** What the table holds, as far as it was asked for; nobody else writes it. */
  readonly #known = new Map<FactName, string | null>();

  constructor(disk: Disk, credentials_key: string | undefined) {
    this.#disk = disk;
    this.#key = credentials_key;
  }

  get(name: FactName): string | null {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const [row] = this.#disk.exec<{ value: string }>("SELECT value FROM facts WHERE name = ?", name);
    const value = row?.value ?? null;
    this.#known.set(name, value);
    return value;
  }

  require(name: FactName): string {
    const value = this.get(name);
    if (value === null) throw new Error(`this session was never told its ${name}`);
    return value;
  }

  set(name: FactName, value: string): void {
    if (this.get(name) === value) return;
    this.#known.set(name, value);
    this.#disk.attempt(
      "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
      name,
      value,
    );
  }

  drop(name: FactName): void {
    if (this.get(name) === null) return;
    this.#known.set(name, null);
    this.#disk.exec("DELETE FROM facts WHERE name = ?", name);
  }

  /** The session has work to do for its project. */
  use(project_id: string): void {
    if (this.get("project_id") === null) this.set("used_since", String(Date.now()));
    this.set("project_id", project_id);
  }

  /** Since when it has, ms; 0: since before that was written down; null: it never had. */
  usedSince(): number | null {
    return this.get("project_id") === null ? null : Number(this.get("used_since") ?? 0);
  }

  async keepAuthorizationState(project_id: string, value: string): Promise<void> {
    if (this.#key === undefined) return;
    const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
    this.set("authorization_state", await sealSecret(this.#key, project_id, value, iv));
  }

  forgetResume(): void {
    this.#known.delete("protocol");
    this.#known.delete("authorization_state");
    this.#disk.exec("DELETE FROM facts WHERE name IN ('protocol', 'authorization_state')");
  }

  async readResume(project_id: string): Promise<Resume> {
    const protocol = this.get("protocol");
    const sealed = this.get("authorization_state");
    if (protocol === null) return {};
    if (sealed === null || this.#key === undefined) return { protocol };
    try {
      return { protocol, authorization_state: await openSecret(this.#key, project_id, sealed) };
    } catch {
      log("warn", "session.resume_lost", { project: project_id, why: "CREDENTIALS_KEY changed" });
      return { protocol };
    }
  }
}
