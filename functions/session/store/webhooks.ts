import type { FeedType } from "../../../shared/api/feed.ts";
import type { WebhookView } from "../contract/feed.ts";
import type { Disk } from "./disk.ts";

/** Endpoints of one tenant. */
export const MOST_WEBHOOKS = 20;

/** A secret of an endpoint, sealed. */
export interface SealedSecret {
  sealed: string;
  /** Until when it signs beside the newer one, ms; null: it is the newest. */
  until: number | null;
}

/** A row of the table: one endpoint to which a tenant's events are sent. */
export interface Webhook {
  id: string;
  tenant: string;
  project_id: string;
  url: string;
  /** null: all. */
  types: FeedType[] | null;
  /** The newest first. */
  secrets: readonly SealedSecret[];
  state: WebhookView["state"];
  dropped: number;
  created_at: number;
}

type Changes = Partial<Pick<Webhook, "secrets" | "state" | "dropped">>;

/** The table of endpoints: the only place that reads and writes it. */
export class Webhooks {
  readonly #disk: Disk;
  readonly #tenants = new Map<string, Webhook[]>();
  readonly #byId = new Map<string, Webhook>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The tenant's, the oldest first. The same objects for everyone. */
  of(tenant: string): readonly Webhook[] {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    const rows = this.#disk
      .exec(
        "SELECT * FROM webhooks INDEXED BY webhooks_by_tenant WHERE tenant = ? ORDER BY rowid LIMIT ?",
        tenant,
        MOST_WEBHOOKS,
      )
      .toArray()
      .map(readRow);
    this.#tenants.set(tenant, rows);
    for (const row of rows) this.#byId.set(row.id, row);
    return rows;
  }

  find(tenant: string, id: string): Webhook | null {
    return this.of(tenant).find((row) => row.id === id) ?? null;
  }

  byId(id: string): Webhook | null {
    const known = this.#byId.get(id);
    if (known) return known;
    const [row] = this.#disk.exec<{ tenant: string }>("SELECT tenant FROM webhooks WHERE id = ?", id);
    return row ? this.find(row.tenant, id) : null;
  }

  /** Whether any takes the event. */
  areWanted(tenant: string): boolean {
    return this.of(tenant).some(({ state }) => state === "active");
  }

  wanting(tenant: string, type: FeedType): Webhook[] {
    return this.of(tenant).filter(
      ({ state, types }) => state === "active" && (types === null || types.includes(type)),
    );
  }

  /** Throws if there is no room for it. */
  add(row: Webhook): void {
    const known = this.of(row.tenant);
    this.#disk.exec(
      `INSERT INTO webhooks (id, tenant, project_id, url, types, secrets, state, dropped, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      row.id,
      row.tenant,
      row.project_id,
      row.url,
      row.types === null ? null : JSON.stringify(row.types),
      JSON.stringify(row.secrets),
      row.state,
      row.dropped,
      row.created_at,
    );
    this.#tenants.set(row.tenant, [...known, row]);
    this.#byId.set(row.id, row);
  }

  update(row: Webhook, changes: Changes): void {
    const { secrets, state, dropped } = Object.assign(row, changes);
    this.#disk.exec(
      "UPDATE webhooks SET secrets = ?, state = ?, dropped = ? WHERE id = ?",
      JSON.stringify(secrets),
      state,
      dropped,
      row.id,
    );
  }

  drop({ id, tenant }: Webhook): void {
    this.#disk.exec("DELETE FROM webhooks WHERE id = ?", id);
    this.#byId.delete(id);
    this.#tenants.set(
      tenant,
      this.of(tenant).filter((row) => row.id !== id),
    );
  }
}

function readRow(row: Record<string, SqlStorageValue>): Webhook {
  const types = row["types"];
  return {
    ...row,
    types: types === null ? null : JSON.parse(String(types)),
    secrets: JSON.parse(String(row["secrets"])),
  } as unknown as Webhook; // The table is ours alone.
}
