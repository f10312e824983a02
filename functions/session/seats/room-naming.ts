import { splitWireName, wireName } from "../../../shared/conference.ts";
import { LONGEST_CALL_MS } from "../../../shared/placement.ts";
import type { Naming, PlaceRequest } from "../contract/placement.ts";
import type { Disk } from "../store/disk.ts";
import type { Occupancy } from "./occupancy.ts";

/** Whose rooms are to be named, as a Worker names them. */
export interface Named {
  tenant: string;
  rooms: [string, ...string[]];
  /** What the project's record says in so many words; absent if it says nothing. */
  naming?: Naming;
}

/** How long a tenant's former names count as its own. */
const FORMER_MS = LONGEST_CALL_MS;

interface Row {
  plain: number | null;
  renamed_at: number | null;
}

type TenantRooms = Pick<Occupancy, "tenantIn">;

/**
 * Namings — whether a tenant's rooms carry its prefix on the wire, and that no room is renamed while calls are in it. Asked before each
 * placement.
 */
export class Namings {
  readonly #disk: Disk;
  readonly #rooms: TenantRooms;
  readonly #now: () => number;
  readonly #rows = new Map<string, Row>();
  /** Whether plain names may have changed hands; null: not looked up. */
  #wereRenamed: boolean | null = null;

  constructor(disk: Disk, rooms: TenantRooms, now: () => number) {
    this.#disk = disk;
    this.#rooms = rooms;
    this.#now = now;
  }

  /** Which naming the tenant used last; null if it never used any. */
  of(tenant: string): Naming | null {
    const { plain } = this.#row(tenant);
    return plain === null ? null : namingOf(plain === 1);
  }

  /** The rooms by the names that they have, or come to have; that this naming was used is written down. */
  settle(request: Named): [string, ...string[]] {
    const naming = this.#namingFor(request);
    const { plain } = this.#row(request.tenant);
    if (plain === null || namingOf(plain === 1) !== naming)
      this.#write(request.tenant, naming, plain !== null);
    return this.#named(request, naming);
  }

  /** The same for a caller who may yet come. */
  peek(request: Named): [string, ...string[]] {
    return this.#named(request, this.#namingFor(request));
  }

  /** The same for the names that its rooms had before, if it has any. */
  before(request: Named & Pick<PlaceRequest, "rooms_before">): Pick<PlaceRequest, "rooms_before"> {
    const { rooms_before } = request;
    return rooms_before ? { rooms_before: this.peek({ ...request, rooms: rooms_before }) } : {};
  }

  /**
   * Whether the plain name is one of the tenant's rooms, as far as that is known here. What is told of a room last comes when everybody
   * has left it, so the tenant's former names count for a while.
   */
  isOwnPlain(tenant: string, room: string): boolean {
    const { plain, renamed_at } = this.#row(tenant);
    const taker = this.#rooms.tenantIn(room);
    if (plain === 1 || taker === tenant) return true;
    return taker === null && renamed_at !== null && this.#now() - renamed_at < FORMER_MS;
  }

  #namingFor({ tenant, rooms, naming }: Named): Naming {
    return naming ?? this.of(tenant) ?? namingOf(splitWireName(rooms[0]).tenant !== tenant);
  }

  #named({ tenant, rooms: [first, ...others] }: Named, naming: Naming): [string, ...string[]] {
    const name = (room: string) => this.#nameOf(tenant, room, naming);
    return [name(first), ...others.map(name)];
  }

  #nameOf(tenant: string, given: string, naming: Naming): string {
    const { tenant: owner, name } = splitWireName(given);
    const plainly = owner === tenant ? name : given;
    const named = wireName(tenant, plainly, { plain: naming === "plain" });
    const otherwise = wireName(tenant, plainly, { plain: naming !== "plain" });
    if (typeof named !== "string") return this.#asGiven(tenant, given);
    if (typeof otherwise !== "string") return named;
    const { renamed_at } = this.#row(tenant);
    const mayLive = renamed_at !== null && this.#now() - renamed_at < LONGEST_CALL_MS;
    if (mayLive && this.#rooms.tenantIn(named) === null && this.#rooms.tenantIn(otherwise) === tenant)
      return otherwise;
    if (naming === "plain" && this.#mayBeTaken()) {
      // Plain names have changed hands: callers of another tenant are still in the room.
      const taker = this.#rooms.tenantIn(named);
      if (taker !== null && taker !== tenant) return otherwise;
    }
    return named;
  }

  /** The room cannot have the name that its tenant's rooms have. */
  #asGiven(tenant: string, given: string): string {
    const taker = this.#rooms.tenantIn(given);
    if (taker === null || taker === tenant) return given;
    throw new Error("callers of another tenant are in a room of the name that this one would have");
  }

  #mayBeTaken(): boolean {
    this.#wereRenamed ??=
      this.#disk
        .exec("SELECT 1 FROM tenants INDEXED BY tenants_renamed WHERE renamed_at IS NOT NULL LIMIT 1")
        .toArray().length > 0;
    return this.#wereRenamed;
  }

  #row(tenant: string): Row {
    const known = this.#rows.get(tenant);
    if (known) return known;
    const [row = { plain: null, renamed_at: null }] = this.#disk
      .exec<{ plain: number | null; renamed_at: number | null }>(
        "SELECT plain, renamed_at FROM tenants WHERE tenant = ?",
        tenant,
      )
      .toArray();
    this.#rows.set(tenant, row);
    return row;
  }

  #write(tenant: string, naming: Naming, isChange: boolean): void {
    const row: Row = { plain: naming === "plain" ? 1 : 0, renamed_at: isChange ? this.#now() : null };
    this.#rows.set(tenant, row);
    if (isChange) this.#wereRenamed = true;
    this.#disk.attempt(
      `INSERT INTO tenants (tenant, plain, renamed_at) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET plain = excluded.plain, renamed_at = excluded.renamed_at`,
      tenant,
      row.plain,
      row.renamed_at,
    );
  }
}

function namingOf(isPlain: boolean): Naming {
  return isPlain ? "plain" : "prefixed";
}
