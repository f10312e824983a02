import { describeError, log } from "../../log.ts";
import { contextsIn, NoRecord, openProject, readProjectText } from "../../tenants/records.ts";
import type { Project } from "../../tenants/tenant.ts";
import { withTimeout } from "../../timeout.ts";
import type { Settings } from "../store/settings.ts";

/** Time limit of KV; the alarm waits a little longer. */
const KV_MS = 3_000;
/** Kept if KV has no record and the Worker's secrets are used instead. */
const OF_SECRETS = "";

/**
 * ProjectRecord — the project's record from KV, and a copy of the last good one, so that RELAY comes up even if KV cannot be read at a
 * restart. Used by RelayManager.
 */
export class ProjectRecord {
  readonly #env: Env;
  readonly #settings: Settings;

  constructor(env: Env, settings: Settings) {
    this.#env = env;
    this.#settings = settings;
  }

  /** @throws {NoRecord} if KV says that there is none: the copy is dropped. */
  async read(): Promise<Project> {
    const project_id = this.#settings.require("project_id");
    let read: { text: string | null; project: Project };
    try {
      const text = await withTimeout(KV_MS, readProjectText(this.#env, project_id));
      read = { text, project: await openProject(this.#env, project_id, text) };
    } catch (error) {
      if (error instanceof NoRecord) this.#gone(project_id);
      throw error;
    }
    this.#settings.set("record", read.text ?? OF_SECRETS);
    return read.project;
  }

  /** From KV, or the last good one if KV cannot be read. */
  async readOrKept(): Promise<Project> {
    try {
      return await this.read();
    } catch (error) {
      const kept = await this.#openKept();
      if (!kept) throw error;
      log("error", "session.record_kept", { project: kept.project_id, error: describeError(error) });
      return kept;
    }
  }

  /** Whether calls of contexts are wanted by the last good one. */
  get takesCalls(): boolean {
    const kept = this.#settings.get("record");
    return kept !== null && kept !== OF_SECRETS && contextsIn(kept) > 0;
  }

  async #openKept(): Promise<Project | null> {
    const kept = this.#settings.get("record");
    if (kept === null) return null;
    try {
      const text = kept === OF_SECRETS ? null : kept;
      return await openProject(this.#env, this.#settings.require("project_id"), text);
    } catch (error) {
      // Sealed with another key, or with the secrets that are not there any more.
      log("error", "session.record_lost", { error: describeError(error) });
      return null;
    }
  }

  #gone(project_id: string): void {
    if (this.#settings.get("record") === null) return;
    this.#settings.drop("record");
    log("error", "session.record_gone", { project: project_id });
  }
}
