import { RpcTarget } from "cloudflare:workers";
import { describeError, log } from "../../log.ts";
import type { Naming } from "../contract/placement.ts";
import type { KeptRecords, ServedRecords } from "../contract/tenants.ts";
import type { Namings } from "../seats/room-naming.ts";
import type { Disk } from "../store/disk.ts";
import type { Settings } from "../store/settings.ts";

/**
 * TenantRecords — the last good record of each tenant, and the project's: Workers hand them over, and ask where KV's is bad. And how
 * tenants' rooms are named.
 */
export class TenantRecords extends RpcTarget {
  readonly #disk: Disk;
  readonly #settings: Settings;
  readonly #namings: Namings;
  readonly #readProject: () => Promise<unknown>;
  /** Of the project's record when it was kept last. */
  #version: string | null = null;

  /** @param readProject has the session read the project's record, and keep it. */
  constructor(disk: Disk, settings: Settings, namings: Namings, readProject: () => Promise<unknown>) {
    super();
    this.#disk = disk;
    this.#settings = settings;
    this.#namings = namings;
    this.#readProject = readProject;
  }

  async keep({ tenant, project_id, project_version, record }: ServedRecords): Promise<void> {
    this.#settings.use(project_id);
    if (record !== null) {
      this.#disk.exec(
        `INSERT INTO tenants (tenant, record) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET record = excluded.record WHERE record IS NOT excluded.record`,
        tenant,
        record,
      );
    }
    if (project_version === this.#version) return;
    try {
      await this.#readProject();
      this.#version = project_version;
    } catch (error) {
      log("warn", "session.record_not_kept", { project: project_id, error: describeError(error) });
    }
  }

  /** How the tenant's rooms were named last; null: none ever was. */
  naming(tenant: string): Naming | null {
    return this.#namings.of(tenant);
  }

  /** Whether a plain name is one of the tenant's rooms. */
  isOwnPlain(tenant: string, room: string): boolean {
    return this.#namings.isOwnPlain(tenant, room);
  }

  lastGood(tenant: string): KeptRecords {
    const [row] = this.#disk.exec<{ record: string | null }>(
      "SELECT record FROM tenants WHERE tenant = ?",
      tenant,
    );
    return { tenant: row?.record ?? null, project: this.#settings.get("record") };
  }
}
